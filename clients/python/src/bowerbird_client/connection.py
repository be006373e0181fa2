"""What both clients tell httpx."""

from __future__ import annotations

from typing import Any

VERSION = "0.1.0"


def settings(url: str, key: str | None, timeout_s: float) -> dict[str, Any]:
    """Keyword arguments of httpx.Client and httpx.AsyncClient. `timeout_s` is for connecting, and for each silence."""
    headers = {"user-agent": f"bowerbird-client/{VERSION}", "accept": "application/json"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    return {"base_url": url, "headers": headers, "timeout": timeout_s}


def request(call: Any) -> dict[str, Any]:
    """Keyword arguments of their `request`."""
    headers = {} if call.content is None else {"content-type": "application/json"}
    return {
        "method": call.method,
        "url": call.path,
        "content": call.content,
        "params": call.params or None,
        "headers": headers,
    }
