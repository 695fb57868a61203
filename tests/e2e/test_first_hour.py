"""The first hour: set-up link, sixteen names pasted, one recorder, four tiles; then its plug is pulled."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.site import PASSWORD, Site, running_site, until
from tests.e2e.wall import tiles, wait_playing

pytestmark = pytest.mark.browser

NAMES = 16
MOST_INPUTS = 16
"""Clicks and filled fields of the whole road; each more is a minute of somebody's patience."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Sixteen villages with a recorder in the first; the hub has seen nobody yet."""
    settings = {"HEALTH__ROUND_SECONDS": "2", "HEALTH__PICTURE_SECONDS": "30"}
    folder = tmp_path_factory.mktemp("first-hour")
    with running_site(folder, villages=NAMES, cameras=NAMES * 2, admin=False, **settings) as site:
        yield site


class Hand:
    """Counts what the person at the page does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.inputs = 0

    def click(self, what: str | Locator) -> None:
        self.inputs += 1
        (self.page.locator(what) if isinstance(what, str) else what).click()

    def fill(self, selector: str, text: str) -> None:
        self.inputs += 1
        self.page.locator(selector).fill(text)


def test_from_the_set_up_link_to_an_unplugged_recorder(page: Page, site: Site) -> None:
    village = site.villages[0]
    recorder = next(device for device in village["devices"] if device["kind"] == "recorder")
    channels = [channel["name"] for channel in recorder["channels"]]
    assert len(channels) >= 4

    # Who comes without the link is told what to do, and is offered no form that cannot work.
    page.goto(site.url)
    page.locator(".note").wait_for()
    expect(page.locator("input[name=password]")).to_have_count(0)

    hand = Hand(page)
    page.goto(site.setup_link)
    hand.fill("input[name=display_name]", "王建国")
    hand.fill("input[name=password]", PASSWORD)
    hand.fill("input[name=repeated]", PASSWORD)
    hand.click("button[type=submit]")
    page.wait_for_url("**/setup/villages")
    assert "token" not in page.url

    # Pasted as they stand in a document: numbered.
    names = [one["name"] for one in site.villages]
    hand.fill("textarea[name=names]", "\n".join(f"{number}. {name}" for number, name in enumerate(names, 1)))
    hand.click("button[type=submit]")
    page.wait_for_url("**/devices/add")

    hand.click('[role=tab][href*="by=address"]')
    hand.click("label.village .el-select")
    hand.click(page.get_by_role("option", name=village["name"], exact=True))
    hand.fill("input[name=host]", recorder["host"])
    hand.fill("input[name=device_username]", recorder["username"])
    hand.fill("input[name=device_password]", recorder["password"])
    hand.click("form button[type=submit]")
    cards = page.locator("article.card")
    cards.nth(len(channels) - 1).wait_for()
    expect(cards).to_contain_text(channels)
    until(
        lambda: page.locator("article.card img").count() == len(channels),
        what="each camera has sent its picture",
    )

    hand.click("[data-to-wall]")
    page.wait_for_url("**/wall**")
    hand.click('[data-layout="4"]')
    wait_playing(page, 4)
    print(f"{hand.inputs} inputs from the set-up link to four pictures")  # noqa: T201 (a figure for the reader)
    assert hand.inputs <= MOST_INPUTS
    groups = page.locator("aside.tree section.group button.head > .name")
    expect(groups).to_have_text(names)  # the tree stands in the order that was pasted

    site.fault(recorder["key"], "dead")
    shown = [f'[data-tile="{tile}"]' for tile in range(4)]
    until(
        lambda: all(page.get_attribute(tile, "data-phase") == "failed" for tile in shown),
        what=lambda: f"all four tiles say that they failed: {tiles(page)[:4]}",
    )
    for tile in shown:  # each says since when, and why; of what began before midnight the date, too
        expect(page.locator(tile)).to_contain_text(re.compile(r"\S（(\d\d-\d\d )?\d\d:\d\d 起）"))
    tree = page.locator("aside.tree section.group").first
    head = tree.locator("button.head")
    until(
        lambda: f"0/{len(channels)}" in head.inner_text() and head.locator(".fault").is_visible(),
        what=lambda: f"the tree says so of the village: {head.inner_text()}",
    )
    until(  # each camera's own change comes by itself
        lambda: tree.locator(".camera .cause").count() == len(channels), what="each camera tells its cause"
    )
    expect(page.locator("nav .count")).to_have_text("1")  # it is one alarm, not eight

    site.fault(recorder["key"], "dead", on=False)
    wait_playing(page, 4)
