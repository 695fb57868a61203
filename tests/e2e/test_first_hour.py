"""The first hour of a township admin: set-up link, sixteen villages, one recorder, four pictures, the plug pulled."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.site import PASSWORD, Site, running_site, until
from tests.e2e.wall import playing, tiles

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An empty hub, and sixteen villages of which one has a recorder."""
    folder = tmp_path_factory.mktemp("first")
    with running_site(folder, villages=16, cameras=32, admin=False, HEALTH__ROUND_SECONDS="3") as site:
        yield site


class Hand:
    """Counts what the person at the page does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.inputs = 0

    def click(self, selector: str) -> None:
        self.inputs += 1
        self.page.locator(selector).first.click()

    def fill(self, selector: str, text: str) -> None:
        self.inputs += 1
        self.page.locator(selector).first.fill(text)


def test_from_the_setup_link_to_a_pulled_plug(page: Page, site: Site) -> None:
    village, recorder = next(
        (village, device) for village in site.villages for device in village["devices"] if len(device["channels"]) >= 4
    )
    hand = Hand(page)

    page.goto(site.setup_link)
    hand.fill("input[name=username]", "admin")
    hand.fill("input[name=display_name]", "镇管理员")
    hand.fill("input[name=password]", PASSWORD)
    hand.fill("input[name=repeated]", PASSWORD)
    hand.click("button[type=submit]")

    page.wait_for_url("**/setup/villages")
    hand.fill("textarea[name=names]", "\n".join(one["name"] for one in site.villages))
    hand.click("button[type=submit]")
    page.wait_for_url("**/devices")

    page.get_by_role("link", name="添加设备").or_(page.get_by_role("button", name="添加设备")).first.click()
    page.get_by_role("tab", name="单个地址").or_(page.get_by_role("tab").nth(1)).first.click()
    hand.inputs += 2
    hand.click("label.village .el-select")
    page.get_by_role("option", name=village["name"]).first.click()
    hand.inputs += 1
    address = recorder["host"]
    hand.fill("form.form input >> nth=0", f"{address}:{recorder['onvif_port']}")
    hand.fill("form.form input >> nth=1", recorder["username"])
    hand.fill("form.form input >> nth=2", recorder["password"])
    hand.click("form.form button[type=submit]")

    page.locator("article.card").first.wait_for()
    names = page.locator("article.card").all_inner_texts()
    assert len(names) == len(recorder["channels"])
    for channel in recorder["channels"]:
        assert any(channel["name"] in text for text in names), f"{channel['name']} came along: {names}"
    hand.click("div.summary button.el-button--primary")

    page.wait_for_url("**/wall**")
    until(
        lambda: sum(playing(page, tile["index"]) for tile in tiles(page)) >= 4,
        seconds=20,
        what=f"four pictures on the wall: {tiles(page)}",
    )
    print(f"{hand.inputs} inputs from the set-up link to pictures")  # noqa: T201 (a figure for the reader)
    assert hand.inputs <= 20

    site.fault(recorder["key"], "dead")
    tile = page.locator("[data-tile]").first
    until(lambda: tile.get_attribute("data-phase") not in ("live", "connecting"), seconds=30, what="the tile says so")
    until(
        lambda: any(word in tile.inner_text() for word in ("端口", "无法连接", "停顿", "断开")),
        seconds=30,
        what=f"the tile gives the reason: {tile.inner_text()!r}",
    )
    row = page.locator("aside.tree .head", has_text=village["name"]).first
    until(lambda: "故障" in row.inner_text() or "中断" in row.inner_text(), seconds=60, what=f"{row.inner_text()!r}")
