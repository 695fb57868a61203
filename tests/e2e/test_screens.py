"""A screen after a power cut: its browser and the hub are killed, and its layout is back without anybody's hand."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from tests.e2e.conftest import FLAGS
from tests.e2e.figures import told
from tests.e2e.site import PATIENCE, Site, running_site, until
from tests.e2e.wall import note_cameras, noted_cameras, viewers

pytestmark = pytest.mark.browser

BACK_BAR = 10.0
LARGE = 4
"""The tile that stands beside the four and shows them large."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("screens"), villages=2, cameras=4) as site:
        site.register()
        yield site


@contextmanager
def switched_on(playwright: Playwright, chromium: str, profile: Path) -> Iterator[BrowserContext]:
    """The screen's machine with its browser, whose profile lies on its disk. It may lose its power meanwhile."""
    browser = playwright.chromium.launch_persistent_context(
        str(profile), executable_path=chromium, args=FLAGS, viewport={"width": 1280, "height": 720}
    )
    try:
        browser.set_default_timeout(PATIENCE * 1000)
        yield browser
    finally:
        try:
            browser.close()
        except Error as error:  # it has lost its power
            if "has been closed" not in error.message:
                raise


def power_cut(profile: Path) -> None:
    """kill -9 of the browser: nothing is written any more."""
    for process in of_profile(profile):
        os.kill(process, signal.SIGKILL)


def of_profile(profile: Path) -> list[int]:
    """The processes that were started with this profile: the browser."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"--user-data-dir={profile}".encode() in words:
                found.append(int(folder.name))
    return found


def machine(profile: Path) -> list[int]:
    """The browser with all that it has started."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = of_profile(profile)
    for process in found:
        found += [one for one, parent in parents.items() if parent == process and one not in found]
    return found


def playing(page: Page) -> list[int]:
    """The cameras whose fresh pictures stand in the tiles, in the order of the tiles; none while the page reloads
    itself, as it does once its hub is back."""
    try:
        tiles = page.evaluate("window.__wall?.tiles ?? []")
    except Error as error:
        if "Execution context was destroyed" not in error.message:
            raise
        return []
    return [tile["camera"] for tile in tiles if tile["camera"] and tile["framesShown"] and tile["phase"] == "live"]


def viewing(site: Site) -> int:
    """How many viewers the hub has."""
    count: int = site.get("/api/system")["viewers"]
    return count


def to_be_enrolled(site: Site, name: str) -> tuple[dict[str, Any], str, list[int]]:
    """A screen that is to show all cameras, the code that enrols a browser as it, and the cameras."""
    cameras = [camera["id"] for camera in site.cameras()]
    screen: dict[str, Any] = site.post("/api/screens", {"name": name})
    content = {"kind": "cameras", "layout": "4", "cameras": cameras}
    site.post(f"/api/screens/{screen['id']}/show", {"revision": 0, "content": content})
    return screen, site.post(f"/api/screens/{screen['id']}/code")["code"], cameras


def test_a_screen_returns_after_a_power_cut_of_everything(
    playwright: Playwright, chromium: str, site: Site, tmp_path: Path
) -> None:
    screen, code, cameras = to_be_enrolled(site, "左一屏")
    profile = tmp_path / "profile"

    with switched_on(playwright, chromium, profile) as browser:
        page = browser.pages[0]
        page.goto(f"{site.url}/screen#code={code}")
        until(lambda: playing(page) == cameras, what="the screen is enrolled and shows its cameras")
        assert "code" not in page.url
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    until(lambda: not site.get(f"/api/screens/{screen['id']}")["connected"], what="it is off")

    with switched_on(playwright, chromium, profile) as browser:
        page = browser.pages[0]
        page.goto(f"{site.url}/screen")
        until(lambda: playing(page) == cameras, what="the screen is back by itself")
        power_cut(profile)
        site.kill_hub()

    for lock in profile.glob("Singleton*"):  # of a process that is no more
        lock.unlink()
    with switched_on(playwright, chromium, profile) as browser:
        page = browser.pages[0]
        page.goto(f"{site.url}/screen")
        expect(page.locator("body")).to_contain_text("正在等待主机")  # the machine is there before the hub
        site.start_hub()
        until(lambda: playing(page) == cameras, what="the screen is back, hub and all")
        found = site.get(f"/api/screens/{screen['id']}")
        assert (found["connected"], found["pages"]) == (True, 1)


def test_a_screen_whose_machine_slept_is_back_without_a_reload(
    record_property: Callable[[str, Any], None], playwright: Playwright, chromium: str, site: Site, tmp_path: Path
) -> None:
    _, code, cameras = to_be_enrolled(site, "右一屏")
    profile = tmp_path / "profile"
    until(lambda: viewing(site) == 0, what="nobody else looks on")
    with switched_on(playwright, chromium, profile) as browser:
        page = browser.pages[0]
        page.goto(f"{site.url}/screen#code={code}")
        until(lambda: playing(page) == cameras, what="the screen shows its cameras")
        page.evaluate("() => { window.__same = true }")
        (viewer,) = viewers(page)
        asleep = machine(profile)
        for process in asleep:
            os.kill(process, signal.SIGSTOP)
        try:
            # The relay has given it up by then: nothing that was connected is of any use.
            until(lambda: viewing(site) == 0, what="its viewer has ended")
        finally:
            for process in asleep:
                os.kill(process, signal.SIGCONT)
        woken = time.monotonic()
        until(lambda: playing(page) == cameras, what=lambda: f"its pictures are back, not {playing(page)}")
        told(record_property, "pictures are back after sleep", time.monotonic() - woken, bar=BACK_BAR)
        assert page.evaluate("() => window.__same === true"), "it was not loaded again"
        assert viewers(page) != [viewer], "the pictures are fresh ones"


def test_small_tiles_are_shown_large_in_turn_on_a_screen(page: Page, site: Site) -> None:
    cameras = [camera["id"] for camera in site.cameras()]
    screen = site.post("/api/screens", {"name": "中屏"})
    content = {"kind": "cameras", "layout": "4", "cameras": cameras, "magnify_s": 5}
    site.post(f"/api/screens/{screen['id']}/show", {"revision": 0, "content": content})
    code = site.post(f"/api/screens/{screen['id']}/code")["code"]
    page.goto(f"{site.url}/screen#code={code}")
    until(lambda: playing(page)[:4] == cameras, what=lambda: f"all four play: {playing(page)}")
    note_cameras(page, LARGE)
    played: set[int] = set()

    def round_and_round() -> bool:
        shown = playing(page)
        if len(shown) == 5 and shown[:4] == cameras:
            played.add(shown[4])
        return played == set(cameras) and len(noted_cameras(page)) > len(cameras)

    until(round_and_round, what=lambda: f"each camera is shown large beside all four: {played}, {noted_cameras(page)}")
    # Their order follows the clock that all screens share: a page that was late by a whole turn leaves one out.
    assert set(noted_cameras(page)) == set(cameras)
