"""The wall as a person at the browser meets it, in a few verbs."""

from typing import Any

from playwright.sync_api import Page

from tests.e2e.site import PASSWORD, Site, until

PICTURE_SECONDS = 20.0


def sign_in(page: Page, site: Site) -> None:
    """Sign in by the form and wait for the wall."""
    page.goto(f"{site.url}/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/wall**")


def open_wall(page: Page, site: Site, cameras: list[int], layout: int) -> None:
    """A scene is a URL."""
    page.goto(f"{site.url}/wall?layout={layout}&cams={','.join(map(str, cameras))}")
    page.wait_for_function("() => window.__wall && window.__wall.tiles.length > 0")


def tiles(page: Page) -> list[dict[str, Any]]:
    """What the wall says of its tiles."""
    found: list[dict[str, Any]] = page.evaluate("() => window.__wall ? window.__wall.tiles : []")
    return found


def viewers(page: Page) -> list[str | None]:
    """The peer connections in use, by the hub's name for them."""
    found: list[str | None] = page.evaluate("() => window.__wall ? window.__wall.peers.map(p => p.viewer) : []")
    return found


def width(page: Page, tile: int) -> int:
    """Pixels of the picture that the tile's video element shows, 0 when it has none."""
    found: int = page.evaluate(
        """index => {
            const video = document.querySelector(`[data-tile="${index}"] video`)
            return video ? video.videoWidth : 0
        }""",
        tile,
    )
    return found


def playing(page: Page, tile: int, camera: int | None = None) -> bool:
    """Whether the tile shows (that camera's) fresh pictures."""
    found = next((one for one in tiles(page) if one["index"] == tile), None)
    if found is None or found["phase"] != "live" or not found["framesShown"]:
        return False
    return (camera is None or found["camera"] == camera) and width(page, tile) > 0


def wait_playing(page: Page, count: int, *, seconds: float = PICTURE_SECONDS) -> None:
    """Wait until the first `count` tiles play, and go on decoding frames."""
    until(
        lambda: all(playing(page, tile) for tile in range(count)),
        seconds=seconds,
        what=lambda: f"{count} tiles play; they say {tiles(page)[:count]}",
    )
    before = [tile["framesDecoded"] for tile in tiles(page)[:count]]
    until(
        lambda: all(tile["framesDecoded"] > old + 5 for tile, old in zip(tiles(page), before, strict=False)),
        seconds=10,
        what=f"decoded frames grow from {before}",
    )


def received(page: Page) -> dict[str, float]:
    """Of all tracks together, by the browser's own count: `at` (ms), `frames` received, `lost` packets."""
    found: dict[str, float] = page.evaluate(
        """async () => {
            const total = {at: 0, frames: 0, lost: 0}
            for (const connection of window.__connections) {
                if (connection.connectionState !== 'connected') continue
                for (const one of (await connection.getStats()).values()) {
                    if (one.type !== 'inbound-rtp' || !one.framesReceived) continue
                    total.at = one.timestamp
                    total.frames += one.framesReceived
                    total.lost += one.packetsLost
                }
            }
            return total
        }"""
    )
    return found
