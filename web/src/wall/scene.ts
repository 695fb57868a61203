/** A scene: a layout, the cameras in its tiles, and what turns; as the page holds it and as an address says it. Pure. */
import type { LayoutName, PlaceClass, Scene } from '@/api/types'
import { LEAST_SECONDS, MOST_SECONDS, type Carousel } from './carousel'
import { MOST_TILES, fitted, gridOf, isLayout, layoutFor, tileCount } from './layout'

export interface SceneState {
  layout: LayoutName
  cameras: (number | null)[]
  /** By the index of their tiles. */
  carousels: Readonly<Record<number, Carousel>>
  /** Seconds for which each small tile is shown large in turn; null: not. */
  magnify: number | null
}

export const MOST_LISTED = 100

/** A scene with nothing that turns. */
export function plainScene(layout: LayoutName, cameras: readonly (number | null)[]): SceneState {
  return { layout, cameras: fitted(layout, cameras), carousels: {}, magnify: null }
}

/** A stored scene. */
export function sceneOf(stored: Pick<Scene, 'layout' | 'cameras' | 'carousels' | 'magnify_s'>): SceneState {
  return withFitting({ layout: stored.layout, cameras: stored.cameras, carousels: stored.carousels, magnify: stored.magnify_s })
}

/** Exactly the layout's tiles; a carousel's own tile names no camera. */
export function withFitting(scene: SceneState): SceneState {
  const cameras = fitted(scene.layout, scene.cameras)
  const carousels = Object.fromEntries(Object.entries(scene.carousels).filter(([tile]) => Number(tile) < cameras.length))
  for (const tile of Object.keys(carousels)) cameras[Number(tile)] = null
  return { layout: scene.layout, cameras, carousels, magnify: mayMagnify(scene.layout) ? scene.magnify : null }
}

/** Whether there are small tiles to be shown large. */
export function mayMagnify(layout: LayoutName): boolean {
  return tileCount(layout) > 1
}

/** The tile that shows the small ones large: the layout's own large one, else one more beside all the others. */
export function magnifierOf(layout: LayoutName): number {
  return gridOf(layout).large ? 0 : tileCount(layout)
}

export function isEmptyScene(scene: SceneState): boolean {
  return scene.cameras.every((id) => id === null) && Object.keys(scene.carousels).length === 0
}

const PLACES: readonly PlaceClass[] = ['key_road', 'key_unit', 'high_incidence', 'entrance', 'school', 'water', 'square', 'other']

function seconds(text: unknown): number | null {
  const number = typeof text === 'string' && /^\d{1,4}$/.test(text) ? Number(text) : null
  return number !== null && number >= LEAST_SECONDS && number <= MOST_SECONDS ? number : null
}

/** `c12.15.18`, `pkey_road`, `v3` */
function source(text: string): Omit<Carousel, 'seconds'> | null {
  const rest = text.slice(1)
  const none = { cameras: [], place_class: null, village_id: null }
  if (text.startsWith('p') && (PLACES as readonly string[]).includes(rest)) return { ...none, place_class: rest as PlaceClass }
  if (/^v[1-9]\d{0,9}$/.test(text)) return { ...none, village_id: Number(rest) }
  const cameras = rest.split('.').filter((word) => /^[1-9]\d{0,9}$/.test(word)).slice(0, MOST_LISTED).map(Number)
  return text.startsWith('c') && cameras.length ? { ...none, cameras } : null
}

function carouselsFrom(text: unknown): Record<number, Carousel> {
  const found: Record<number, Carousel> = {}
  for (const part of typeof text === 'string' ? text.split(',').slice(0, MOST_TILES) : []) {
    const [tile = '', stay = '', from = ''] = part.split(':')
    const what = source(from)
    const stays = seconds(stay)
    if (/^\d{1,2}$/.test(tile) && what && stays !== null) found[Number(tile)] = { ...what, seconds: stays }
  }
  return found
}

function carouselText([tile, { cameras, place_class, village_id, seconds }]: [string, Carousel]): string {
  const from = place_class ? `p${place_class}` : village_id ? `v${village_id}` : `c${(cameras ?? []).join('.')}`
  return `${tile}:${seconds}:${from}`
}

/**
 * `?layout=4&cams=12,15,,7&turns=2:15:pkey_road&magnify=10` → scene; null when the URL names none. What is no camera id is
 * an empty tile, and what is no carousel is none.
 */
export function sceneFromQuery(query: Record<string, unknown>): SceneState | null {
  const text = typeof query.cams === 'string' ? query.cams : ''
  const layout = query.layout === undefined ? null : String(query.layout).replace(' ', '+') // a bare + in a query is a blank
  const carousels = carouselsFrom(query.turns)
  if (!text && !isLayout(layout) && Object.keys(carousels).length === 0) return null
  const cameras = text ? text.split(',').slice(0, MOST_TILES).map((word) => (/^[1-9]\d{0,9}$/.test(word) ? Number(word) : null)) : []
  const name = isLayout(layout) ? layout : layoutFor(Math.max(cameras.length, ...Object.keys(carousels).map((tile) => Number(tile) + 1)))
  return withFitting({ layout: name, cameras, carousels, magnify: seconds(query.magnify) })
}

/** The keys of a query that a scene may have. */
export const SCENE_KEYS: readonly string[] = ['layout', 'cams', 'turns', 'magnify']

export function sceneToQuery(scene: SceneState): Record<string, string> {
  const cams = scene.cameras.map((id) => id ?? '').join(',').replace(/,+$/, '')
  const turns = Object.entries(scene.carousels).map(carouselText).join(',')
  return { layout: scene.layout, ...(cams && { cams }), ...(turns && { turns }), ...(scene.magnify !== null && { magnify: String(scene.magnify) }) }
}

/** What a browser kept of a scene: anything may stand there. */
export function sceneFromStorage(kept: unknown): SceneState | null {
  if (typeof kept !== 'object' || kept === null) return null
  const { layout, cameras, query } = kept as { layout?: unknown; cameras?: unknown; query?: unknown }
  if (typeof query === 'object' && query !== null) return sceneFromQuery(query as Record<string, unknown>)
  if (!isLayout(layout) || !Array.isArray(cameras)) return null
  return plainScene(layout, cameras.map((id: unknown) => (Number.isInteger(id) ? (id as number) : null)))
}
