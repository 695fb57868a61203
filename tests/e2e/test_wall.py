"""Journeys on the wall: four villages, switching, a dead camera, a killed relay, a killed eye, "show me camera X"."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.figures import told
from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import (
    decoded,
    open_wall,
    playing,
    received,
    sign_in,
    tiles,
    viewers,
    wait_all_playing,
    wait_playing,
)

pytestmark = pytest.mark.browser

BACK_BAR = FOUND_BAR = 5.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Five villages with a few cameras each, all registered."""
    settings: dict[str, Any] = {"HEALTH__ROUND_SECONDS": "3", "HEALTH__PICTURE_SECONDS": "3"}
    with running_site(tmp_path_factory.mktemp("wall"), villages=5, cameras=20, **settings) as site:
        site.register()
        yield site


def one_camera_per_village(site: Site) -> list[int]:
    """The first camera of each village, in the official order."""
    found: dict[int, int] = {}
    for camera in site.cameras():
        found.setdefault(camera["village_id"], camera["id"])
    return list(found.values())


def test_four_cameras_of_four_villages_play_and_a_tile_is_switched_without_a_new_connection(
    page: Page, site: Site
) -> None:
    cameras = one_camera_per_village(site)
    sign_in(page, site)
    open_wall(page, site, cameras[:4], 4)
    wait_playing(page, 4)

    before = viewers(page)
    assert len(before) == 1
    page.click('[data-tile="2"]')
    page.fill("aside.tree input[type=search]", "")
    row = page.locator(f'aside.tree [data-camera="{cameras[4]}"]').first
    if not row.is_visible():
        page.locator("aside.tree .head").last.click()
    row.click()
    until(lambda: playing(page, 2, cameras[4]), what=lambda: f"tile 2 shows the new camera: {tiles(page)}")
    assert viewers(page) == before
    wait_all_playing(page, {0: cameras[0], 1: cameras[1], 3: cameras[3]})


def test_a_dead_cameras_tile_says_why(page: Page, site: Site) -> None:
    device = next(device for device in site.villages[1]["devices"])
    dead = next(
        camera["id"]
        for camera in site.cameras()
        if camera["device_id"] == next(one["id"] for one in site.get("/api/devices") if one["host"] == device["host"])
    )
    site.fault(device["key"], "dead")
    try:
        sign_in(page, site)
        open_wall(page, site, [dead], 1)
        tile = page.locator('[data-tile="0"]')
        until(
            lambda: any(word in tile.inner_text() for word in ("无法连接", "端口", "连不上", "拒绝")),
            what=lambda: f"the tile says that its camera cannot be reached, not {tile.inner_text()!r}",
        )
    finally:
        site.fault(device["key"], "dead", on=False)


def test_any_camera_is_found_by_its_initials_with_three_inputs(
    record_property: Callable[[str, Any], None], page: Page, site: Site
) -> None:
    sign_in(page, site)
    page.goto(f"{site.url}/alarms")
    page.get_by_role("navigation", name="主导航").wait_for()  # from then on keys are heard
    wanted = site.cameras()[-1]
    begun = time.monotonic()
    page.keyboard.press("Control+K")
    page.keyboard.type(wanted["initials"])
    page.locator(f'[role=option][data-camera="{wanted["id"]}"]').wait_for()
    if page.locator("[role=option][aria-selected=true]").get_attribute("data-camera") != str(wanted["id"]):
        page.locator(f'[role=option][data-camera="{wanted["id"]}"]').click()
    else:
        page.keyboard.press("Enter")
    until(
        lambda: any(tile["camera"] == wanted["id"] and tile["framesShown"] for tile in tiles(page)),
        what=lambda: f"{wanted['name']} is shown: {tiles(page)}",
    )
    told(record_property, "from the key to the picture", time.monotonic() - begun, bar=FOUND_BAR)


def test_pictures_come_back_by_themselves_after_the_relay_is_killed(
    record_property: Callable[[str, Any], None], page: Page, site: Site
) -> None:
    sign_in(page, site)
    open_wall(page, site, one_camera_per_village(site)[:4], 4)
    wait_playing(page, 4)
    before = viewers(page)
    (relay,) = site.children("relay")
    os.kill(relay, signal.SIGKILL)
    begun = time.monotonic()
    until(lambda: viewers(page) != before and None not in viewers(page), what="the page offers again")
    until(lambda: all(playing(page, tile) for tile in range(4)), what=lambda: f"four pictures: {tiles(page)}")
    took = time.monotonic() - begun
    wait_playing(page, 4)
    told(record_property, "pictures are back after the relay was killed", took, bar=BACK_BAR)


def sent_and_came(page: Page, site: Site) -> tuple[int, int, int, int]:
    """Frames that the relay has sent to the page, that its feeds have had from cameras, and that either has dropped;
    and how often a cache was sent again, which a browser may ask for."""
    (viewer,) = {tile["viewer"] for tile in tiles(page)[:4]}
    rows = site.get(f"/api/viewers/{viewer}/figures")
    dropped = sum(row["sent"]["dropped_frames"] + row["feed"]["dropped"] for row in rows)
    replays = sum(row["sent"]["replays"] for row in rows)
    return sum(row["sent"]["frames"] for row in rows), sum(row["feed"]["frames"] for row in rows), dropped, replays


def behind(page: Page, site: Site) -> int:
    """By how many frames the tracks are behind their feeds now."""
    sent, came, *_ = sent_and_came(page, site)
    return came - sent


def ahead(page: Page, site: Site) -> int:
    """By how many frames the relay is ahead of the browser, at most: it may have sent some since we asked that."""
    frames = received(page)["frames"]
    return sent_and_came(page, site)[0] - int(frames)


def settled(ask: Callable[[], int]) -> int:
    """The least of many answers: a burst of a camera, or what is on its way, is for a moment, a frame that was lost is
    for ever. Asks until the least has stood for as many answers as it took to find it, and for ten."""
    answers = [ask()]

    def stands() -> bool:
        answers.append(ask())
        least = answers.index(min(answers))
        return len(answers) - least > max(least, 10)

    until(stands, what=lambda: f"it settles: {answers}")
    return min(answers)


def test_not_a_frame_is_lost_when_the_eye_is_killed(page: Page, site: Site) -> None:
    sign_in(page, site)
    cameras = one_camera_per_village(site)[:4]
    open_wall(page, site, cameras, 4)
    wait_playing(page, 4)
    start = received(page)
    until(lambda: received(page)["frames"] >= start["frames"] + 150, what="frames before the kill")
    behind_before, ahead_before = settled(lambda: behind(page, site)), settled(lambda: ahead(page, site))
    _, came_before, dropped_before, replays_before = sent_and_came(page, site)
    eyes = site.children("eye")
    assert eyes
    for eye in eyes:
        os.kill(eye, signal.SIGKILL)
    counts = decoded(page)
    until(
        lambda: (
            (one := site.api.post(f"/api/cameras/{cameras[0]}/snapshot")).status_code == 200
            and one.content[:2] == b"\xff\xd8"
        ),
        what="a new eye takes pictures",
    )
    until(lambda: all(decoded(page)[tile] > counts[tile] + 25 for tile in range(4)), what="all tiles go on")
    until(  # the page's own counts above may have been a second old
        lambda: sent_and_came(page, site)[1] - came_before >= 4 * 25,
        what=lambda: f"the relay has had frames of all four since: {sent_and_came(page, site)[1] - came_before}",
    )
    # Counted, not timed: what the cameras sent went out, and what went out was received, but for what is on its way.
    on_their_way = 2 * 4
    until(
        lambda: behind(page, site) <= behind_before + on_their_way,
        what=lambda: f"every frame of the cameras goes out: {behind(page, site)} behind, {behind_before} before",
    )
    until(
        lambda: ahead(page, site) <= ahead_before + on_their_way + received(page)["overrun"] - start["overrun"],
        what=lambda: f"every frame is received: the relay is {ahead(page, site)} ahead, {ahead_before} before",
    )
    behind_after = settled(lambda: behind(page, site))
    *_, dropped, replays = sent_and_came(page, site)
    end = received(page)
    assert end["lost"] - start["lost"] <= end["overrun"] - start["overrun"]
    assert dropped == dropped_before
    assert behind_before - behind_after <= on_their_way or replays > replays_before
