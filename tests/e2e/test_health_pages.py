"""The journey of the health pages: a village dies, board and one alarm say so; acknowledged, it comes back."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import sign_in

pytestmark = pytest.mark.browser

SECONDS = 60.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Four villages, looked at every two seconds."""
    settings: dict[str, Any] = {
        **{"HEALTH__ROUND_SECONDS": "2", "HEALTH__PICTURE_SECONDS": "2", "HEALTH__AT_ONCE_PER_VILLAGE": "4"},
        "INGEST__OPEN_TIMEOUT": "5",
    }
    with running_site(tmp_path_factory.mktemp("board"), villages=4, cameras=16, **settings) as site:
        site.register()
        until(
            lambda: all(camera["health"] == "ok" for camera in site.cameras()),
            seconds=SECONDS,
            what=lambda: f"all cameras are well: {[(c['name'], c['health'], c['cause']) for c in site.cameras()]}",
        )
        yield site


def test_a_dead_village_is_seen_acknowledged_and_comes_back(page: Page, site: Site) -> None:
    village = site.villages[2]
    sign_in(page, site)
    page.goto(f"{site.url}/health")
    card = page.locator("[data-village]").filter(has_text=village["name"])
    expect(card).to_contain_text("在线")
    expect(card).not_to_have_class(re.compile(r"\bdead\b"))

    site.fault(village["key"], "village_down")
    expect(card).to_have_class(re.compile(r"\bdead\b"), timeout=SECONDS * 1000)
    expect(card).to_contain_text("整村中断", timeout=SECONDS * 1000)
    alarms = site.get("/api/alarms", open=True, aspect="media")
    assert [(one["level"], one["cause"]) for one in alarms] == [("village", "village_link")]

    page.locator("nav a", has_text="告警").first.click()
    row = page.locator(f'[data-alarm="{alarms[0]["id"]}"]')
    row.locator("button", has_text="展开详情").click()
    expect(row.locator(".chain .failed")).to_have_text("村网络")
    row.locator("button.el-button", has_text="确认").click()
    expect(row).to_contain_text("确认")
    expect(row.locator("button.el-button")).to_have_count(0)

    site.fault(village["key"], "village_down", on=False)
    expect(row).to_contain_text("恢复", timeout=SECONDS * 1000)
    page.goto(f"{site.url}/health")
    expect(card).not_to_have_class(re.compile(r"\bdead\b"), timeout=SECONDS * 1000)
    raised = [one for one in site.get("/api/alarms", aspect="media") if one["village_name"] == village["name"]]
    assert [one["id"] for one in raised] == [alarms[0]["id"]], "one village, one alarm"
