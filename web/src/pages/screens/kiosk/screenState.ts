/** What a screen's own page shows: the screen as the hub last told it, and the wall's engine behind its tiles. */
import { ref, shallowReactive, shallowRef } from 'vue'
import { api, type ApiError } from '@/api/client'
import type { OwnScreen } from '@/api/types'
import { LiveSocket, type LinkState } from '@/live/socket'
import { setTimeZone } from '@/siteTime'
import { MOST_TILES } from '@/wall/layout'
import { Peer } from '@/wall/peer'
import { VideoScreen } from '@/wall/screen'
import { emptyTile, phaseOf, pictureOf, qualityFor, type Phase, type Tile } from '@/wall/tile'
import { Wall } from '@/wall/wall'
import { playing, turningCamera } from '../grid'
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
/** The camera of each tile now, carousels included. */
export const tiles = shallowRef<OwnScreen['picture']['tiles']>([])
export const link = ref<LinkState>('closed')
/** Hub time in ms, moving once a second. */
export const now = ref(Date.now())
/** The hub does not answer, since when; ms of this machine's clock. */
export const awaySince = ref<number | null>(null)

const KEPT = 'screen:last'
const AGAIN_MS = 3_000
const STILL_DEADLINE_MS = 8_000

const live = new LiveSocket(
  (page) => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/screen/live`, ['camera-hub', `page.${page}`]),
  () => void load(),
)
const engine = shallowRef<Wall | null>(null)
const screens: (VideoScreen | null)[] = Array.from({ length: MOST_TILES }, () => null)
export const views = shallowReactive<KioskTile[]>(Array.from({ length: MOST_TILES }, (_, index) => viewOf(emptyTile(index))))
export { engine }

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
  setInterval(() => {
    now.value = Date.now() + live.offsetMs
    if (own.value?.picture.carousels.length) apply()
    void engine.value?.tick()
  }, 1_000)
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
  const answer = await api.get('/api/screen')
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
  if (own.value?.id === screen.id && own.value.revision > screen.revision) return // overtaken on its way
  own.value = screen
  stage.value = 'shown'
  setTimeZone(screen.time_zone)
  document.title = screen.name
  remember(screen)
  apply()
}

async function start(): Promise<void> {
  if (engine.value) return
  const media = await api.get('/api/screen/media')
  if (!media.ok) return void setTimeout(() => own.value && void start(), AGAIN_MS)
  if (engine.value || !own.value) return
  const { tracks, ice_servers } = media.data
  const relays = media.data.relays.length ? media.data.relays : [0]
  const wall = new Wall({
    socket: live,
    tiles: MOST_TILES,
    relays,
    firsts: tracks < MOST_TILES ? [0, tracks] : [0],
    connect: (relay, first, onState) => {
      const peer = new Peer({
        relay,
        first,
        tracks: first ? MOST_TILES - first : tracks,
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
  const camera = tiles.value.find((one) => one?.id === id)
  return camera?.picture_at ? `/api/screen/cameras/${id}/picture?at=${encodeURIComponent(camera.picture_at)}` : null
}

/** What each tile asks the hub for: cameras beyond those that the machine can play stand still, and are not pulled. */
function apply(): void {
  const screen = own.value
  if (!screen) return
  const { picture } = screen
  const found = [...picture.tiles]
  for (const { tile, seconds, cameras: members } of picture.carousels) if (tile < found.length) found[tile] = turningCamera(members, seconds, Date.now() + live.offsetMs)
  tiles.value = found
  const wall = engine.value
  if (!wall) return
  const cameras = found.map((camera) => (camera && camera.state === 'approved' ? camera.id : null))
  const plays = playing(cameras, screen.streams)
  wall.reach(cameras.length)
  for (let index = 0; index < MOST_TILES; index += 1) {
    const camera = plays[index] ? (cameras[index] ?? null) : null
    wall.show(index, camera, qualityFor(wall.tile(index), camera, isLarge(index)))
  }
}

/** One camera alone on a screen is worth its main stream; a run's stops last seconds, and stay on the stream that is warm. */
function isLarge(index: number): boolean {
  return index === 0 && own.value?.picture.tiles.length === 1 && own.value.picture.run === null
}

const SHARPEN_MS = 800
let sharpening: ReturnType<typeof setTimeout> | undefined

function sharpen(index: number): void {
  if (sharpening || !isLarge(index)) return
  const tile = views[index]!.tile
  if (tile.quality === 'main' || qualityFor(tile, tile.camera, true) !== 'main') return
  sharpening = setTimeout(() => {
    sharpening = undefined
    apply()
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
