"""The journey of the health pages: a village dies, board and one alarm say so; acknowledged, it comes back."""

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
    """Four villages, looked at every two seconds."""
    settings: dict[str, Any] = {
        **{"HEALTH__ROUND_SECONDS": "2", "HEALTH__PICTURE_SECONDS": "2", "HEALTH__AT_ONCE_PER_VILLAGE": "4"},
        "INGEST__OPEN_TIMEOUT": "5",
    }
    with running_site(tmp_path_factory.mktemp("board"), villages=4, cameras=16, **settings) as site:
        site.register()
        until(
            lambda: all(pictures_come(camera) for camera in site.cameras()),
            what=lambda: f"every camera gives pictures: {[(c['name'], c['states']) for c in site.cameras()]}",
        )
        yield site


def pictures_come(camera: dict[str, Any]) -> bool:
    """Whether its media aspect is known to be well."""
    return any(one["aspect"] == "media" and one["state"] == "ok" for one in camera["states"])


def village_alarms(site: Site, **query: Any) -> list[dict[str, Any]]:
    """The alarms of whole villages, as the API has them."""
    return [one for one in site.get("/api/alarms", **query) if one["level"] == "village"]


def test_a_dead_village_is_seen_acknowledged_and_comes_back(page: Page, site: Site) -> None:
    village = site.villages[2]
    sign_in(page, site)
    page.goto(f"{site.url}/health")
    card = page.locator("[data-village]").filter(has_text=village["name"])
    expect(card).to_contain_text("在线")
    expect(card).not_to_have_class(re.compile(r"\bdead\b"))

    site.fault(village["key"], "village_down")
    expect(card).to_have_class(re.compile(r"\bdead\b"))
    expect(card).to_contain_text("整村中断")
    (alarm,) = until(lambda: village_alarms(site, open=True), what="the village's alarm")
    assert (alarm["cause"], alarm["village_name"]) == ("village_link", village["name"])

    page.locator("nav a", has_text="告警").first.click()
    row = page.locator(f'[data-alarm="{alarm["id"]}"]')
    row.locator("button", has_text="展开详情").click()
    expect(row.locator(".chain .failed")).to_have_text("村网络")
    row.locator("button.el-button", has_text="确认").click()
    expect(row.locator(".time")).to_contain_text("确认")
    expect(row.locator("button.el-button")).to_have_count(0)

    site.fault(village["key"], "village_down", on=False)
    expect(row.locator(".time")).to_contain_text("恢复")
    page.goto(f"{site.url}/health")
    expect(card).not_to_have_class(re.compile(r"\bdead\b"))
    assert [one["id"] for one in village_alarms(site)] == [alarm["id"]], "one village, one alarm"
