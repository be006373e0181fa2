"""GET /v1/quality/pairs and POST /v1/quality/judgments, and what a build changes in what is served."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import httpx
import numpy as np
import pytest
from http_words import event, refused, search
from words import item

from app.jobs.quality import build_quality
from app.service import Service
from app.settings import Settings
from core.types import Item, Review


def reviewed(item_id: str, kind: str, review: Review) -> Item:
    """An item that five customers say the same of."""
    return replace(item(item_id, kind, kind=kind, numbers={"price": 20.0}), reviews=(review,) * 5)


@pytest.fixture(scope="module")
def served(running: tuple[str, Callable[[], Service]], settings: Settings) -> dict[str, object]:
    """Two lamps with reviews, one bought and one clicked; a build; and the pair that comes of it."""
    url, service = running
    stock = [
        reviewed("lamp:good", "lamp", Review("Great bulb.", 5.0)),
        reviewed("lamp:bad", "lamp", Review("The bulb broke.", 1.0)),
        *(reviewed(f"chair:{n}", "chair", Review("Soft seat.", 3.0)) for n in range(3)),
    ]
    with httpx.Client(base_url=url, timeout=30) as http:
        assert http.get("/v1/quality/pairs").json() == {"pairs": []}
        service().put(stock)
        answer = search(http, "lamp")
        events = [event(answer, "lamp:bad"), event(answer, "lamp:good", action_name="purchase")]
        assert http.post("/v1/events", json=events).status_code == 200
        time.sleep(settings.feedback.window_s + 0.1)
        assert build_quality(settings).pairs == 1
        service().reload()
        (pair,) = http.get("/v1/quality/pairs", params={"limit": 5}).json()["pairs"]
    return pair


def test_a_pair_shows_what_was_written_and_not_what_was_bought(served: dict[str, object]) -> None:
    assert (served["query"], served["category"]) == ("lamp", "lamp")
    assert set(served) == {"pair_id", "query", "category", "items", "terms"}
    items = {each["item_id"]: each for each in served["items"]}  # type: ignore[attr-defined]
    assert items["lamp:good"]["seller"] == {"title": "lamp"}
    assert items["lamp:bad"]["reviews"][0] == {"text": "The bulb broke.", "rating": 1.0}
    assert {"term": "bulb", "sources": ["review"]} in served["terms"]  # type: ignore[operator]


def test_a_judgment_counts_once(http: httpx.Client, served: dict[str, object]) -> None:
    body = {"judgment_id": "j1", "pair_id": served["pair_id"], "better": "lamp:good", "terms": ["bulb", "bulb"]}
    assert http.post("/v1/quality/judgments", json=body).json() == {"stored": True}
    assert http.post("/v1/quality/judgments", json={**body, "terms": ["bulb"]}).json() == {"stored": False}
    other = {**body, "better": "lamp:bad"}
    refused(http.post("/v1/quality/judgments", json=other), 409, "judgment_id_reused")


def test_what_was_never_served_or_offered_is_refused(http: httpx.Client, served: dict[str, object]) -> None:
    body = {"judgment_id": "j2", "pair_id": served["pair_id"], "better": "lamp:good"}

    def answer(**fields: object) -> httpx.Response:
        return http.post("/v1/quality/judgments", json={**body, **fields})

    refused(answer(pair_id="never"), 404, "unknown_pair")
    refused(answer(better="lamp:other"), 422, "item_not_in_pair")
    assert "bulb" in refused(answer(terms=["colour"]), 422, "term_not_offered")["message"]
    refused(answer(better=""), 422, "invalid_request")
    refused(answer(more=1), 422, "invalid_request")
    for limit in (0, 101, "x"):
        refused(http.get("/v1/quality/pairs", params={"limit": limit}), 422, "invalid_request")


def test_the_model_serves(http: httpx.Client, served: dict[str, object]) -> None:
    found = search(http, "lamp bulb", explain=True, preview=True)["hits"]
    told = {hit["id"]: hit["explanation"] for hit in found}
    good, bad = (
        {name: part.get("value") for name, part in told[lamp]["features"].items()} for lamp in ("lamp:good", "lamp:bad")
    )
    assert good["quality.rating"] > bad["quality.rating"]
    assert good["quality.residual"] > 0 > bad["quality.residual"]
    assert bad["quality.sentiment"] < 0
    assert told["lamp:bad"]["quality"]["reviews"] == np.expm1(bad["quality.reviews"]).round()
    blamed = {term["term"]: term for term in told["lamp:bad"]["quality"]["negative"]}
    assert "bulb" in blamed
    assert blamed["bulb"]["sentiment"] < 0
    assert "review" in blamed["bulb"]["sources"]
