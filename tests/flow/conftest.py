"""A real service over real HTTP, on a small catalogue, and a real browser to look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from http_service import Running, served
from playwright.sync_api import Browser, Page
from small_service import prepared
from studio_browser import chromium, complaints

from app.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    return prepared(tmp_path_factory, cache)


@pytest.fixture(scope="module")
def running(settings: Settings) -> Iterator[Running]:
    """The URL of a ready service, and the service behind it."""
    with served(settings) as service:
        yield service


@pytest.fixture
def http(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running[0], timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser, running: Running) -> Iterator[Page]:
    """Of the studio. What its scripts throw, and what its security policy refuses, fails the test."""
    context = browser.new_context(base_url=running[0], viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    problems = complaints(opened)
    yield opened
    context.close()
    assert problems == []
