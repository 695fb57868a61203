"""The wall as a person at the browser meets it, in a few verbs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.e2e.site import PASSWORD, Site, until


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


def wait_playing(page: Page, count: int) -> None:
    """Wait until the first `count` tiles play, and go on decoding frames."""
    wait_all_playing(page, dict.fromkeys(range(count)))
    before = decoded(page)

    def growing() -> bool:
        now = decoded(page)
        for tile, frames in now.items():
            before[tile] = min(before.get(tile, frames), frames)  # a new connection counts anew
        return all(now.get(tile, 0) > before.get(tile, 0) + 5 for tile in range(count))

    until(growing, what=f"decoded frames grow from {before}")


def wait_all_playing(page: Page, wanted: Mapping[int, int | None]) -> None:
    """Wait until each of these tiles shows fresh pictures of its camera (None: of any)."""
    until(
        lambda: all(playing(page, tile, camera) for tile, camera in wanted.items()),
        what=lambda: f"tiles play {dict(wanted)}; they say {[one for one in tiles(page) if one['index'] in wanted]}",
    )


def wait_each_played(page: Page, wanted: Mapping[int, int | None]) -> None:
    """Wait until each of these tiles has shown fresh pictures of its camera, though perhaps not all at one moment: how
    many pictures a second there are of many cameras is the machine's affair."""
    left = dict(wanted)

    def played() -> bool:
        for tile in [tile for tile, camera in left.items() if playing(page, tile, camera)]:
            del left[tile]
        return not left

    until(played, what=lambda: f"tiles play {left}; they say {[one for one in tiles(page) if one['index'] in left]}")


def decoded(page: Page) -> dict[int, int]:
    """Frames decoded by each tile."""
    return {tile["index"]: tile["framesDecoded"] or 0 for tile in tiles(page)}


def note_cameras(page: Page, tile: int) -> None:
    """Let the page note each camera that comes into this tile, however late the test looks; a reload ends it."""
    page.evaluate(
        """index => {
            const noted = window.__noted = []
            setInterval(() => {
                const camera = window.__wall.tiles.find(one => one.index === index)?.camera ?? null
                if (camera !== null && camera !== noted.at(-1)) noted.push(camera)
            }, 50)
        }""",
        tile,
    )


def noted_cameras(page: Page) -> list[int]:
    """What `note_cameras` has noted, in order."""
    found: list[int] = page.evaluate("() => window.__noted")
    return found


def note_messages(page: Page) -> None:
    """Let the page note its short messages: they are gone after some seconds, however late the test looks."""
    page.evaluate(
        """() => {
            const said = window.__said = []
            const note = node => {
                if (!(node instanceof Element)) return
                const found = [...node.querySelectorAll('.el-message')]
                if (node.matches('.el-message')) found.push(node)
                said.push(...found.map(one => one.textContent))
            }
            const watch = new MutationObserver(changes => changes.forEach(({ addedNodes }) => addedNodes.forEach(note)))
            watch.observe(document.body, { childList: true, subtree: true })
        }"""
    )


def noted_messages(page: Page) -> list[str]:
    """What `note_messages` has noted."""
    found: list[str] = page.evaluate("() => window.__said")
    return found


def received(page: Page, connection: int | None = None) -> dict[str, float]:
    """Of all tracks together, by the browser's own count: `at` (ms), `frames` received, `lost` packets; and `overrun`:
    datagrams that the browser's sockets had no room for, as it had no time to read them. Those the machine has lost,
    not the hub. `connection`: of the connected ones that one alone."""
    found: dict[str, Any] = page.evaluate(
        """async wanted => {
            const total = {at: 0, frames: 0, lost: 0, ports: []}
            const connected = window.__connections.filter(one => one.connectionState === 'connected')
            for (const connection of wanted === null ? connected : [connected[wanted]]) {
                const stats = await connection.getStats()
                for (const one of stats.values()) {
                    if (one.type === 'local-candidate' && one.port) total.ports.push(one.port)
                    if (one.type !== 'inbound-rtp' || !one.framesReceived) continue
                    total.at = one.timestamp
                    total.frames += one.framesReceived
                    total.lost += one.packetsLost
                }
            }
            return total
        }""",
        connection,
    )
    return {**found, "overrun": overrun(set(found.pop("ports")))}


def overrun(ports: set[int]) -> int:
    """Datagrams that this machine's sockets at these ports had no room for."""
    lines = [
        line.split() for table in ("udp", "udp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return sum(int(line[-1]) for line in lines if int(line[1].rpartition(":")[2], 16) in ports)
