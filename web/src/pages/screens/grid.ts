/** How a screen's tiles lie, upright or not, and which of them play. Pure. */
import type { LayoutName } from '@/api/types'
import { besideLarge, gridOf, withMagnifier, type Grid } from '@/wall/layout'

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
  if (grid.large) {
    const beside = besideLarge(layout, 2 + Math.ceil((count - 1) / 2), 2, 2, 2)
    return { ...beside, areas: beside.areas.slice(0, count) }
  }
  let columns = 1
  for (let more = 2; more <= count; more += 1) if (pictureWidth(count, more, ratio) > pictureWidth(count, columns, ratio)) columns = more
  const areas = Array.from({ length: count }, (_, i) => `${Math.floor(i / columns) + 1} / ${(i % columns) + 1} / ${Math.floor(i / columns) + 2} / ${(i % columns) + 2}`)
  return { name: layout, rows: Math.ceil(count / columns), columns, areas, large: false }
}

/** The same with a tile that shows the small ones large in turn: the layout's own large one, else one more, the last. */
export function magnifyingGridOn(layout: LayoutName, ratio: number): Grid {
  const grid = gridOn(layout, ratio)
  if (gridOf(layout).large) return grid
  if (ratio >= 1) return withMagnifier(grid)
  const count = grid.areas.length
  const [large, ...others] = besideLarge(layout, 2 + Math.ceil(count / 2), 2, 2, 2).areas
  return { name: layout, rows: 2 + Math.ceil(count / 2), columns: 2, areas: [...others.slice(0, count), large!], large: false }
}

/**
 * Which tiles play: of those that have a camera, so many; the others stand still. `large`: the tile that shows another one
 * (`small`) large; it plays first, and the small one last, since its picture is seen anyway.
 */
export function playing(cameras: readonly (number | null)[], streams: number, large: number | null = null, small: number | null = null): boolean[] {
  const rank = (index: number): number => (index === large ? 0 : index === small ? 2 : 1)
  const order = cameras.map((_, index) => index).sort((a, b) => rank(a) - rank(b) || a - b)
  const found = cameras.map(() => false)
  for (const index of order.filter((one) => cameras[one] !== null).slice(0, streams)) found[index] = true
  return found
}
