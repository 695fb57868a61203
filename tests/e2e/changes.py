"""What each tile shows while its camera changes, frame by frame, as the browser draws it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

WATCH = """() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 16, height: 9 })
    const context = canvas.getContext('2d', { willReadFrequently: true })
    const dark = picture => {
        context.drawImage(picture, 0, 0, 16, 9)
        const { data } = context.getImageData(0, 0, 16, 9)
        let sum = 0
        for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2]
        return sum / (data.length / 4) / 3 < 10
    }
    const layerOf = tile => {
        const stills = tile.querySelector('canvas.stills'), kept = tile.querySelector('canvas:not(.stills)')
        const video = tile.querySelector('video'), poster = tile.querySelector('img')
        if (stills && !stills.hidden) return ['stills', stills]
        if (kept && !kept.hidden) return ['kept', kept]
        if (video && !video.classList.contains('covered') && video.readyState >= 2) return ['video', video]
        if (poster && !poster.hidden && poster.complete && poster.naturalWidth) return ['poster', poster]
        return ['none', null]
    }
    const MOVING = ['video', 'kept', 'stills'], LOOK_EVERY_MS = 200
    const changes = window.__changes = []
    const open = new Map()
    const before = new Map()
    const look = () => {
        const now = performance.now()
        for (const tile of document.querySelectorAll('[data-tile]')) {
            const index = tile.dataset.tile, camera = tile.dataset.camera
            const [layer, picture] = layerOf(tile)
            const own = !tile.classList.contains('stand')
            const seen = before.get(index)
            const last = seen?.camera ?? ''
            const known = seen && camera === last && now - seen.lookedAt < LOOK_EVERY_MS // looking costs
            const bright = MOVING.includes(layer) && (known ? seen.bright : !dark(picture))
            before.set(index, { camera, at: now, bright, lookedAt: known ? seen.lookedAt : now })
            if (camera !== last) {
                open.delete(index)
                if (camera) {
                    const change = { tile: +index, before: +last, camera: +camera, at: now }
                    Object.assign(change, { gap: null, black: 0, blackAt: null, layers: [] })
                    Object.assign(change, { bright: seen?.bright ?? false, seen: seen?.at ?? now })
                    changes.push(change)
                    open.set(index, { change, last: now })
                }
            }
            const watched = open.get(index)
            if (!watched) continue
            const { change } = watched
            if (change.layers.at(-1) !== layer) change.layers.push(layer)
            if (layer === 'none' || (!own && dark(picture))) {
                change.blackAt ??= now
                change.black += now - watched.last
            }
            watched.last = now
            if (own) {
                change.gap = now - change.at
                open.delete(index)
            }
        }
        requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
}"""


HELD_MS = 1000
"""How long a tile holds what it showed before another camera was asked for, until that one shows something
(`LONGEST_HOLD_MS` in web/src/wall/screen.ts)."""


@dataclass(frozen=True)
class Change:
    """A tile went over from the camera `before` (0: none) to another. `gap_ms`: until its first own frame, None: it
    never came; `black_ms`: how much of that the tile showed nothing, or black; `layers`: what it showed meanwhile;
    `at`: when, by the page's own clock (ms).

    `bright`: before, it showed the video of a camera, and that was not black. `held_ms`: from when that was last seen
    before the change to the first moment at which the tile was seen to be black; None: it never was."""

    tile: int
    before: int
    camera: int
    gap_ms: float | None
    black_ms: float
    layers: tuple[str, ...]
    at: float
    bright: bool
    held_ms: float | None


def watch_changes(page: Page) -> None:
    """Begin. Once per page: a reload ends it."""
    page.evaluate(WATCH)


def changes(page: Page) -> list[Change]:
    """All changes since then."""
    found: list[dict[str, Any]] = page.evaluate("() => window.__changes")
    return [
        Change(
            one["tile"],
            one["before"],
            one["camera"],
            one["gap"],
            one["black"],
            tuple(one["layers"]),
            one["at"],
            one["bright"],
            None if one["blackAt"] is None else one["blackAt"] - one["seen"],
        )
        for one in found
    ]


def black_too_soon(found: Iterable[Change]) -> list[Change]:
    """The changes at which a picture was there and was not held for as long as it is to be.

    However slow the machine is, this holds: the time is measured from a moment before the change to one after the end.
    """
    return [one for one in found if one.bright and one.held_ms is not None and one.held_ms < HELD_MS]
