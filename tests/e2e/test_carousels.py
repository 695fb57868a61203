"""A wall on which two tiles turn and the others stay, then each small tile is shown large in turn beside them."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.changes import Change, black_too_soon, changes, watch_changes
from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import note_cameras, noted_cameras, playing, sign_in, tiles, viewers, wait_all_playing

pytestmark = pytest.mark.browser

SECONDS = 5
"""How long a camera stays: the least."""
PINNED = 4
LISTED, OF_CLASS = 4, 5
"""The tiles that turn: through their own cameras, and through a place class."""
LARGE = 9
"""The tile that stands beside the nine and shows them large."""
PLAYERS = """() => [...document.querySelectorAll('[data-tile] video')].map(video => {
    video.__mark ??= crypto.getRandomValues(new Uint32Array(1))[0]
    return [+video.closest('[data-tile]').dataset.tile, video.__mark]
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("carousels"), villages=2, cameras=10) as site:
        site.register()
        yield site


def places(page: Page) -> dict[int, list[float]]:
    """Where each tile lies, in pixels."""
    found: list[list[Any]] = page.evaluate(
        """() => [...document.querySelectorAll('[data-tile]')].map(tile => {
            const { x, y, width, height } = tile.getBoundingClientRect()
            return [+tile.dataset.tile, [x, y, width, height]]
        })"""
    )
    return {tile: [round(one) for one in box] for tile, box in found}


def players(page: Page) -> dict[int, int]:
    """Each tile's player, by a mark that its element keeps."""
    return {tile: mark for tile, mark in page.evaluate(PLAYERS)}


def shown(page: Page) -> dict[int, int | None]:
    """The camera of each tile that has one."""
    return {tile["index"]: tile["camera"] for tile in tiles(page) if tile["camera"] is not None}


def gap_of(change: Change) -> str:
    """What the tile showed until the next camera's first frame."""
    return f"tile {change.tile}: {change.before} → {change.camera}, black {change.black_ms:.0f} ms, {change.layers}"


def test_two_tiles_turn_beside_pinned_ones_and_each_is_shown_large_in_turn(page: Page, site: Site) -> None:
    cameras = [camera["id"] for camera in site.cameras()]
    pinned, listed, of_class = cameras[:PINNED], cameras[4:7], cameras[7:10]
    for camera in of_class:
        assert site.api.patch(f"/api/cameras/{camera}", json={"place_class": "water"}).status_code == 200
    sign_in(page, site)
    words = ".".join(map(str, listed))
    turns = f"{LISTED}:{SECONDS}:c{words},{OF_CLASS}:{SECONDS}:pwater"
    address = f"{site.url}/wall?layout=9&cams={','.join(map(str, pinned))}&turns={turns}"
    page.goto(address)
    until(
        lambda: (
            all(playing(page, tile, camera) for tile, camera in enumerate(pinned))
            and playing(page, LISTED)
            and playing(page, OF_CLASS)
        ),
        what=lambda: f"six tiles play: {tiles(page)[:6]}",
    )
    page.mouse.move(2, 2)  # a tile under the pointer would stand still
    lay, held, (viewer,) = places(page), players(page), viewers(page)
    watch_changes(page)

    def turned(tile: int, members: list[int]) -> bool:
        seen = {change.camera for change in changes(page) if change.tile == tile and change.gap_ms is not None}
        return seen >= set(members)

    until(
        lambda: turned(LISTED, listed) and turned(OF_CLASS, of_class),
        what=lambda: f"both carousels go round: {[gap_of(one) for one in changes(page)]}",
    )
    found = [change for change in changes(page) if change.before]
    assert {change.tile for change in found} == {LISTED, OF_CLASS}, "what is pinned keeps its camera"
    black = black_too_soon(found)
    assert not black, f"what was seen before is held: {[gap_of(one) for one in black]}"
    assert places(page) == lay
    assert players(page) == held
    assert viewers(page) == [viewer]

    # Each small tile large in turn: the others keep their place among each other, and their players.
    note_cameras(page, LARGE)
    page.click("[data-magnify]")
    page.select_option(".seconds", str(SECONDS))
    page.mouse.move(2, 2)
    small = range(PINNED + 2)
    played: set[int] = set()

    def tile_of(camera: int) -> int:
        return LISTED if camera in listed else OF_CLASS if camera in of_class else pinned.index(camera)

    def all_large() -> bool:
        camera = shown(page).get(LARGE)
        if camera is not None and playing(page, LARGE, camera):
            played.add(tile_of(camera))
        return played == set(small) and len(noted_cameras(page)) > len(small)

    until(all_large, what=lambda: f"each small tile is shown large: {played}, {noted_cameras(page)}, {shown(page)}")
    first, *others = [tile_of(camera) for camera in noted_cameras(page)]
    assert others == [(first + step) % len(small) for step in range(1, len(others) + 1)], "round and round, in order"
    wait_all_playing(page, dict(enumerate(pinned)))  # beside it the others play on
    assert {tile: mark for tile, mark in players(page).items() if tile < LARGE} == held
    boxes = places(page)
    assert boxes[LARGE][2] > 1.5 * boxes[0][2]

    page.reload()
    until(
        lambda: all(playing(page, tile, camera) for tile, camera in enumerate(pinned)) and playing(page, LARGE),
        what=lambda: f"the wall is as it was: {tiles(page)}",
    )
    until(lambda: places(page) == boxes, what=lambda: f"the tiles lie as they did: {places(page)}, not {boxes}")
    until(lambda: shown(page).get(OF_CLASS) in of_class, what="the class turns again")
    page.click("[data-magnify]")
    until(lambda: LARGE not in shown(page), what="nothing is shown large any more")
    until(lambda: places(page) == lay, what=lambda: f"the tiles lie as at first: {places(page)}, not {lay}")
