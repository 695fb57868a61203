"""The journey of a patrol: six stops, one of them a scene, one camera dead; paused, confirmed, and the hub killed in
the middle: nothing that was confirmed is lost."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import sign_in, tiles

pytestmark = pytest.mark.browser

DWELLS = (30, 4, 10, 4, 8, 90)
"""Seconds; the first stop and the last are left by hand, and during the third the hub is killed."""
DEAD = 4  # position of the stop whose camera is dead


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Six villages; the camera of stop 4 is unplugged and known to be."""
    settings: dict[str, Any] = {"HEALTH__ROUND_SECONDS": "2", "HEALTH__PICTURE_SECONDS": "30"}
    with running_site(tmp_path_factory.mktemp("tour"), villages=6, cameras=18, **settings) as site:
        site.register()
        yield site


@pytest.fixture(scope="module")
def tour(site: Site) -> dict[str, Any]:
    """The tour, once its dead camera is known to be dead."""
    cameras = site.cameras()
    devices = {device["id"]: device for device in site.get("/api/devices")}
    alone = [camera for camera in cameras if len(devices[camera["device_id"]]["cameras"]) == 1]
    dead = alone[0]
    well = [camera for camera in cameras if camera["device_id"] != dead["device_id"]]
    host = devices[dead["device_id"]]["host"]
    site.fault(next(d["key"] for v in site.villages for d in v["devices"] if d["host"] == host), "dead")
    until(
        lambda: site.get(f"/api/cameras/{dead['id']}")["health"] == "fault",
        seconds=60,
        what="the hub knows that the camera is dead",
    )
    scene = site.post(
        "/api/scenes", {"name": "四个路口", "layout": "4", "cameras": [camera["id"] for camera in well[:4]]}
    )
    places: list[dict[str, Any]] = [
        {"camera_id": well[0]["id"]},
        {"camera_id": well[1]["id"]},
        {"scene_id": scene["id"]},
        {"camera_id": well[2]["id"]},
        {"camera_id": dead["id"]},
        {"camera_id": well[4]["id"]},
    ]
    stops = [{**place, "dwell_s": dwell} for place, dwell in zip(places, DWELLS, strict=True)]
    made: dict[str, Any] = site.post("/api/tours", {"name": "重点路段", "stops": stops})
    return made


def run_of(site: Site, run_id: int) -> dict[str, Any]:
    """The run as the hub has it now."""
    found: dict[str, Any] = site.get(f"/api/runs/{run_id}")
    return found


def shown(page: Page) -> set[int]:
    """Cameras whose fresh pictures stand on the wall."""
    return {
        tile["camera"] for tile in tiles(page) if tile["camera"] and tile["framesShown"] and tile["phase"] == "live"
    }


def results(site: Site, run_id: int) -> dict[int, list[tuple[int, str, bool]]]:
    """(camera, result, whether there is a picture) of each stop."""
    found: dict[int, list[tuple[int, str, bool]]] = {}
    for one in site.get(f"/api/runs/{run_id}/results"):
        found.setdefault(one["position"], []).append(
            (one["camera"]["id"], one["result"], one["picture_url"] is not None)
        )
    return found


def confirmed(site: Site, run_id: int, position: int) -> bool:
    """Confirm all of a stop; whether the hub takes it: what was not visible long enough is not confirmed."""
    answer = site.api.post(
        f"/api/runs/{run_id}/confirm", json={"position": position, "camera_ids": None, "result": "normal"}
    )
    assert answer.status_code in (200, 409), answer.text
    assert answer.status_code == 200 or answer.json()["reason"] == "not_seen", answer.text
    return answer.status_code == 200


def test_a_patrol_is_walked_through_pause_and_a_killed_hub(page: Page, site: Site, tour: dict[str, Any]) -> None:
    sign_in(page, site)
    run = site.post("/api/runs", {"tour_id": tour["id"]})
    page.goto(f"{site.url}/wall?run={run['id']}")
    first = tour["stops"][0]["camera_id"]
    until(
        lambda: shown(page) == {first},
        seconds=DWELLS[0],
        what=lambda: f"the first stop is on the wall: {tiles(page)[:2]}",
    )

    until(
        lambda: confirmed(site, run["id"], 0),
        seconds=DWELLS[0],
        what=lambda: f"the first stop was seen and is confirmed: {results(site, run['id'])}",
    )
    page.locator("section.run button.main").click()
    paused = until(
        lambda: (now := run_of(site, run["id"]))["state"] == "paused" and now, seconds=5, what="the run is paused"
    )
    again = run_of(site, run["id"])
    assert (again["position"], again["time_left_s"]) == (paused["position"], paused["time_left_s"])
    page.locator("section.run button.main").click()
    until(lambda: run_of(site, run["id"])["state"] == "running", seconds=5, what="it goes on")

    itinerary = site.get(f"/api/runs/{run['id']}/itinerary")["stops"]
    scene = {camera["id"] for camera in itinerary[2]["cameras"] if camera}
    page.locator("section.run .paused").wait_for(state="detached")  # the page takes no key before it knows
    page.keyboard.press("ArrowRight")
    until(lambda: run_of(site, run["id"])["position"] >= 1, seconds=5, what="the key is a step")
    until(lambda: run_of(site, run["id"])["position"] >= 2, seconds=2 * DWELLS[1], what="the scene's turn comes")
    until(
        lambda: shown(page) == scene,
        seconds=DWELLS[2],
        what=lambda: f"four pictures of the scene, not {tiles(page)[:4]}",
    )

    kept = results(site, run["id"])[0]
    assert [(camera, result) for camera, result, _ in kept] == [(first, "normal")]
    before = run_of(site, run["id"])
    assert before["position"] == 2
    site.kill_hub()
    site.start_hub()
    site.sign_in()
    after = run_of(site, run["id"])
    away = (datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])).total_seconds()
    assert after["state"] == "running"
    assert results(site, run["id"])[0] == kept, "what was confirmed is not lost"
    walked, left = 2, before["time_left_s"] - away
    while left <= 0:
        walked += 2 if walked + 1 == DEAD else 1
        left += DWELLS[walked]
    assert after["position"] == walked, f"{away:.1f} s later it stands at {walked}"
    assert after["time_left_s"] == pytest.approx(left, abs=1.0)

    camera = tour["stops"][5]["camera_id"]
    until(
        lambda: shown(page) == {camera},
        seconds=sum(DWELLS[2:]),
        what=lambda: f"the last stop is on the wall: {tiles(page)[:2]}",
    )
    until(lambda: confirmed(site, run["id"], 5), seconds=30, what="the last stop was seen and is confirmed")
    page.keyboard.press("ArrowRight")
    closing = until(
        lambda: (now := run_of(site, run["id"]))["state"] == "closing" and now,
        seconds=10,
        what="all stops are over",
    )
    assert closing["remaining"] == [1, 2, 3], "what is not confirmed is offered once more; the dead one is excused"
    early = site.api.post(f"/api/runs/{run['id']}/submit", json={})
    assert (early.status_code, early.json()["reason"]) == (409, "still_open")
    assert results(site, run["id"])[DEAD][0][1] == "excused"
    record = site.get(f"/api/runs/{run['id']}/steps")
    lines = {step["position"]: step for step in record["steps"]}
    assert sorted(lines) == [0, 1, 2, 3, 4, 5]
    assert lines[DEAD]["outcome"] == "skipped"
    assert lines[DEAD]["reason"] in ("port_closed", "unreachable")
    assert lines[5]["outcome"] == "shown"
    assert 3 <= lines[5]["cameras"][0]["visible_s"] <= lines[5]["shown_s"], "the page has told what it really showed"

    page.goto(f"{site.url}/runs/{run['id']}")
    page.get_by_text("四个路口").first.wait_for()
