"""A wall of 36 tiles: a second connection beside the first, which goes on undisturbed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import open_wall, playing, sign_in, tiles, viewers, wait_each_played, wait_playing

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("large"), villages=5, cameras=40) as site:
        site.register()
        yield site


def test_36_tiles_are_all_live_and_the_first_ones_never_lost_their_pictures(page: Page, site: Site) -> None:
    cameras = [camera["id"] for camera in site.cameras()][:36]
    sign_in(page, site)
    open_wall(page, site, cameras[:4], 4)
    wait_playing(page, 4)
    (first,) = viewers(page)
    page.click('[data-layout="more"]')
    page.click('[data-layout="36"]')
    while page.locator('aside.tree .head[aria-expanded="false"]').count():
        page.locator('aside.tree .head[aria-expanded="false"]').first.click()
    for camera in cameras[4:]:
        page.locator(f'aside.tree [data-camera="{camera}"]').first.click()
    wait_each_played(page, dict(enumerate(cameras)))
    assert [tile["camera"] for tile in tiles(page)[:36] if tile["framesShown"]] == cameras
    assert len(viewers(page)) == 2
    assert viewers(page)[0] == first
    # One tile more than a layout has stands by: magnifying shows a small tile in it.
    assert [tile["viewer"] for tile in tiles(page)] == [viewers(page)[index >= 16] for index in range(37)]
    page.click('[data-tile="0"]')  # keys are the tree's as long as it has the focus

    def selected_35() -> bool:
        """Two digits name one tile when they come in quick order; whoever was too slow presses them again."""
        page.keyboard.press("3")
        page.keyboard.press("5")
        return page.locator(".tile.selected").get_attribute("data-tile") == "34"

    until(selected_35, what="tile 35 is selected")
    page.keyboard.press("Enter")
    until(lambda: page.locator(".tile.solo").count() == 1 and playing(page, 34), what="tile 35 fills the wall")
    page.keyboard.press("Escape")
    page.click('[data-layout="16"]')
    wait_each_played(page, dict(enumerate(cameras[:16])))
    assert viewers(page)[0] == first
