"""A screen after a power cut: its browser and the hub are killed, and its layout is back without anybody's hand."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.e2e.conftest import FLAGS
from tests.e2e.site import Site, running_site, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("screens"), villages=2, cameras=4) as site:
        site.register()
        yield site


def switched_on(playwright: Playwright, profile: Path) -> BrowserContext:
    """The screen's machine with its browser, whose profile lies on its disk."""
    return playwright.chromium.launch_persistent_context(
        str(profile), executable_path=shutil.which("chromium"), args=FLAGS, viewport={"width": 1280, "height": 720}
    )


def power_cut(profile: Path) -> None:
    """kill -9 of the browser: nothing is written any more."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"--user-data-dir={profile}".encode() in words:
                os.kill(int(folder.name), signal.SIGKILL)


def playing(page: Page) -> list[int]:
    """The cameras whose fresh pictures stand in the tiles, in the order of the tiles."""
    tiles = page.evaluate("window.__wall?.tiles ?? []")
    return [tile["camera"] for tile in tiles if tile["camera"] and tile["framesShown"] and tile["phase"] == "live"]


def test_a_screen_returns_after_a_power_cut_of_everything(playwright: Playwright, site: Site, tmp_path: Path) -> None:
    cameras = [camera["id"] for camera in site.cameras()]
    screen = site.post("/api/screens", {"name": "左一屏"})
    content = {"kind": "cameras", "layout": "4", "cameras": cameras}
    site.post(f"/api/screens/{screen['id']}/show", {"revision": 0, "content": content})
    code = site.post(f"/api/screens/{screen['id']}/code")["code"]
    profile = tmp_path / "profile"

    with switched_on(playwright, profile) as browser:
        page = browser.pages[0]
        page.goto(f"{site.url}/screen#code={code}")
        until(lambda: playing(page) == cameras, seconds=30, what="the screen is enrolled and shows its cameras")
        assert "code" not in page.url
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    until(lambda: not site.get(f"/api/screens/{screen['id']}")["connected"], seconds=10, what="it is off")

    browser = switched_on(playwright, profile)
    page = browser.pages[0]
    page.goto(f"{site.url}/screen")
    until(lambda: playing(page) == cameras, seconds=30, what="the screen is back by itself")
    power_cut(profile)
    site.kill_hub()

    for lock in profile.glob("Singleton*"):  # of a process that is no more
        lock.unlink()
    browser = switched_on(playwright, profile)
    page = browser.pages[0]
    page.goto(f"{site.url}/screen")
    assert "正在等待主机" in page.inner_text("body"), "the machine is there before the hub"
    site.start_hub()
    until(lambda: playing(page) == cameras, seconds=30, what="the screen is back, hub and all")
    found = site.get(f"/api/screens/{screen['id']}")
    assert (found["connected"], found["pages"]) == (True, 1)
    browser.close()
