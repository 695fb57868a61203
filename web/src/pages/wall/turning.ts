/** The wall's carousels and magnifier for Vue: what turns now, and what the user does with it. */
import { shallowReactive, shallowRef, watch } from 'vue'
import { approvedCameras, cameras, live } from '@/stores'
import type { Carousel, Wheel } from '@/wall/carousel'
import { Turner } from '@/wall/turner'
import { cannotBeShown } from './describe'
import { views } from './wallEngine'

/** What a tile says of its carousel. */
export interface CarouselView {
  camera: number | null
  place: number
  of: number
  next: number | null
  passedOver: number[]
  stopped: boolean
  held: boolean
}

/** What the wall asks its scene for. */
export interface Turned {
  carousels(): Readonly<Record<number, Carousel>>
  /** Small tiles with a camera, in order, and the seconds for each; null: nothing is magnified. */
  magnifier(): Wheel | null
  pinned(): ReadonlySet<number>
  /** Tiles that cannot be seen just now, or that somebody works with. */
  busy(tile: number): boolean
  changed(): void
}

const TICK_MS = 250

let scene: Turned | null = null
let timer: ReturnType<typeof setInterval> | undefined

/** Carousels by tile, as they stand. */
export const carouselViews = shallowReactive(new Map<number, CarouselView>())
/** The tile that is shown large, and the next one; null: no magnifier. */
export const magnified = shallowRef<{ tile: number | null; next: number | null; stopped: boolean; held: boolean } | null>(null)

const known = shallowRef(new Map<Carousel, readonly number[]>())
// Members are found once per change of the list, not four times a second.
watch([approvedCameras, cameras.loaded], () => (known.value = new Map()))

/** The cameras that a carousel turns through now, in the official order; listed ones in the order of the list. */
export function membersOf(carousel: Carousel): readonly number[] {
  const found = known.value.get(carousel)
  if (found) return found
  const { place_class, village_id } = carousel
  const listed = carousel.cameras ?? []
  const members = place_class
    ? approvedCameras.value.filter((camera) => camera.place_class === place_class).map(({ id }) => id)
    : village_id
      ? approvedCameras.value.filter((camera) => camera.village_id === village_id).map(({ id }) => id)
      : cameras.loaded.value ? listed.filter((id) => cameras.byId.get(id)?.state === 'approved') : listed
  known.value.set(carousel, members)
  return members
}

function wheels(): ReadonlyMap<number, Wheel> {
  const carousels = Object.entries(scene?.carousels() ?? {})
  return new Map(carousels.map(([tile, carousel]) => [Number(tile), { members: membersOf(carousel), seconds: carousel.seconds }]))
}

function dead(): ReadonlySet<number> {
  const found = new Set<number>()
  for (const camera of cameras.list.value) if (cannotBeShown(camera)) found.add(camera.id)
  // What plays just now is alive, whatever the last round has found.
  for (const { tile, phase } of views) if (tile.camera !== null && phase === 'live') found.delete(tile.camera)
  return found
}

export const turner = new Turner({
  wheels,
  magnifier: () => scene?.magnifier() ?? null,
  dead,
  pinned: () => scene?.pinned() ?? new Set(),
  busy: (tile) => document.hidden || (scene?.busy(tile) ?? true),
  warm: (wanted) => live.warm(wanted),
  changed: () => scene?.changed(),
  now: () => performance.now(),
})

function noteFailures(): void {
  for (const tile of wheels().keys()) turner.follow(views[tile]!.tile, views[tile]!.phase)
}

function show(): void {
  const turning = wheels()
  for (const tile of carouselViews.keys()) if (!turning.has(tile)) carouselViews.delete(tile)
  for (const [tile, { members }] of turning) {
    const is = turner.turning(tile)
    const camera = is?.camera ?? null
    const view: CarouselView = {
      camera,
      place: camera === null ? 0 : members.indexOf(camera) + 1,
      of: members.length,
      next: turner.next(tile),
      passedOver: turner.passedOver(members),
      stopped: turner.isStopped(tile),
      held: is !== undefined && is.left !== null,
    }
    if (JSON.stringify(view) !== JSON.stringify(carouselViews.get(tile))) carouselViews.set(tile, view)
  }
  const large = scene?.magnifier() ? { tile: turner.magnified, next: turner.nextMagnified(), stopped: turner.magnifierStopped, held: turner.magnifier != null && turner.magnifier.left !== null } : null
  if (JSON.stringify(large) !== JSON.stringify(magnified.value)) magnified.value = large
}

/** Turns at once, after the user has changed something. */
export function turnNow(): void {
  noteFailures()
  turner.tick()
  show()
}

/** Begins to turn what this scene has; null ends it. */
export function turnFor(what: Turned | null): void {
  scene = what
  clearInterval(timer)
  if (what) timer = setInterval(() => (Object.keys(what.carousels()).length > 0 || what.magnifier() || carouselViews.size > 0 || magnified.value ? turnNow() : undefined), TICK_MS)
}

/** Forwards, back, stand still: of the tile's carousel, or of the magnifier for null. */
export function stepTurn(tile: number | null, by: 1 | -1): void {
  if (tile === null) turner.stepMagnifier(by)
  else turner.step(tile, by)
  show()
}

export function toggleTurn(tile: number | null): void {
  if (tile === null) turner.toggleMagnifier()
  else turner.toggle(tile)
  show()
}
