/** The wall's state for Vue, and the one engine behind it, kept for as long as somebody is signed in. */
import { reactive, ref, shallowReactive, shallowRef, watch } from 'vue'
import { api, pictureUrl } from '@/api/client'
import type { LayoutName, MediaAnswer } from '@/api/types'
import { cameras, live, me } from '@/stores'
import { MOST_TILES, fitted, gridOf, isLayout, sceneFromQuery, tileCount, type SceneState } from '@/wall/layout'
import { Peer } from '@/wall/peer'
import type { ShownTile, WallControl } from '@/wall/control'
import { VideoScreen } from '@/wall/screen'
import { PageSpeaker, Sound, type SoundState } from '@/wall/sound'
import { emptyTile, phaseOf, pictureOf, qualityFor, type Phase, type Tile } from '@/wall/tile'
import { Wall } from '@/wall/wall'

export interface TileView {
  tile: Tile
  phase: Phase
  picture: 'moving' | 'old' | 'none'
  /** ms since the last new frame; for "… ago". */
  age: number
}

const engine = shallowRef<Wall | null>(null)
const screens = Array.from({ length: MOST_TILES }, () => null as VideoScreen | null)

export const views = shallowReactive<TileView[]>(Array.from({ length: MOST_TILES }, (_, i) => viewOf(emptyTile(i))))
export const scene = reactive<SceneState>({ layout: '4', cameras: fitted('4', []) })
/** The tile that keys and clicks on cameras act on. */
export const selected = ref(0)
/** The tile that fills the wall, if one does. */
export const solo = ref<number | null>(null)
/** Whether this site has sound and this user may hear it. */
export const soundAllowed = ref(false)
/** The camera being listened to. A refusal is shown once, by the page that watches `soundRefused`. */
export const sound = shallowReactive<SoundState>({ camera: null, state: 'off' })
export const soundRefused = shallowRef<{ camera: number; reason: string } | null>(null)
/** True when there can be no live video at all: GET /api/media failed. */
export const mediaProblem = ref(false)

/** Whether every tile has come to rest: what is of use only then is rendered only then. */
export const settled = ref(false)
const SETTLE_MS = 3_000

let listener: Sound | null = null
/** The hub's media parameters, asked for once per session; null: they could not be read. */
let parameters: Promise<MediaAnswer | null> | undefined
/** Peers made ahead of time, each with its offer ready, for the wall that is opened next. */
const spares = new Map<number, Peer>()
/** Settled when the hub has answered the first offer, or has refused it. */
let answered = settling()
let visible = false
/** The camera that another page shows in the first tile while no wall page is open; null: none. */
let guest: number | null = null
/** A tour's stop lasts seconds: it stays on the warmed tile stream, since a change to the main stream may freeze the picture. */
let passing = false
let starting = false
let ticker: ReturnType<typeof setInterval> | undefined
let sharpening: ReturnType<typeof setTimeout> | undefined
const SHARPEN_MS = 800

function settling(): { done: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const done = new Promise<void>((settle) => (resolve = settle))
  return { done, resolve }
}

function viewOf(tile: Tile): TileView {
  const now = performance.now()
  return { tile, phase: phaseOf(tile, now), picture: pictureOf(tile, now), age: tile.frameAt === null ? 0 : now - tile.frameAt }
}

async function ask(): Promise<MediaAnswer | null> {
  const media = await api.get('/api/media')
  if (!media.ok) {
    parameters = undefined
    answered.resolve()
  }
  return media.ok ? media.data : null
}

function relaysOf(media: MediaAnswer): number[] {
  return media.relays.length ? media.relays : [0]
}

function newPeer(media: MediaAnswer, relay: number, first = 0): Peer {
  return new Peer({
    relay,
    first,
    tracks: first ? MOST_TILES - first : media.tracks,
    audio: media.audio,
    iceServers: media.ice_servers as unknown as RTCIceServer[],
    post: (sdp, signal) => api.post('/api/viewers', { body: { page: live.page, relay, first, sdp }, signal }),
  })
}

/** Asks for the media parameters ahead of `start`. */
export function askMedia(): void {
  parameters ??= ask()
}

/** Prepares what the wall will need and what costs the hub nothing: no connection is made. */
export async function prepare(): Promise<void> {
  const media = await (parameters ??= ask())
  if (!media || !me.value || engine.value) return
  for (const relay of relaysOf(media)) if (!spares.has(relay)) spares.set(relay, newPeer(media, relay))
}

/** Creates the engine. Called by the wall's route, so that the hub is asked while the page is still being rendered. */
export async function start(): Promise<void> {
  if (engine.value || starting) return
  const user = me.value?.id
  starting = true
  const media = await (parameters ??= ask())
  starting = false
  if (me.value?.id !== user) return void (visible && start()) // signed out meanwhile, and perhaps in as somebody else
  mediaProblem.value = !media
  if (!me.value || engine.value) return
  if (!media) {
    setTimeout(() => (visible || guest !== null) && void start(), 3_000)
    return
  }
  const wall = new Wall({
    socket: live,
    tiles: MOST_TILES,
    relays: relaysOf(media),
    firsts: media.tracks < MOST_TILES ? [0, media.tracks] : [0],
    connect: (relay, first, onState) => {
      const spare = first === 0 ? spares.get(relay) : undefined
      if (spare) spares.delete(relay)
      const peer = spare ?? newPeer(media, relay, first)
      peer.onState = (changed) => {
        onState(changed)
        answered.resolve()
      }
      return peer
    },
    screen: (index) => (screens[index] ??= new VideoScreen()),
    poster: (id) => {
      const camera = cameras.byId.get(id)
      return camera?.picture_at ? pictureUrl(id, camera.picture_at) : null
    },
    still: async (id, stream, number) => {
      const got = await api.still(id, stream, number)
      const image = got && (await createImageBitmap(got.picture).catch(() => null))
      return got && image ? { image, age: got.age } : null
    },
    now: () => performance.now(),
    later: (ms, what) => void setTimeout(what, ms),
  })
  wall.listen((index) => {
    views[index] = viewOf(wall.tile(index))
    if (!settled.value && visible && views.every(({ phase }) => phase !== 'connecting' && phase !== 'waiting')) settled.value = true
    sharpen(index)
  })
  engine.value = wall
  soundAllowed.value = media.audio
  listener = new Sound({
    socket: live,
    speaker: new PageSpeaker(),
    track: (viewer) => wall.audioTrack(viewer),
    onChange: () => listener && Object.assign(sound, { camera: listener.camera, state: listener.state }),
    onRefused: (camera, reason) => (soundRefused.value = { camera, reason }),
  })
  ticker = setInterval(() => void wall.tick(), 1_000)
  // Browser journeys read what is really decoded; nothing can be steered by it.
  Object.defineProperty(window, '__wall', { configurable: true, get: () => ({ ...wall.snapshot(), sound: { ...sound } }) })
  apply()
}

function stop(): void {
  clearInterval(ticker)
  engine.value?.stop()
  engine.value = null
  listener?.stop()
  listener = null
  soundAllowed.value = false
  Object.assign(sound, { camera: null, state: 'off' })
  parameters = undefined
  guest = null
  answered = settling()
  for (const peer of spares.values()) peer.close()
  spares.clear()
  for (const screen of screens) screen?.dispose()
  screens.fill(null)
  for (let i = 0; i < MOST_TILES; i += 1) views[i] = viewOf(emptyTile(i))
  solo.value = null
}

watch(me, (who, before) => {
  if (before && who?.id !== before.id) stop() // what was asked before anybody was signed in is of use to whoever it is
})

/** A wall that is opened early asks for its cameras before it knows them. */
watch(cameras.loaded, (loaded) => loaded && engine.value?.postersKnown())

function isLarge(index: number): boolean {
  return solo.value === index || (solo.value === null && !passing && index === 0 && gridOf(scene.layout).large)
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

/** The large tile and the solo tile ask for the main stream; the hub falls back to the sub stream and says so. */
function apply(): void {
  const wall = engine.value
  if (!wall) return
  if (visible) wall.reach(tileCount(scene.layout))
  for (let index = 0; index < MOST_TILES; index += 1) {
    const camera = visible ? (scene.cameras[index] ?? null) : index === 0 ? guest : null
    wall.show(index, camera, qualityFor(wall.tile(index), camera, visible && isLarge(index)))
  }
  if (sound.camera !== null && !(visible && scene.cameras.includes(sound.camera))) listener?.listen(null)
}

/**
 * Why a tile's camera cannot be heard; null when it can, or when that is not known yet: while a tile changes its stream
 * nothing is known, and the hub lets the wish wait until it is.
 */
export function silenceOf(tile: Tile): string | null {
  return tile.audio === null || tile.audio === 'plays' ? null : `audio_${tile.audio}`
}

/** Switches a tile's sound on, and that of another one off; or off. */
export function toggleSound(index: number): void {
  const { tile } = views[index]!
  if (!listener || tile.camera === null) return
  if (sound.camera === tile.camera) return listener.listen(null)
  const reason = silenceOf(tile)
  if (reason) soundRefused.value = { camera: tile.camera, reason }
  else listener.listen(tile.camera)
}

/** While no wall page is open nothing is shown, so nothing is pulled; the connection stays for a quick return. */
export function setVisible(on: boolean): void {
  visible = on
  if (on) void start()
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
  if (asked) setScene(asked.layout, asked.cameras)
  setVisible(true)
}

/** When the hub has answered the first offer and reads what the page wants to see. */
export async function wallAnswered(): Promise<void> {
  const open = new Promise<void>((resolve) => {
    if (live.state === 'open') return resolve()
    const off = live.onState((state) => {
      if (state === 'connecting') return
      off()
      resolve()
    })
  })
  await Promise.all([answered.done, open])
}

export function screenOf(index: number): VideoScreen | null {
  return engine.value ? (screens[index] ?? null) : null
}

export function setScene(layout: LayoutName, ids: readonly (number | null)[], ofTour = false): void {
  passing = ofTour
  scene.layout = layout
  scene.cameras = fitted(layout, ids)
  solo.value = null
  if (selected.value >= tileCount(layout)) selected.value = 0
  apply()
}

/** Another grid for the same cameras; those that no longer fit are dropped from the end, empty tiles first. */
export function setLayout(layout: LayoutName): void {
  const room = tileCount(layout)
  let ids = [...scene.cameras]
  if (ids.slice(room).some((id) => id !== null)) ids = ids.filter((id) => id !== null)
  setScene(layout, ids)
}

export function put(index: number, camera: number | null): void {
  if (index < 0 || index >= tileCount(scene.layout)) return
  const elsewhere = camera === null ? -1 : scene.cameras.indexOf(camera)
  if (elsewhere >= 0 && elsewhere !== index) scene.cameras[elsewhere] = scene.cameras[index] ?? null // they change places
  scene.cameras[index] = camera
  apply()
}

/** Shows a camera where it is already, else in the selected tile if that is free, else in the next free one, else in the selected one. */
export function add(camera: number): number {
  const there = scene.cameras.indexOf(camera)
  if (there >= 0) {
    selected.value = there
    return there
  }
  const free = scene.cameras[selected.value] === null ? selected.value : scene.cameras.indexOf(null)
  const index = free >= 0 ? free : selected.value
  put(index, camera)
  const next = scene.cameras.indexOf(null)
  selected.value = free >= 0 && next >= 0 ? next : free >= 0 ? index : (index + 1) % tileCount(scene.layout)
  if (solo.value !== null) setSolo(index)
  return index
}

export function setSolo(index: number | null): void {
  solo.value = index !== null && scene.cameras[index] != null ? index : null
  if (solo.value !== null) selected.value = solo.value
  apply()
}

export function again(index: number): void {
  engine.value?.again(index)
}

export const control: WallControl = {
  showScene: (layout, ids) => setScene(layout, ids, true),
  shown: () => {
    const now = performance.now()
    const wall = visible ? engine.value : null
    const indices = solo.value === null ? Array.from({ length: tileCount(scene.layout) }, (_, index) => index) : [solo.value]
    return indices.flatMap((index): ShownTile[] => {
      const tile = wall?.tile(index)
      if (!tile || tile.camera === null) return []
      const screen = screens[index]
      const element = screen?.element.closest('[data-tile]') ?? null
      return [{ index, camera: tile.camera, element, frame: element?.parentElement ?? null, picture: pictureOf(tile, now), source: screen?.picture ?? null, still: tile.still }]
    })
  },
  scene: () => ({ layout: scene.layout, cameras: [...scene.cameras] }),
  selected: () => scene.cameras[selected.value] ?? null,
  select: (camera) => {
    const index = scene.cameras.indexOf(camera)
    if (index >= 0) selected.value = index
  },
}

/** The scene a user left the wall with, kept in this browser. */
export function remember(): void {
  if (!me.value) return
  try {
    localStorage.setItem(`wall:${me.value.id}`, JSON.stringify({ layout: scene.layout, cameras: scene.cameras }))
  } catch {
    /* storage is switched off */
  }
}

export function remembered(): SceneState | null {
  try {
    const kept = JSON.parse(localStorage.getItem(`wall:${me.value?.id}`) ?? 'null') as { layout?: unknown; cameras?: unknown } | null
    if (!kept || !isLayout(kept.layout) || !Array.isArray(kept.cameras)) return null
    return { layout: kept.layout, cameras: fitted(kept.layout, kept.cameras.map((id: unknown) => (Number.isInteger(id) ? (id as number) : null))) }
  } catch {
    return null
  }
}

export { engine }
