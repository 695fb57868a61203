/** The wall's named grids and the scene in the URL. Pure. */
import type { LayoutName } from '@/api/types'

export interface Grid {
  name: LayoutName
  /** Cells along one side; every grid is square, so that every tile keeps the wall's own ratio. */
  side: number
  /** CSS `grid-area` of each tile: row start / column start / row end / column end. */
  areas: readonly string[]
  /** Whether tile 0 is the large one, which may ask for the main stream. */
  large: boolean
}

export interface SceneState {
  layout: LayoutName
  cameras: (number | null)[]
}

export const MOST_TILES = 36

function area(row: number, column: number, size = 1): string {
  return `${row} / ${column} / ${row + size} / ${column + size}`
}

function even(name: LayoutName, side: number): Grid {
  const areas = Array.from({ length: side * side }, (_, i) => area(Math.floor(i / side) + 1, (i % side) + 1))
  return { name, side, areas, large: side === 1 }
}

/** One large tile at top left; the others go down its right side, then along the bottom. */
function oneLarge(name: LayoutName, side: number): Grid {
  const areas = [area(1, 1, side - 1)]
  for (let row = 1; row <= side; row += 1) areas.push(area(row, side))
  for (let column = side - 1; column >= 1; column -= 1) areas.splice(side, 0, area(side, column))
  return { name, side, areas, large: true }
}

export const LAYOUTS: Readonly<Record<LayoutName, Grid>> = {
  '1': even('1', 1),
  '4': even('4', 2),
  '9': even('9', 3),
  '16': even('16', 4),
  '25': even('25', 5),
  '36': even('36', 6),
  '1+5': oneLarge('1+5', 3),
  '1+7': oneLarge('1+7', 4),
}

export const LAYOUT_NAMES: readonly LayoutName[] = ['1', '4', '9', '16', '25', '36', '1+5', '1+7']

export function tileCount(layout: LayoutName): number {
  return LAYOUTS[layout].areas.length
}

export function isLayout(text: unknown): text is LayoutName {
  return typeof text === 'string' && (LAYOUT_NAMES as readonly string[]).includes(text)
}

/** The smallest even grid that holds so many cameras. */
export function layoutFor(count: number): LayoutName {
  return count <= 1 ? '1' : count <= 4 ? '4' : count <= 9 ? '9' : count <= 16 ? '16' : count <= 25 ? '25' : '36'
}

/** Cuts or fills up with null to exactly the layout's tiles. */
export function fitted(layout: LayoutName, cameras: readonly (number | null)[]): (number | null)[] {
  return Array.from({ length: tileCount(layout) }, (_, i) => cameras[i] ?? null)
}

/** `?layout=4&cams=12,15,,7` → scene; null when the URL names none. Anything that is no camera id is an empty tile. */
export function sceneFromQuery(query: Record<string, unknown>): SceneState | null {
  const text = typeof query.cams === 'string' ? query.cams : ''
  const layout = query.layout === undefined ? null : String(query.layout).replace(' ', '+') // a bare + in a query is a blank
  if (!text && !isLayout(layout)) return null
  const cameras = text ? text.split(',').slice(0, MOST_TILES).map((word) => (/^[1-9]\d{0,9}$/.test(word) ? Number(word) : null)) : []
  const name = isLayout(layout) ? layout : layoutFor(cameras.length)
  return { layout: name, cameras: fitted(name, cameras) }
}

export function sceneToQuery(scene: SceneState): { layout: string; cams?: string } {
  const cams = scene.cameras.map((id) => id ?? '').join(',').replace(/,+$/, '')
  return cams ? { layout: scene.layout, cams } : { layout: scene.layout }
}

/** The tile that lies in a direction from `from`, by the grid's geometry; `from` itself at the edge. */
export function neighbour(layout: LayoutName, from: number, direction: 'left' | 'right' | 'up' | 'down'): number {
  const boxes = LAYOUTS[layout].areas.map((text) => text.split(' / ').map(Number) as [number, number, number, number])
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
