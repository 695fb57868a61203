"""What each tile shows while its camera changes, frame by frame, as the browser draws it."""

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
    const changes = window.__changes = []
    const open = new Map()
    const before = new Map()
    const look = now => {
        for (const tile of document.querySelectorAll('[data-tile]')) {
            const index = tile.dataset.tile, camera = tile.dataset.camera
            const last = before.get(index) ?? ''
            if (camera !== last) {
                before.set(index, camera)
                open.delete(index)
                if (camera) {
                    const change = { tile: +index, before: +last, camera: +camera, gap: null, black: 0, layers: [] }
                    change.at = now
                    changes.push(change)
                    open.set(index, { change, last: now })
                }
            }
            const watched = open.get(index)
            if (!watched) continue
            const { change } = watched
            const [layer, picture] = layerOf(tile)
            if (change.layers.at(-1) !== layer) change.layers.push(layer)
            const own = !tile.classList.contains('stand')
            if (layer === 'none' || (!own && dark(picture))) change.black += now - watched.last
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


@dataclass(frozen=True)
class Change:
    """A tile went over from the camera `before` (0: none) to another. `gap_ms`: until its first own frame, None: it
    never came; `black_ms`: how much of that the tile showed nothing, or black; `layers`: what it showed meanwhile;
    `at`: when, by the page's own clock (ms)."""

    tile: int
    before: int
    camera: int
    gap_ms: float | None
    black_ms: float
    layers: tuple[str, ...]
    at: float


def watch_changes(page: Page) -> None:
    """Begin. Once per page: a reload ends it."""
    page.evaluate(WATCH)


def changes(page: Page) -> list[Change]:
    """All changes since then."""
    found: list[dict[str, Any]] = page.evaluate("() => window.__changes")
    return [
        Change(one["tile"], one["before"], one["camera"], one["gap"], one["black"], tuple(one["layers"]), one["at"])
        for one in found
    ]
