/** What the wall shows: its scene, the selected and the enlarged tile, and what the user does with them. */
import { reactive, ref, watch } from 'vue'
import type { LayoutName } from '@/api/types'
import type { Carousel } from '@/wall/carousel'
import type { ShownTile, WallControl } from '@/wall/control'
import { MOST_SLOTS, fitted, gridOf, tileCount, withMagnifier, type Grid } from '@/wall/layout'
import { magnifierOf, mayMagnify, plainScene, sceneFromQuery, withFitting, type SceneState } from '@/wall/scene'
import { pictureOf, qualityFor } from '@/wall/tile'
import { padAt } from './ptzStates'
import { remembered } from './remembered'
import { turnFor, turnNow, turner } from './turning'
import { engine, ownedBy, screenOf, silenceUnless, start, views } from './wallEngine'

export const scene = reactive<SceneState>(plainScene('4', []))
/** The tile that keys and clicks on cameras act on. */
export const selected = ref(0)
/** The tile that fills the wall, if one does. */
export const solo = ref<number | null>(null)
/** Whether every tile has come to rest: what is of use only then is rendered only then. */
export const settled = ref(false)
const SETTLE_MS = 3_000

/** What did not fit into the layout of now, by the tile it came from: it comes back with a larger one. */
let beyond = new Map<number, number>()
let visible = false
/** The camera that another page shows in the first tile while no wall page is open; null: none. */
let guest: number | null = null
/** A tour's stop lasts seconds: it stays on the warmed tile stream, since a change to the main stream may freeze the picture. */
let passing = false
let sharpening: ReturnType<typeof setTimeout> | undefined
const SHARPEN_MS = 800

ownedBy({
  wanted: () => visible || guest !== null,
  begun: () => apply(),
  tileChanged(index) {
    if (!settled.value && visible && views.every(({ phase }) => phase !== 'connecting' && phase !== 'waiting')) settled.value = true
    sharpen(index)
  },
  ended() {
    guest = null
    solo.value = null
  },
})

/** The grid as it is drawn: of an even one that magnifies, with one more tile. */
const magnifiers = new Map<LayoutName, Grid>()
export function gridNow(): Grid {
  const grid = gridOf(scene.layout)
  if (scene.magnify === null || grid.large) return grid
  const kept = magnifiers.get(grid.name) ?? withMagnifier(grid)
  magnifiers.set(grid.name, kept)
  return kept
}

/** The tile that shows small ones large in turn; null: none does. */
export function magnifierTile(): number | null {
  return scene.magnify === null ? null : magnifierOf(scene.layout)
}

/** The camera that a tile shows now: pinned, of its carousel, or of the small tile that it magnifies. */
export function cameraAt(index: number): number | null {
  if (index === magnifierTile()) {
    const small = turner.magnified
    return small === null || small === index ? null : cameraAt(small)
  }
  return index in scene.carousels ? (turner.camera(index) ?? null) : (scene.cameras[index] ?? null)
}

function largeTile(): number | null {
  return magnifierTile() ?? (gridOf(scene.layout).large ? 0 : null)
}

function isLarge(index: number): boolean {
  return solo.value === index || (solo.value === null && !passing && index === largeTile())
}

/** A large tile that shows its tile stream by now goes on to the main stream. */
function sharpen(index: number): void {
  if (sharpening || !isLarge(index)) return
  const tile = views[index]!.tile
  if (tile.quality === 'main' || qualityFor(tile, tile.camera, true) !== 'main') return
  sharpening = setTimeout(() => {
    sharpening = undefined
    apply()
  }, SHARPEN_MS)
}

/** The large tile and the solo tile ask for the main stream; the hub falls back to the sub stream and says so. `gently`: nobody asked for it just now. */
function apply(gently = false): void {
  const wall = engine.value
  if (!wall) return
  if (visible) wall.reach(gridNow().areas.length)
  for (let index = 0; index < MOST_SLOTS; index += 1) {
    const camera = visible ? cameraAt(index) : index === 0 ? guest : null
    wall.show(index, camera, qualityFor(wall.tile(index), camera, visible && isLarge(index)), gently)
  }
  silenceUnless((camera) => visible && views.some((_, index) => cameraAt(index) === camera))
}

/** There is nothing of it to be shown large. */
function isDark(index: number): boolean {
  return ['failed', 'refused'].includes(views[index]!.phase)
}

const turned = {
  carousels: () => scene.carousels,
  magnifier() {
    if (scene.magnify === null) return null
    const large = magnifierOf(scene.layout)
    const small = scene.cameras.map((_, index) => index).filter((index) => index !== large && (index in scene.carousels || scene.cameras[index] !== null) && !isDark(index))
    return { members: small, seconds: scene.magnify }
  },
  pinned: () => new Set(scene.cameras.flatMap((id, index) => (id === null || index === magnifierTile() ? [] : [id]))),
  busy: (tile: number) => !visible || solo.value !== null || (padAt.value !== null && (padAt.value === tile || padAt.value === magnifierTile())),
  changed: () => apply(true),
}

/** While no wall page is open nothing is shown, so nothing is pulled; the connection stays for a quick return. */
export function setVisible(on: boolean): void {
  visible = on
  if (on) void start()
  turnFor(on ? turned : null)
  if (on) turnNow()
  apply()
  if (on) setTimeout(() => (settled.value = true), SETTLE_MS)
}

/** Shows one camera on a page that is not the wall, in the screen of the first tile (`screenOf(0)`); null ends it. */
export function showGuest(camera: number | null): void {
  guest = camera
  if (camera !== null) void start()
  apply()
}

/** The wall is being opened at this address: shows its scene before there is a page to see it in. */
export function openWall(query: Record<string, unknown>): void {
  const asked = query.run === undefined ? (sceneFromQuery(query) ?? remembered()) : null // a run shows its stops itself
  if (asked) setContent(asked)
  setVisible(true)
}

/** Shows this scene, with all that turns in it. */
export function setContent(content: SceneState, ofTour = false): void {
  passing = ofTour
  beyond = new Map()
  Object.assign(scene, withFitting(content))
  solo.value = null
  if (selected.value >= tileCount(scene.layout)) selected.value = 0
  turnNow()
  apply(ofTour)
}

export function setScene(layout: LayoutName, ids: readonly (number | null)[], ofTour = false): void {
  setContent(plainScene(layout, ids), ofTour)
}

/**
 * Another grid for the same scene. What fits stays in its place; what does not goes into a free tile, and else comes back
 * with a layout that has room.
 */
export function setLayout(layout: LayoutName): void {
  const room = tileCount(layout)
  const kept = fitted(layout, scene.cameras)
  const carousels = { ...scene.carousels }
  const left = new Map(beyond)
  scene.cameras.forEach((id, index) => index >= room && id !== null && left.set(index, id))
  const free = (index: number): boolean => index >= 0 && index < room && kept[index] === null && !(index in carousels)
  for (const [index, id] of [...left].sort(([a], [b]) => a - b)) {
    const place = free(index) ? index : kept.findIndex((_, n) => free(n))
    if (kept.includes(id)) left.delete(index)
    else if (place >= 0) {
      kept[place] = id
      left.delete(index)
    }
  }
  for (const tile of Object.keys(carousels).map(Number)) {
    if (tile < room) continue
    const place = kept.findIndex((_, n) => free(n))
    if (place >= 0) carousels[place] = carousels[tile]!
    delete carousels[tile]
  }
  setContent({ layout, cameras: kept, carousels, magnify: scene.magnify })
  beyond = left
}

/** A tile's own content: a camera, a carousel, or nothing. */
function contentOf(index: number): { camera: number | null; carousel: Carousel | undefined } {
  return { camera: scene.cameras[index] ?? null, carousel: scene.carousels[index] }
}

function setContentOf(index: number, { camera, carousel }: { camera: number | null; carousel: Carousel | undefined }): void {
  const rest = Object.fromEntries(Object.entries(scene.carousels).filter(([tile]) => Number(tile) !== index))
  scene.carousels = carousel ? { ...rest, [index]: carousel } : rest
  scene.cameras[index] = carousel ? null : camera
}

export function put(index: number, camera: number | null): void {
  if (index < 0 || index >= tileCount(scene.layout)) return
  const elsewhere = camera === null ? -1 : scene.cameras.indexOf(camera)
  if (elsewhere >= 0 && elsewhere !== index) setContentOf(elsewhere, contentOf(index)) // they change places
  setContentOf(index, { camera, carousel: undefined })
  turnNow()
  apply()
}

/** Two tiles change places, with whatever they show. */
export function swap(from: number, to: number): void {
  const [a, b] = [contentOf(from), contentOf(to)]
  setContentOf(to, a)
  setContentOf(from, b)
  turnNow()
  apply()
}

/** What a tile turns through; null: it stays on the camera that it shows. */
export function setCarousel(index: number, carousel: Carousel | null): void {
  if (index < 0 || index >= tileCount(scene.layout)) return
  setContentOf(index, { camera: cameraAt(index), carousel: carousel ?? undefined })
  turnNow()
  apply()
}

/** Shows each small tile large for so many seconds in turn; null: no longer. */
export function setMagnify(seconds: number | null): void {
  scene.magnify = mayMagnify(scene.layout) ? seconds : null
  solo.value = null
  turnNow()
  apply()
}

/** Shows a camera where it is already, else in the selected tile if that is free, else in the next free one, else in the selected one. */
export function add(camera: number): number {
  const there = scene.cameras.indexOf(camera)
  if (there >= 0) {
    selected.value = there
    return there
  }
  const isFree = (index: number): boolean => scene.cameras[index] === null && !(index in scene.carousels) && index !== magnifierTile()
  const firstFree = (): number => scene.cameras.findIndex((_, index) => isFree(index))
  const free = isFree(selected.value) ? selected.value : firstFree()
  const index = free >= 0 ? free : selected.value
  put(index, camera)
  const next = firstFree()
  selected.value = free >= 0 && next >= 0 ? next : free >= 0 ? index : (index + 1) % tileCount(scene.layout)
  if (solo.value !== null) setSolo(index)
  return index
}

export function setSolo(index: number | null): void {
  solo.value = index !== null && cameraAt(index) !== null ? index : null
  if (solo.value !== null && solo.value < tileCount(scene.layout)) selected.value = solo.value
  apply()
}

export const control: WallControl = {
  show: (content) => setContent(content),
  showScene: (layout, ids) => setScene(layout, ids, true),
  shown: () => {
    const now = performance.now()
    const wall = visible ? engine.value : null
    const indices = solo.value === null ? Array.from({ length: gridNow().areas.length }, (_, index) => index) : [solo.value]
    return indices.flatMap((index): ShownTile[] => {
      const tile = wall?.tile(index)
      if (!tile || tile.camera === null) return []
      const screen = screenOf(index)
      const element = screen?.element.closest('[data-tile]') ?? null
      return [{ index, camera: tile.camera, element, frame: element?.parentElement ?? null, picture: pictureOf(tile, now), source: screen?.picture ?? null, still: tile.still }]
    })
  },
  scene: () => ({ layout: scene.layout, cameras: [...scene.cameras], carousels: { ...scene.carousels }, magnify: scene.magnify }),
  selected: () => cameraAt(selected.value),
  select: (camera) => {
    const index = scene.cameras.findIndex((_, tile) => cameraAt(tile) === camera)
    if (index >= 0) selected.value = index
  },
}

/** The tile whose PTZ pad is open stands still; when it is closed the carousel goes on at once. */
watch(padAt, () => visible && turnNow())
