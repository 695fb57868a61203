"""Chromium for the journeys. Without it they are skipped; CI sets CAMERA_HUB_REQUIRE_BROWSER, then they fail."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.e2e.site import PATIENCE

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="package")
def chromium() -> str:
    """Where the distribution's Chromium is."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        message = "no chromium on this machine: apt-get install chromium"
        if os.environ.get("CAMERA_HUB_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="package")
def playwright(chromium: str) -> Iterator[Playwright]:
    """One for all journeys: a process can have no second one."""
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """Headless Chromium, one for all journeys: each has a context of its own."""
    browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own context; a script error on it fails the test."""
    with seat(browser) as page:
        yield page


@pytest.fixture
def other_page(browser: Browser) -> Iterator[Page]:
    """That of a second person, who sits elsewhere."""
    with seat(browser) as page:
        yield page


@contextmanager
def seat(browser: Browser) -> Iterator[Page]:
    """A browser of its own, as one seat has it."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1600, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    # What the browser received is read from its own peer connections (wall.received).
    context.add_init_script(
        """window.__connections = []
        const Native = window.RTCPeerConnection
        window.RTCPeerConnection = class extends Native {
            constructor(...values) { super(...values); window.__connections.push(this) }
        }"""
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []
