"""Steering in the browser: the picture moves while a direction is pressed, a browser that dies leaves nothing moving,
and of two persons at one camera each is told whose turn it is."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import figures
from tests.e2e.conftest import FLAGS
from tests.e2e.site import PASSWORD, PATIENCE, TLS, Site, running_site, until
from tests.e2e.wall import open_wall, sign_in, wait_playing

pytestmark = pytest.mark.browser

STOPPED_SECONDS = 2.0
"""What is promised of a browser that dies while the camera moves."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One village, one of whose cameras is a dome."""
    with running_site(tmp_path_factory.mktemp("ptz"), villages=1, cameras=8) as site:
        site.register()
        yield site


@dataclass(frozen=True)
class Dome:
    """A camera that can be steered: its id in the hub, and its name in the simulator."""

    id: int
    key: str


@pytest.fixture(scope="module")
def dome(site: Site) -> Dome:
    """The first dome."""
    camera = next(camera for camera in site.cameras() if camera["ptz"])
    host = next(device["host"] for device in site.get("/api/devices") if device["id"] == camera["device_id"])
    device = next(one for village in site.villages for one in village["devices"] if one["host"] == host)
    return Dome(camera["id"], f"{device['key']}-{camera['number'] or 1}")


def simulated(site: Site, dome: Dome) -> dict[str, Any]:
    """Where the simulated dome points, whether it moves, and what it was told."""
    found: dict[str, Any] = httpx.get(
        f"{site.control}/ptz", params={"target": dome.key}, timeout=PATIENCE, verify=TLS
    ).json()["domes"]
    return dict(found[dome.key])


def told(site: Site, dome: Dome, operation: str) -> list[float]:
    """When the dome was told to do that, by the clock that never steps."""
    return [
        one["at"] for one in simulated(site, dome)["commands"] if one["operation"] == operation and not one["refused"]
    ]


def look(page: Page) -> list[int]:
    """The middle of the first tile's picture, coarse and grey."""
    found: list[int] = page.evaluate(
        """() => {
            const video = document.querySelector('[data-tile="0"] video')
            const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 18 })
            const context = canvas.getContext('2d')
            const { videoWidth: w, videoHeight: h } = video
            context.drawImage(video, w / 4, h / 4, w / 2, h / 2, 0, 0, 32, 18)
            const { data } = context.getImageData(0, 0, 32, 18)
            return Array.from({ length: 32 * 18 }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3 | 0)
        }"""
    )
    return found


def unlike(one: list[int], other: list[int]) -> float:
    """How much two pictures differ: the mean of their differences, 0 to 255."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def open_pad(page: Page) -> None:
    """Press the pad's key, and wait until the camera can be steered."""
    # Tiles are there before the application knows its cameras; until then the key means nothing.
    page.locator('[data-tile="0"] [data-tool=ptz]').wait_for(state="attached")
    page.locator('[data-tile="0"] .stage').click()
    page.keyboard.press("p")
    page.locator('[data-ptz=pad][data-ready="true"]').wait_for()


def press_right(page: Page) -> None:
    """Put the mouse on the pad's right edge and press it."""
    pad = page.locator("[data-ptz=directions]")
    pad.hover()  # it stands still by now, and nothing lies over it
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()


def test_the_picture_moves_while_a_direction_is_pressed_and_not_longer(page: Page, site: Site, dome: Dome) -> None:
    sign_in(page, site)
    open_wall(page, site, [dome.id], 1)
    wait_playing(page, 1)
    open_pad(page)
    before, resting = look(page), simulated(site, dome)
    noise = unlike(before, look(page))
    press_right(page)
    page.locator("[data-ptz=motion]", has_text="转动中").wait_for()
    until(
        lambda: simulated(site, dome)["position"][0] - resting["position"][0] > 0.1,
        what="the dome turns right",
    )
    until(
        lambda: unlike(before, look(page)) > 2 * noise + 8,
        what=lambda: f"the picture moves: {unlike(before, look(page)):.1f}, at rest {noise:.1f}",
    )
    page.mouse.up()
    page.locator("[data-ptz=motion]").wait_for(state="detached")
    until(lambda: not simulated(site, dome)["moving"], what=lambda: f"it stands: {simulated(site, dome)}")
    stopped = simulated(site, dome)
    assert told(site, dome, "Stop"), stopped["commands"]
    assert simulated(site, dome)["position"] == stopped["position"]


@pytest.fixture
def dying(browser: Browser, chromium: str) -> Iterator[Browser]:
    """A browser of its own, which may be killed."""
    dying = browser.browser_type.launch(executable_path=chromium, args=FLAGS)
    yield dying
    if dying.is_connected():
        dying.close()


def test_a_browser_that_is_killed_leaves_nothing_moving(
    record_property: Callable[[str, Any], None], dying: Browser, site: Site, dome: Dome
) -> None:
    page = dying.new_page(locale="zh-CN", viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE * 1000)
    sign_in(page, site)
    open_wall(page, site, [dome.id], 1)
    open_pad(page)
    began = time.monotonic()
    press_right(page)
    until(lambda: simulated(site, dome)["moving"], what="the dome moves")
    processes = dying.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    (main,) = [one["id"] for one in processes if one["type"] == "browser"]
    killed = time.monotonic()
    os.kill(main, signal.SIGKILL)
    until(
        lambda: (now := simulated(site, dome))["commands"][-1]["operation"] == "Stop" and not now["moving"],
        what=lambda: f"the hub stops it: {simulated(site, dome)['commands'][-5:]}",
    )
    (*_, stop) = told(site, dome, "Stop")
    assert stop > began  # on a machine that is very busy it may have stopped for want of news before the browser died
    figures.told(record_property, "a camera stops after the browser was killed", stop - killed, bar=STOPPED_SECONDS)


def test_two_persons_at_one_camera_are_told_whose_turn_it_is(
    page: Page, other_page: Page, site: Site, dome: Dome
) -> None:
    site.post(
        "/api/users",
        {"username": "wangfang", "display_name": "王芳", "role": "operator", "password": PASSWORD, "villages": None},
    )
    hers = other_page
    hers.goto(f"{site.url}/")
    hers.fill("input[name=username]", "wangfang")
    hers.fill("input[name=password]", PASSWORD)
    hers.click("button[type=submit]")
    hers.wait_for_url("**/wall**")
    sign_in(page, site)
    for one in (hers, page):
        open_wall(one, site, [dome.id], 1)
        open_pad(one)
    press_right(hers)
    hers.locator("[data-ptz=holder]", has_text="您正在控制").wait_for()
    page.locator("[data-ptz=holder]", has_text="王芳 正在控制").wait_for()
    page.locator("[data-ptz=take]").click()
    press_right(page)
    hers.locator("[data-ptz=holder]", has_text="管理员 已接管云台").wait_for()
    page.locator("[data-ptz=holder]", has_text="您正在控制").wait_for()
    expect(hers.locator("[data-ptz=take]")).to_have_count(0)
    hers.mouse.up()
    page.mouse.up()
    page.locator("[data-ptz=motion]").wait_for(state="detached")
    page.keyboard.press("Escape")
    hers.locator('[data-ptz=pad][data-ready="true"]').wait_for()
