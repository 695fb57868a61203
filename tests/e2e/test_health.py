"""Journeys of health: a village goes dark and comes back; a frozen camera has its own cause."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Four villages, looked at every two seconds; all cameras of one that is silent are given up in five."""
    settings: dict[str, Any] = {
        **{"HEALTH__ROUND_SECONDS": "2", "HEALTH__PICTURE_SECONDS": "2", "HEALTH__AT_ONCE_PER_VILLAGE": "4"},
        "INGEST__OPEN_TIMEOUT": "5",
    }
    with running_site(tmp_path_factory.mktemp("health"), villages=4, cameras=16, **settings) as site:
        site.register()
        until(
            lambda: all(camera["health"] == "ok" for camera in site.cameras()),
            what=lambda: f"all cameras are well: {[(c['name'], c['health'], c['cause']) for c in site.cameras()]}",
        )
        yield site


def open_alarms(site: Site) -> list[dict[str, Any]]:
    """The open alarms, as the API has them."""
    found: list[dict[str, Any]] = site.get("/api/alarms", open=True)
    return found


def raised(site: Site) -> dict[str, Any]:
    """The first alarm that is open."""
    return until(lambda: next(iter(open_alarms(site)), None), what=lambda: f"an alarm; cameras {site.cameras()}")


def test_a_dead_village_is_one_alarm_that_closes_by_itself(page: Page, site: Site) -> None:
    village = site.villages[2]
    sign_in(page, site)
    page.goto(f"{site.url}/alarms")
    site.fault(village["key"], "village_down")
    alarm = raised(site)
    assert (alarm["level"], alarm["cause"], alarm["village_name"]) == ("village", "village_link", village["name"])
    names = {camera["id"] for camera in site.cameras() if camera["village_id"] == alarm["village_id"]}
    assert set(alarm["members"]) == names
    row = page.locator(f'[data-alarm="{alarm["id"]}"]')
    row.wait_for()
    expect(row).to_contain_text(village["name"])

    site.fault(village["key"], "village_down", on=False)
    until(lambda: not open_alarms(site), what=lambda: f"it closes: {open_alarms(site)}")
    since = [one["id"] for one in site.get("/api/alarms") if one["id"] >= alarm["id"]]
    assert since == [alarm["id"]], "one village, one alarm"


def test_a_frozen_camera_has_its_own_cause(page: Page, site: Site) -> None:
    device = site.villages[0]["devices"][0]
    site.fault(device["channels"][0]["key"], "frozen")
    alarm = raised(site)
    assert (alarm["level"], alarm["cause"]) == ("camera", "frozen")
    sign_in(page, site)
    page.goto(f"{site.url}/alarms")
    row = page.locator(f'[data-alarm="{alarm["id"]}"]')
    row.wait_for()
    expect(row).to_contain_text(alarm["camera_name"])
    expect(row).to_contain_text("画面冻结")
