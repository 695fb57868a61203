/** The wall's grids by name. Pure. camera_hub/patrol/layout.py knows the same names. */
import type { LayoutName } from '@/api/types'

export interface Grid {
  name: LayoutName
  rows: number
  columns: number
  /** CSS `grid-area` of each tile: row start / column start / row end / column end. */
  areas: readonly string[]
  /** Whether tile 0 is the large one, which may ask for the main stream. */
  large: boolean
}

export const MOST_TILES = 36
/** Tiles of the largest grid and one that shows them large in turn. */
export const MOST_SLOTS = MOST_TILES + 1

function area(row: number, column: number, height = 1, width = height): string {
  return `${row} / ${column} / ${row + height} / ${column + width}`
}

function even(name: LayoutName, rows: number, columns: number): Grid {
  const areas = Array.from({ length: rows * columns }, (_, i) => area(Math.floor(i / columns) + 1, (i % columns) + 1))
  return { name, rows, columns, areas, large: rows * columns === 1 }
}

/** One large tile at top left; the others go down its right side, then along the bottom. */
function aroundLarge(name: LayoutName, side: number): Grid {
  const areas = [area(1, 1, side - 1)]
  for (let row = 1; row <= side; row += 1) areas.push(area(row, side))
  for (let column = side - 1; column >= 1; column -= 1) areas.splice(side, 0, area(side, column))
  return { name, rows: side, columns: side, areas, large: true }
}

/** One large tile at top left over so many cells; the others row by row in the cells that it leaves. */
export function besideLarge(name: LayoutName, rows: number, columns: number, height: number, width: number): Grid {
  const areas = [area(1, 1, height, width)]
  for (let row = 1; row <= rows; row += 1) {
    for (let column = 1; column <= columns; column += 1) if (row > height || column > width) areas.push(area(row, column))
  }
  return { name, rows, columns, areas, large: true }
}

const SQUARES: readonly LayoutName[] = ['1', '4', '9', '16', '25', '36']
/** `1+8` is meant for an upright screen: the large tile over its whole width. */
const LARGE: Readonly<Record<LayoutName, Grid>> = {
  '1+5': aroundLarge('1+5', 3),
  '1+7': aroundLarge('1+7', 4),
  '1+8': besideLarge('1+8', 6, 2, 2, 2),
  '1+12': besideLarge('1+12', 4, 4, 2, 2),
}

/** The layouts with a name of their own. */
export const LAYOUT_NAMES: readonly LayoutName[] = [...SQUARES, ...Object.keys(LARGE)]

function made(layout: string): Grid | null {
  const large = Object.hasOwn(LARGE, layout) ? LARGE[layout] : undefined
  if (large) return large
  if (SQUARES.includes(layout)) return even(layout, Math.sqrt(Number(layout)), Math.sqrt(Number(layout)))
  const [, rows, columns] = (/^([1-9]\d?)x([1-9]\d?)$/.exec(layout) ?? []).map(Number)
  return rows && columns && rows * columns <= MOST_TILES ? even(layout, rows, columns) : null
}

const grids = new Map<string, Grid>()

/** The grid of that name; of a name that there is not, one single tile. */
export function gridOf(layout: LayoutName): Grid {
  let grid = grids.get(layout)
  if (!grid) {
    grid = made(layout) ?? even('1', 1, 1)
    if (grid.name === layout) grids.set(layout, grid) // there are few names, and any number of wrong ones
  }
  return grid
}

/** The even grid of so many rows and columns; square ones by their old names. */
export function evenLayout(rows: number, columns: number): LayoutName {
  return rows === columns ? String(rows * columns) : `${rows}x${columns}`
}

export function tileCount(layout: LayoutName): number {
  return gridOf(layout).areas.length
}

export function isLayout(text: unknown): text is LayoutName {
  return typeof text === 'string' && made(text) !== null
}

/** The smallest square grid that holds so many cameras. */
export function layoutFor(count: number): LayoutName {
  return count <= 1 ? '1' : count <= 4 ? '4' : count <= 9 ? '9' : count <= 16 ? '16' : count <= 25 ? '25' : '36'
}

/** Cuts or fills up with null to exactly the layout's tiles. */
export function fitted(layout: LayoutName, cameras: readonly (number | null)[]): (number | null)[] {
  return Array.from({ length: tileCount(layout) }, (_, i) => cameras[i] ?? null)
}

/** The even grid with one more tile beside all others, the last one, which is large: for showing them large in turn. */
export function withMagnifier(grid: Grid): Grid {
  const count = grid.areas.length
  let best: [number, number, number, number] = [count + 1, 1, 1, 1]
  let least = Infinity
  const most = Math.min(14, Math.max(grid.rows, grid.columns) + 4)
  for (let rows = 2; rows <= most; rows += 1) {
    for (let columns = 2; columns <= most; columns += 1) {
      for (let height = 1; height <= rows; height += 1) {
        for (let width = 1; width <= columns; width += 1) {
          const small = rows * columns - height * width
          if (small < count) continue
          const all = rows * columns
          const cost =
            ((small - count) / all) * 2 + // cells that stay empty
            Math.abs(Math.log((columns / rows) * (grid.rows / grid.columns))) * 2 + // small tiles of another shape
            Math.abs(Math.log((width / columns) * (rows / height))) * 2 + // a large tile of another shape than the wall
            Math.abs((height * width) / all - 0.45)
          if (cost < least) [best, least] = [[rows, columns, height, width], cost]
        }
      }
    }
  }
  const [rows, columns, height, width] = best
  const [first, ...others] = besideLarge(grid.name, rows, columns, height, width).areas
  return { name: grid.name, rows, columns, areas: [...others.slice(0, count), first!], large: false }
}

/** The tile that lies in a direction from `from`, by the grid's geometry; `from` itself at the edge. */
export function neighbour({ areas }: Grid, from: number, direction: 'left' | 'right' | 'up' | 'down'): number {
  const boxes = areas.map((text) => text.split(' / ').map(Number) as [number, number, number, number])
  const here = boxes[from]
  if (!here) return 0
  const across = direction === 'left' || direction === 'right'
  let best = from
  let least = Infinity
  boxes.forEach((box, i) => {
    const gap = { left: here[1] - box[3], right: box[1] - here[3], up: here[0] - box[2], down: box[0] - here[2] }[direction]
    if (i === from || gap < 0) return
    const [a, b] = across ? [0, 2] : [1, 3]
    const overlap = Math.min(here[b]!, box[b]!) - Math.max(here[a]!, box[a]!)
    if (overlap <= 0) return
    const distance = gap * 100 + Math.abs(here[a]! - box[a]!)
    if (distance < least) [best, least] = [i, distance]
  })
  return best
}
