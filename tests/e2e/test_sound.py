"""Sound as a person at the wall meets it: off until it is switched on, one camera at a time, each silence explained."""

import os
import re
import signal
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import note_messages, noted_messages, open_wall, received, sign_in, tiles, viewers, wait_playing

pytestmark = pytest.mark.browser

PLAYS = ("pcma", "pcmu", "opus")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A village whose cameras have microphones of all kinds, at a site that allows listening."""
    folder = tmp_path_factory.mktemp("sound")
    with running_site(folder, villages=1, cameras=8, simulator=("--sound",), MEDIA__AUDIO="true") as site:
        site.register()
        yield site


def by_sound(site: Site) -> dict[str, int]:
    """Kind of microphone → a camera that has it."""
    kinds = {
        channel["name"]: channel["sound"] for device in site.villages[0]["devices"] for channel in device["channels"]
    }
    return {kinds[camera["name"]]: camera["id"] for camera in site.cameras() if camera["name"] in kinds}


def heard(page: Page) -> tuple[int, float]:
    """Packets of sound that the browser has received, and the energy of what it has played."""
    packets, energy = page.evaluate(
        """async () => {
            const total = [0, 0]
            for (const connection of window.__connections) {
                if (connection.connectionState !== 'connected') continue
                for (const one of (await connection.getStats()).values()) {
                    if (one.type !== 'inbound-rtp' || one.kind !== 'audio') continue
                    total[0] += one.packetsReceived
                    total[1] += one.totalAudioEnergy
                }
            }
            return total
        }"""
    )
    return packets, energy


def wait_heard(page: Page, what: str) -> None:
    """Wait until sound comes in and is played."""
    packets, energy = heard(page)
    until(
        lambda: (now := heard(page))[0] > packets + 10 and now[1] > energy,
        what=lambda: f"{what} is heard, after {packets} packets; the page says {state(page)}, {tiles(page)[:1]}",
    )


def wait_silent(page: Page) -> None:
    """Wait until a second of pictures comes in without a packet of sound."""

    def silent() -> bool:
        packets, began = heard(page)[0], received(page)["frames"]
        until(lambda: received(page)["frames"] > began + 15, what="pictures go on")
        return heard(page)[0] == packets

    until(silent, what="silence")


def switch(page: Page, tile: int) -> None:
    """The loudspeaker on the tile, which shows itself to a pointer over the picture."""
    page.hover(f'[data-tile="{tile}"]')
    page.click(f'[data-tile="{tile}"] [data-tool="sound"]')


def state(page: Page) -> dict[str, object]:
    found: dict[str, object] = page.evaluate("() => window.__wall.sound")
    return found


def says(page: Page, wanted: dict[str, object]) -> bool:
    return state(page) == wanted


def test_sound_is_off_until_it_is_switched_on_and_only_one_camera_is_heard(page: Page, site: Site) -> None:
    cameras = by_sound(site)
    shown = [cameras[kind] for kind in PLAYS]
    sign_in(page, site)
    open_wall(page, site, shown, 4)
    wait_playing(page, 3)
    assert heard(page) == (0, 0)
    for tile, camera in enumerate(shown):
        switch(page, tile)
        live = {"camera": camera, "state": "live"}
        until(partial(says, page, live), what=lambda: f"it is heard, says the page: {state(page)}")
        wait_heard(page, f"camera {camera}")
        expect(page.locator(".tag.sound")).to_have_count(1)
        expect(page.locator(f'[data-tile="{tile}"] .tag.sound')).to_be_visible()
    page.keyboard.press("m")
    until(lambda: state(page) == {"camera": None, "state": "off"}, what="it is switched off by key")
    wait_silent(page)
    page.keyboard.press("m")
    wait_heard(page, "what was switched on by key")
    page.keyboard.press("Delete")
    until(lambda: state(page)["camera"] is None, what="sound ends with its tile")
    wait_silent(page)
    page.reload()
    wait_playing(page, 2)
    assert state(page) == {"camera": None, "state": "off"}
    assert heard(page) == (0, 0)


def test_a_camera_that_cannot_be_heard_says_why(page: Page, site: Site) -> None:
    cameras = by_sound(site)
    sign_in(page, site)
    open_wall(page, site, [cameras[""], cameras["aac"]], 4)
    wait_playing(page, 2)
    for tile, words in ((0, "该码流不带声音"), (1, "AAC")):
        button = page.locator(f'[data-tile="{tile}"] [data-tool="sound"]')
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", re.compile(words))
    note_messages(page)
    page.click('[data-tile="1"]')
    page.keyboard.press("m")
    until(lambda: any("AAC" in one for one in noted_messages(page)), what=lambda: f"why: {noted_messages(page)}")
    assert heard(page) == (0, 0)


def test_the_sound_comes_back_with_the_picture_after_the_relay_was_killed(page: Page, site: Site) -> None:
    sign_in(page, site)
    open_wall(page, site, [by_sound(site)["pcma"]], 1)
    wait_playing(page, 1)
    switch(page, 0)
    wait_heard(page, "the camera")
    before = viewers(page)
    for pid in site.children("relay"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: viewers(page) != before and None not in viewers(page), what="the page offers again")
    wait_heard(page, "the camera behind a new relay")


def test_a_site_without_sound_has_no_switch_no_line_and_asks_no_camera_for_it(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("silent")
    with running_site(folder, villages=1, cameras=2, simulator=("--sound",)) as site:
        site.register()
        sign_in(page, site)
        open_wall(page, site, [camera["id"] for camera in site.cameras()], 4)
        wait_playing(page, 2)
        assert page.locator('[data-tool="sound"]').count() == 0
        lines = page.evaluate("() => window.__connections.map((one) => one.localDescription.sdp)")
        assert lines
        assert not any("m=audio" in line for line in lines)
        page.keyboard.press("m")
        assert page.locator(".el-message").count() == 0
        assert not [
            name
            for device in site.simulated()["devices"].values()
            for name in device["plays"]
            if name.endswith("/sound")
        ]
