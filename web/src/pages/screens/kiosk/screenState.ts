/** What a screen's own page shows: the screen as the hub last told it, and the wall's engine behind its tiles. */
import { ref, shallowReactive, shallowRef } from 'vue'
import { abortCalls, api, type ApiError } from '@/api/client'
import type { OwnScreen } from '@/api/types'
import { LiveSocket, type LinkState } from '@/live/socket'
import { onWake } from '@/live/wake'
import { cannotBeShown } from '@/pages/wall/describe'
import { setTimeZone } from '@/siteTime'
import type { Wheel } from '@/wall/carousel'
import { MOST_SLOTS } from '@/wall/layout'
import { Peer } from '@/wall/peer'
import { magnifierOf, mayMagnify } from '@/wall/scene'
import { VideoScreen } from '@/wall/screen'
import { emptyTile, phaseOf, pictureOf, qualityFor, type Phase, type Tile } from '@/wall/tile'
import { Turner } from '@/wall/turner'
import { Wall } from '@/wall/wall'
import { playing } from '../grid'
import { renew } from './machine'

export interface KioskTile {
  tile: Tile
  phase: Phase
  picture: 'moving' | 'old' | 'none'
  age: number
}

/** `opening`: nothing is known yet; `enrol`: this browser is no screen's; `shown`: there is a screen, as last known. */
export const stage = ref<'opening' | 'enrol' | 'shown'>('opening')
export const own = shallowRef<OwnScreen | null>(null)
/** The camera of each tile now, carousels and the tile that shows others large included. */
export const tiles = shallowRef<OwnScreen['picture']['tiles']>([])
/** Which of them play: the others stand still, so that the machine is not asked for more than it can. */
export const plays = shallowRef<boolean[]>([])
/** The tile that is shown large just now; null: none is. */
export const magnified = ref<number | null>(null)
export const link = ref<LinkState>('closed')
/** Hub time in ms, moving once a second. */
export const now = ref(Date.now())
/** The hub does not answer, since when; ms of this machine's clock. */
export const awaySince = ref<number | null>(null)

const KEPT = 'screen:last'
const AGAIN_MS = 3_000
const STILL_DEADLINE_MS = 8_000
/** A request that was sent over a network that is gone would else wait for minutes. */
const ANSWER_DEADLINE_MS = 8_000
const TURN_MS = 250

const live = new LiveSocket(
  (page) => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/screen/live`, ['camera-hub', `page.${page}`]),
  () => void load(),
)
const engine = shallowRef<Wall | null>(null)
const screens: (VideoScreen | null)[] = Array.from({ length: MOST_SLOTS }, () => null)
export const views = shallowReactive<KioskTile[]>(Array.from({ length: MOST_SLOTS }, (_, index) => viewOf(emptyTile(index))))
export { engine }

type ScreenCamera = NonNullable<OwnScreen['picture']['tiles'][number]>
/** The cameras of what is shown, and of what was before: their names stay as long as their pictures do. */
let known = new Map<number, ScreenCamera>()
let knownBefore = known

/** Carousels and the magnifier turn by the hub's time: every screen that shows the same shows it at the same time. */
const turner = new Turner({
  wheels,
  magnifier,
  dead: () => new Set(),
  pinned: () => new Set(own.value?.picture.tiles.flatMap((camera) => (camera ? [camera.id] : []))),
  busy: () => document.hidden,
  warm: (cameras) => live.warm(cameras),
  changed: () => apply(true),
  now: () => performance.now(),
})

function hubAhead(): number {
  return Date.now() + live.offsetMs - performance.now()
}

/** Those that can be shown; all of them where none can, so that the tile says why. */
function members(cameras: readonly ScreenCamera[]): number[] {
  const well = cameras.filter((camera) => camera.state === 'approved' && !cannotBeShown({ health: camera.fault ? 'fault' : 'ok', cause: camera.fault }))
  return (well.length ? well : cameras).map(({ id }) => id)
}

/** Tiles that turn equally fast do so one after the other. */
function wheels(): ReadonlyMap<number, Wheel> {
  const carousels = own.value?.picture.carousels ?? []
  return new Map(carousels.map(({ tile, seconds, cameras }, n) => [tile, { members: members(cameras), seconds, ahead: hubAhead() + (seconds * 1_000 * n) / carousels.length }]))
}

/** The tile that shows small ones large in turn; null: none does. */
export function magnifierTile(): number | null {
  const picture = own.value?.picture
  return picture?.magnify_s != null && mayMagnify(picture.layout) ? magnifierOf(picture.layout) : null
}

function magnifier(): Wheel | null {
  const large = magnifierTile()
  const picture = own.value?.picture
  if (large === null || picture?.magnify_s == null) return null
  const turning = new Set(picture.carousels.map(({ tile }) => tile))
  const small = picture.tiles.map((_, index) => index)
  const shown = small.filter((index) => index !== large && (turning.has(index) || picture.tiles[index]?.state === 'approved') && !['failed', 'refused'].includes(views[index]!.phase))
  return { members: shown, seconds: picture.magnify_s, ahead: hubAhead() }
}

function turns(): boolean {
  return own.value !== null && (own.value.picture.carousels.length > 0 || magnifierTile() !== null)
}

function turn(): void {
  for (const tile of wheels().keys()) turner.follow(views[tile]!.tile, views[tile]!.phase)
  turner.tick()
}

export function cameraOf(id: number): ScreenCamera | undefined {
  return known.get(id) ?? knownBefore.get(id)
}

function viewOf(tile: Tile): KioskTile {
  const at = performance.now()
  return { tile, phase: phaseOf(tile, at), picture: pictureOf(tile, at), age: tile.frameAt === null ? 0 : at - tile.frameAt }
}

export function screenOf(index: number): VideoScreen | null {
  return engine.value ? (screens[index] ?? null) : null
}

/** Opens the page: what was shown last is there at once, by its names; then what the hub says. */
export function openScreen(): void {
  const kept = remembered()
  if (kept) take(kept)
  live.onChanged('screen', (change) => {
    if (change.data && Number(change.id) === own.value?.id) take(change.data as unknown as OwnScreen)
    else if (!change.data) void load()
  })
  let epoch: string | null = null
  live.on('hello', (hello) => {
    if (epoch !== null && epoch !== hello.epoch) void renew()
    epoch = hello.epoch
    void load()
  })
  live.on('reload', () => void load())
  live.onState((state) => {
    link.value = state
    awaySince.value = state === 'open' ? null : (awaySince.value ?? Date.now())
  })
  // The computer slept, or its network has changed: what was connected may be so no longer.
  onWake(() => {
    abortCalls()
    live.woken()
    engine.value?.woken()
    void load()
  })
  setInterval(() => {
    now.value = Date.now() + live.offsetMs
    void engine.value?.tick()
  }, 1_000)
  setInterval(() => turns() && turn(), TURN_MS)
  // Browser journeys read what is really decoded; nothing can be steered by it.
  Object.defineProperty(window, '__wall', { configurable: true, get: () => engine.value?.snapshot() ?? { peers: [], tiles: [] } })
  void load()
}

let loading: Promise<void> | null = null
let timer: ReturnType<typeof setTimeout> | undefined

/** Asks the hub for the screen; while it does not answer, again and again. Calls that overlap share one request. */
function load(): Promise<void> {
  loading ??= loadOnce().finally(() => (loading = null))
  return loading
}

async function loadOnce(): Promise<void> {
  clearTimeout(timer)
  const answer = await api.get('/api/screen', { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) })
  if (answer.ok) {
    awaySince.value = null
    enter(answer.data)
  } else if (answer.error.status === 401) {
    leave()
  } else {
    awaySince.value ??= Date.now()
    timer = setTimeout(() => void load(), AGAIN_MS)
  }
}

function enter(screen: OwnScreen): void {
  take(screen)
  remember(screen)
  live.start()
  if (!engine.value) void start()
}

/** Makes this browser a screen's by a code. Answers what is wrong with it, null when nothing is. */
export async function enrol(code: string): Promise<ApiError | null> {
  const answer = await api.post('/api/screen/enrol', { body: { code } })
  if (!answer.ok) return answer.error
  enter(answer.data)
  return null
}

function leave(): void {
  live.stop()
  engine.value?.stop()
  engine.value = null
  for (const screen of screens) screen?.dispose()
  screens.fill(null)
  own.value = null
  awaySince.value = null
  try {
    localStorage.removeItem(KEPT)
  } catch {
    /* storage is switched off */
  }
  stage.value = 'enrol'
}

function take(screen: OwnScreen): void {
  const before = own.value
  if (before?.id === screen.id && before.revision > screen.revision) return // overtaken on its way
  own.value = screen
  knownBefore = known
  known = new Map([...screen.picture.tiles, ...screen.picture.carousels.flatMap(({ cameras }) => cameras)].flatMap((camera) => (camera ? [[camera.id, camera]] : [])))
  stage.value = 'shown'
  setTimeZone(screen.time_zone)
  document.title = screen.name
  remember(screen)
  // The stops of a run are warm when they come.
  const gently = screen.picture.run !== null && before?.picture.run?.id === screen.picture.run.id
  apply(gently)
  turn()
}

async function start(): Promise<void> {
  if (engine.value) return
  const media = await api.get('/api/screen/media', { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) })
  if (!media.ok) return void setTimeout(() => own.value && void start(), AGAIN_MS)
  if (engine.value || !own.value) return
  const { tracks, ice_servers } = media.data
  const relays = media.data.relays.length ? media.data.relays : [0]
  const wall = new Wall({
    socket: live,
    tiles: MOST_SLOTS,
    relays,
    firsts: tracks < MOST_SLOTS ? [0, tracks] : [0],
    connect: (relay, first, onState) => {
      const peer = new Peer({
        relay,
        first,
        tracks: first ? MOST_SLOTS - first : tracks,
        iceServers: ice_servers as unknown as RTCIceServer[],
        post: (sdp, signal) => api.post('/api/screen/viewers', { body: { page: live.page, relay, first, sdp }, signal }),
      })
      peer.onState = onState
      return peer
    },
    screen: (index) => (screens[index] ??= new VideoScreen()),
    poster: (camera) => pictureOfCamera(camera),
    still: async (camera, stream, number) => {
      const answer = await fetch(`/api/screen/cameras/${camera}/still?stream=${stream}&n=${number}`, { signal: AbortSignal.timeout(STILL_DEADLINE_MS) }).catch(() => null)
      const image = answer?.ok ? await createImageBitmap(await answer.blob()).catch(() => null) : null
      return answer && image ? { image, age: Number(answer.headers.get('x-picture-age') ?? 0) } : null
    },
    now: () => performance.now(),
    later: (ms, what) => void setTimeout(what, ms),
  })
  wall.listen((index) => {
    views[index] = viewOf(wall.tile(index))
    sharpen(index)
  })
  engine.value = wall
  apply()
}

/** The stored picture of a camera that the screen shows; null when there is none. */
export function pictureOfCamera(id: number): string | null {
  const camera = cameraOf(id)
  return camera?.picture_at ? `/api/screen/cameras/${id}/picture?at=${encodeURIComponent(camera.picture_at)}` : null
}

/** The camera that a tile shows now: its own, of its carousel, or of the small tile that it shows large. */
function cameraAt(index: number, small: number | null): ScreenCamera | null {
  if (index === magnifierTile()) return small === null || small === index ? null : cameraAt(small, null)
  const turning = turner.camera(index)
  return turning === undefined ? (own.value?.picture.tiles[index] ?? null) : turning === null ? null : (known.get(turning) ?? null)
}

/**
 * What each tile asks the hub for: cameras beyond those that the machine can play stand still, and are not pulled. `gently`: the
 * picture before stays until the next one's first frame.
 */
function apply(gently = false): void {
  const screen = own.value
  if (!screen) return
  const large = magnifierTile()
  const small = large === null ? null : turner.magnified
  const count = Math.max(screen.picture.tiles.length, (large ?? -1) + 1)
  tiles.value = Array.from({ length: count }, (_, index) => cameraAt(index, small))
  const cameras = tiles.value.map((camera) => (camera && camera.state === 'approved' ? camera.id : null))
  plays.value = playing(cameras, screen.streams, large, small)
  magnified.value = small
  const wall = engine.value
  if (!wall) return
  wall.reach(count)
  for (let index = 0; index < MOST_SLOTS; index += 1) {
    const camera = plays.value[index] ? (cameras[index] ?? null) : null
    wall.show(index, camera, qualityFor(wall.tile(index), camera, isLarge(index)), gently)
  }
}

/** A camera alone on a screen or shown large is worth its main stream; a run's stops last seconds, and stay on the stream that is warm. */
function isLarge(index: number): boolean {
  if (own.value === null || own.value.picture.run !== null) return false
  return index === magnifierTile() || (index === 0 && own.value.picture.tiles.length === 1)
}

const SHARPEN_MS = 800
let sharpening: ReturnType<typeof setTimeout> | undefined

function sharpen(index: number): void {
  if (sharpening || !isLarge(index)) return
  const tile = views[index]!.tile
  if (tile.quality === 'main' || qualityFor(tile, tile.camera, true) !== 'main') return
  sharpening = setTimeout(() => {
    sharpening = undefined
    apply(true)
  }, SHARPEN_MS)
}

function remember(screen: OwnScreen): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...screen, picture: { ...screen.picture, run: null } }))
  } catch {
    /* storage is switched off */
  }
}

/** What was shown last, kept in this browser: after a power cut the layout and its names stand before the hub has answered. */
function remembered(): OwnScreen | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? 'null') as OwnScreen | null
    return kept && Array.isArray(kept.picture.tiles) && Array.isArray(kept.picture.carousels) ? { ...kept, revision: -1 } : null
  } catch {
    return null
  }
}
