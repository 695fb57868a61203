"""The map in the browser: a village's fault is seen, a camera is clicked, its picture plays."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two villages with two cameras each, all of them placed; those of the second one are unplugged."""
    settings: dict[str, Any] = {"HEALTH__ROUND_SECONDS": "2", "HEALTH__PICTURE_SECONDS": "30"}
    with running_site(tmp_path_factory.mktemp("map"), villages=2, cameras=4, **settings) as site:
        site.register()
        for number, camera in enumerate(site.cameras()):
            place = {"longitude": 117.25 + 0.004 * number, "latitude": 31.8 + 0.002 * number, "direction_deg": 90}
            answer = site.api.put(f"/api/map/cameras/{camera['id']}", json=place)
            assert answer.status_code == 200, answer.text
        for device in site.villages[1]["devices"]:
            site.fault(device["key"], "dead")
        yield site


def camera_on_map(page: Page, camera_id: int) -> dict[str, Any] | None:
    """A mark as it is drawn, with its place in the window."""
    found: list[dict[str, Any]] = page.evaluate("() => (window.__map ? window.__map.cameras : [])")
    return next((one for one in found if one["id"] == camera_id), None)


def test_fault_of_village_is_seen_and_camera_plays(site: Site, page: Page) -> None:
    well, sick = site.get("/api/villages")
    until(
        lambda: site.get("/api/villages")[1]["down_since"],
        what="the hub knows that the second village is cut off",
    )
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    sign_in(page, site)
    page.goto(f"{site.url}/map")
    badge = page.locator(f'.map-badge[data-village="{sick["id"]}"]')
    expect(badge).to_have_attribute("aria-label", f"{sick['name']}：村网络中断，共 2")
    expect(badge).to_have_class(re.compile(r"\bis-lost\b"))

    camera = next(one for one in site.cameras() if one["village_id"] == well["id"])
    card = page.locator(f'[data-card="{camera["id"]}"]')

    places: list[tuple[float, float] | None] = []

    def opened() -> bool:
        """Click the mark where it is drawn once it stands still; again if it had moved under the pointer after all."""
        mark = camera_on_map(page, camera["id"])
        places.append((mark["x"], mark["y"]) if mark is not None and mark["shape"] == "live" else None)
        last = places[-10:]
        if len(last) == 10 and last[0] is not None and len(set(last)) == 1:
            page.mouse.click(*last[0])
            places.clear()
        return card.count() > 0

    until(opened, what=lambda: f"the camera is clicked: {camera_on_map(page, camera['id'])}")
    expect(card).to_have_attribute("data-phase", "live")
    shown = """id => {
        const video = document.querySelector(`[data-card='${id}'] video`)
        return video && video.videoWidth > 0 && video.currentTime > 0
    }"""
    page.wait_for_function(shown, arg=camera["id"])
    assert refused == []
