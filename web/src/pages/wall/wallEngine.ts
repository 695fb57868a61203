/** The one wall engine of this page, kept for as long as somebody is signed in: its connections, screens and sound, for Vue. */
import { ref, shallowReactive, shallowRef, watch } from 'vue'
import { api, pictureUrl } from '@/api/client'
import type { MediaAnswer } from '@/api/types'
import { onWake } from '@/live/wake'
import { cameras, live, me } from '@/stores'
import { MOST_SLOTS } from '@/wall/layout'
import { Peer } from '@/wall/peer'
import { VideoScreen } from '@/wall/screen'
import { PageSpeaker, Sound, type SoundState } from '@/wall/sound'
import { emptyTile, phaseOf, pictureOf, type Phase, type Tile } from '@/wall/tile'
import { Wall } from '@/wall/wall'

export interface TileView {
  tile: Tile
  phase: Phase
  picture: 'moving' | 'old' | 'none'
  /** ms since the last new frame; for "… ago". */
  age: number
}

export const engine = shallowRef<Wall | null>(null)
const screens = Array.from({ length: MOST_SLOTS }, () => null as VideoScreen | null)
export const views = shallowReactive<TileView[]>(Array.from({ length: MOST_SLOTS }, (_, i) => viewOf(emptyTile(i))))

/** Whether this site has sound and this user may hear it. */
export const soundAllowed = ref(false)
/** The camera being listened to. A refusal is shown once, by the page that watches `soundRefused`. */
export const sound = shallowReactive<SoundState>({ camera: null, state: 'off' })
export const soundRefused = shallowRef<{ camera: number; reason: string } | null>(null)
/** True when there can be no live video at all: GET /api/media failed. */
export const mediaProblem = ref(false)

/** What the page does with the engine: told when it has come, when a tile may have changed, and when it is gone. */
interface Owner {
  /** Whether anything is to be shown; without that a hub that does not answer is not asked again. */
  wanted(): boolean
  begun(): void
  tileChanged(index: number): void
  ended(): void
}

let owner: Owner = { wanted: () => false, begun: () => undefined, tileChanged: () => undefined, ended: () => undefined }
let listener: Sound | null = null
/** The hub's media parameters, asked for once per session; null: they could not be read. */
let parameters: Promise<MediaAnswer | null> | undefined
/** Peers made ahead of time, each with its offer ready, for the wall that is opened next. */
const spares = new Map<number, Peer>()
/** Settled when the hub has answered the first offer, or has refused it. */
let answered = settling()
let starting = false
let ticker: ReturnType<typeof setInterval> | undefined

export function ownedBy(what: Owner): void {
  owner = what
}

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
    tracks: first ? MOST_SLOTS - first : media.tracks,
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
  if (me.value?.id !== user) return void (owner.wanted() && start()) // signed out meanwhile, and perhaps in as somebody else
  mediaProblem.value = !media
  if (!me.value || engine.value) return
  if (!media) {
    setTimeout(() => owner.wanted() && void start(), 3_000)
    return
  }
  const wall = new Wall({
    socket: live,
    tiles: MOST_SLOTS,
    relays: relaysOf(media),
    firsts: media.tracks < MOST_SLOTS ? [0, media.tracks] : [0],
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
    owner.tileChanged(index)
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
  owner.begun()
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
  answered = settling()
  for (const peer of spares.values()) peer.close()
  spares.clear()
  for (const screen of screens) screen?.dispose()
  screens.fill(null)
  for (let i = 0; i < MOST_SLOTS; i += 1) views[i] = viewOf(emptyTile(i))
  owner.ended()
}

watch(me, (who, before) => {
  if (before && who?.id !== before.id) stop() // what was asked before anybody was signed in is of use to whoever it is
})

/** A wall that is opened early asks for its cameras before it knows them. */
watch(cameras.loaded, (loaded) => loaded && engine.value?.postersKnown())

/** The computer slept, or its network has changed: what was connected may be so no longer. */
onWake(() => void engine.value?.woken())

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

/** What is shown no longer is heard no longer. */
export function silenceUnless(shown: (camera: number) => boolean): void {
  if (sound.camera !== null && !shown(sound.camera)) listener?.listen(null)
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

export function again(index: number): void {
  engine.value?.again(index)
}
