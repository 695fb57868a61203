/** How a screen's tiles lie, upright or not, and which of them play. Pure. */
import type { LayoutName } from '@/api/types'
import { besideLarge, gridOf, type Grid } from '@/wall/layout'

/** The ratio of nearly all cameras. */
const PICTURE = 16 / 9

/** Of so many pictures in so many columns: the width of one, in widths of the screen; `ratio` is the screen's width ÷ height. */
function pictureWidth(count: number, columns: number, ratio: number): number {
  const rows = Math.ceil(count / columns)
  return Math.min(1 / columns, PICTURE / (rows * ratio))
}

/**
 * The layout as it lies on a screen of that ratio. On an upright one, even grids get the columns that make the pictures largest,
 * and a large tile goes over the whole width: there three columns would leave most of it black.
 */
export function gridOn(layout: LayoutName, ratio: number): Grid {
  const grid = gridOf(layout)
  const count = grid.areas.length
  if (ratio >= 1 || count === 1) return grid
  if (grid.large) return { ...besideLarge(layout, 2 + Math.ceil((count - 1) / 2), 2, 2, 2), name: layout }
  let columns = 1
  for (let more = 2; more <= count; more += 1) if (pictureWidth(count, more, ratio) > pictureWidth(count, columns, ratio)) columns = more
  const areas = Array.from({ length: count }, (_, i) => `${Math.floor(i / columns) + 1} / ${(i % columns) + 1} / ${Math.floor(i / columns) + 2} / ${(i % columns) + 2}`)
  return { name: layout, rows: Math.ceil(count / columns), columns, areas, large: false }
}

/** Which tiles play: the first so many that have a camera; the others stand still. */
export function playing(cameras: readonly (number | null)[], streams: number): boolean[] {
  let left = streams
  return cameras.map((camera) => camera !== null && left-- > 0)
}

/** What of a camera decides whether its turn comes. */
interface Member {
  state: string
  fault: string | null
}

/**
 * The camera of a carousel at that time (ms of the hub's clock): the same on every screen, and after a power cut, too. Cameras that
 * cannot be shown are passed over as long as there are others.
 */
export function turningCamera<C extends Member>(members: readonly C[], seconds: number, now: number): C | null {
  const well = members.filter((camera) => camera.state === 'approved' && camera.fault === null)
  const turning = well.length ? well : members
  return turning[Math.floor(now / 1_000 / Math.max(1, seconds)) % turning.length] ?? null
}
