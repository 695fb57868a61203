/** Whether anything lies over a tile, or the tile outside the window: a few points of it are asked for what is on top there. */

/** As shares of the tile's width and height: its middle, and a point of each quarter. */
const POINTS = [[0.5, 0.5], [0.2, 0.25], [0.8, 0.25], [0.2, 0.75], [0.8, 0.75]] as const

export interface Points {
  tried: number
  outside: number
  covered: number
}

/** `tile` with all that belongs to it; `frame`: what it scrolls in, which cuts it off. */
export function pointsOf(tile: Element, frame: Element | null): Points {
  const box = tile.getBoundingClientRect()
  const limit = frame?.getBoundingClientRect()
  const found = { tried: POINTS.length, outside: 0, covered: 0 }
  if (box.width <= 0 || box.height <= 0) return { ...found, outside: POINTS.length }
  for (const [across, down] of POINTS) {
    const x = box.left + across * box.width
    const y = box.top + down * box.height
    const cut = limit !== undefined && (x < limit.left || x > limit.right || y < limit.top || y > limit.bottom)
    const top = cut ? null : document.elementFromPoint(x, y)
    if (!top) found.outside += 1
    else if (!tile.contains(top)) found.covered += 1
  }
  return found
}
