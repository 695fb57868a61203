"""Journeys with H.265: a browser without it is shown key-frame pictures, or the sub stream under its name."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.site import Site, running_site, until
from tests.e2e.test_wall import one_camera_per_village
from tests.e2e.wall import open_wall, playing, sign_in, tiles, wait_all_playing, wait_playing

pytestmark = pytest.mark.browser

H265_ONLY, PLAIN, H265_MAIN = 0, 1, 2
"""Villages by what their first camera sends."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pictures")
    with running_site(folder, villages=3, cameras=3, simulator=("--h265-only", "1")) as site:
        site.register()
        yield site


def plays_h265(page: Page) -> bool:
    """Whether this browser offers H.265."""
    found: bool = page.evaluate(
        "() => RTCRtpReceiver.getCapabilities('video').codecs.some(one => one.mimeType.toLowerCase() === 'video/h265')"
    )
    return found


def drawn(page: Page, tile: int) -> list[int]:
    """Width, height, and how bright some points are of the key-frame picture that is on top; empty when none is."""
    found: list[int] = page.evaluate(
        """index => {
            const canvas = document.querySelector(`[data-tile="${index}"] .stills`)
            if (!canvas || canvas.hidden) return []
            const { width, height } = canvas
            const data = canvas.getContext('2d').getImageData(0, 0, width, height).data
            const points = Array.from({ length: 2000 }, (_, i) => data[4 * Math.floor((i * width * height) / 2000)])
            return [width, height, ...points]
        }""",
        tile,
    )
    return found


def test_a_camera_of_h265_alone_is_shown_one_picture_per_key_frame(page: Page, site: Site) -> None:
    camera = one_camera_per_village(site)[H265_ONLY]
    sign_in(page, site)
    open_wall(page, site, [camera], 4)
    if plays_h265(page):
        wait_playing(page, 1)
        assert tiles(page)[0]["codec"] == "h265"
        return
    tile = page.locator('[data-tile="0"]')
    until(lambda: tiles(page)[0]["stills"] >= 2, what=lambda: f"two pictures: {tiles(page)[0]}")
    first = drawn(page, 0)
    assert first[:2] == [640, 360]
    assert len(set(first[2:])) > 10, "there is something to be seen in it"
    until(lambda: drawn(page, 0) != first, what="the picture changes")
    until(
        lambda: "关键帧画面 · 每 2 秒" in tile.inner_text(),
        what=lambda: f"its word, not {tile.inner_text()!r}",
    )
    until(  # on a busy machine a picture may be late for a moment
        lambda: (tiles(page)[0]["phase"], tiles(page)[0]["reason"]) == ("pictures", "no_h264"),
        what=lambda: f"pictures, and why: {tiles(page)[0]}",
    )
    tile.dblclick()
    until(lambda: drawn(page, 0)[:2] == [1280, 720], what=lambda: f"large pictures: {drawn(page, 0)[:2]}")
    until(lambda: "主码流" in tile.inner_text(), what=lambda: f"the stream's name, not {tile.inner_text()!r}")


def test_a_large_tile_names_the_sub_stream_where_the_main_one_is_h265(page: Page, site: Site) -> None:
    camera = one_camera_per_village(site)[H265_MAIN]
    sign_in(page, site)
    open_wall(page, site, [camera], 1)
    wait_playing(page, 1)
    tile = page.locator('[data-tile="0"]')
    if plays_h265(page):
        until(lambda: tiles(page)[0]["codec"] == "h265", what="the main stream")
        return
    until(lambda: "子码流（主码流为 H.265）" in tile.inner_text(), what=tile.inner_text)
    wait_all_playing(page, {0: camera})


def test_pictures_and_video_stand_beside_each_other(page: Page, site: Site) -> None:
    sign_in(page, site)
    open_wall(page, site, one_camera_per_village(site), 4)
    until(lambda: playing(page, 1) and playing(page, 2), what=lambda: f"two play: {tiles(page)[:3]}")
    until(
        lambda: tiles(page)[0]["phase"] in ("pictures", "live") and tiles(page)[0]["framesShown"],
        what=lambda: f"the third has its pictures: {tiles(page)[0]}",
    )
    page.click('[data-tile="0"]')
    page.keyboard.press("Delete")
    until(lambda: not drawn(page, 0), what="the emptied tile shows nothing")
