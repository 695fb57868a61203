/**
 * The state of one tile: the pure state machine behind "every tile says what it shows".
 *
 * The hub says what it does for the tile (`hubState`); the browser says when a new frame was really seen. Only both together make
 * a tile live: if the hub says live but no new frame comes the tile is stalled, and a frame of the previous camera does not count.
 */
import type { TileMessage } from '@/api/types'

export type Quality = 'auto' | 'main' | 'sub'

/**
 * `reconnecting`: our own way to the hub's relay is broken; `stalled`: no new frame though the hub sends; `pictures`: this
 * browser cannot play any stream of the camera, and shows one still per key frame.
 */
export type Phase = 'empty' | 'connecting' | 'waiting' | 'live' | 'pictures' | 'stalled' | 'failed' | 'refused' | 'reconnecting'

export interface Tile {
  index: number
  camera: number | null
  quality: Quality
  /** Grows with every show; messages about an older one are not about this picture. */
  serial: number
  hubState: TileMessage['state']
  reason: string | null
  detail: string
  /** Values for the page's own words about the reason, of the same observation. */
  params: Record<string, string | number>
  /** When the fault began, by the hub; ms. */
  since: number | null
  /** When a refused login is tried again, by the hub; ms. */
  retryAt: number | null
  stream: 'main' | 'sub' | null
  codec: string | null
  /** What the stream's sound is; null: not known, or the site has none. */
  audio: NonNullable<TileMessage['audio']> | null
  audioCodec: string | null
  /** The number of the last key-frame picture, and how many ms lie between two. */
  picture: number | null
  interval: number | null
  /** Whether what is seen is such a picture, and no video. */
  still: boolean
  /** Live, but not as wished: what the hub does about a poor link. */
  note: TileMessage['note'] | null
  /** When this camera was put here, and when the hub first said live; ms of the page's clock. */
  shownAt: number
  liveAt: number | null
  /** RTP timestamp of this camera's first frame in the track; null: the hub has not said it. */
  firstRtp: number | null
  /** When the last new frame of this camera was seen; null: none yet. */
  frameAt: number | null
  /** False while the peer connection that carries the tile is down. */
  carried: boolean
}

/** A frame as the browser reports it: when it was received (ms of the page's clock), its 32-bit RTP timestamp if known. */
export interface FrameSeen {
  receivedAt: number
  rtp?: number
}

export const STALL_MS = 4_000
/** A key-frame picture is old after three intervals; as long as only one has come, the longest usual interval counts. */
const OLD_INTERVALS = 3
const UNKNOWN_INTERVAL_MS = 10_000
/** Key frames alone come seconds apart, over a poor link even some ten. */
export const KEYS_STALL_MS = 20_000

export function emptyTile(index: number): Tile {
  return {
    index,
    camera: null,
    quality: 'auto',
    serial: 0,
    hubState: 'empty',
    reason: null,
    detail: '',
    params: {},
    since: null,
    retryAt: null,
    stream: null,
    codec: null,
    audio: null,
    audioCodec: null,
    picture: null,
    interval: null,
    still: false,
    note: null,
    shownAt: 0,
    liveAt: null,
    firstRtp: null,
    frameAt: null,
    carried: false,
  }
}

/** Another camera or quality is wanted. A new camera has no frame yet; a new quality keeps the picture it has. */
export function requested(tile: Tile, camera: number | null, quality: Quality, now: number): Tile {
  const next: Tile = { ...tile, quality, serial: tile.serial + 1 }
  if (camera === tile.camera) return camera === null ? next : { ...next, hubState: tile.hubState === 'live' || tile.hubState === 'pictures' ? tile.hubState : 'connecting' }
  return {
    ...emptyTile(tile.index),
    camera,
    quality,
    serial: next.serial,
    hubState: camera === null ? 'empty' : 'connecting',
    shownAt: now,
    carried: tile.carried,
  }
}

/** The hub says what it does. Messages of an older serial, or of another camera, are not for us. */
export function withMessage(tile: Tile, message: TileMessage, now: number): Tile {
  if (message.serial !== tile.serial || message.camera !== tile.camera) return tile
  return {
    ...tile,
    hubState: message.state,
    reason: message.reason ?? null,
    detail: message.detail,
    params: message.params ?? {},
    since: message.since ? Date.parse(message.since) : null,
    retryAt: message.retry_at ? Date.parse(message.retry_at) : null,
    stream: message.stream ?? null,
    codec: message.codec ?? null,
    audio: message.audio ?? null,
    audioCodec: message.audio_codec ?? null,
    picture: message.picture ?? null,
    interval: message.interval != null ? message.interval * 1_000 : tile.interval,
    note: message.note ?? null,
    liveAt: message.state === 'live' ? (tile.hubState === 'live' ? (tile.liveAt ?? now) : now) : null,
    firstRtp: message.first_rtp ?? null,
  }
}

/** A frame was seen. Until the first one of this camera is accepted, those of the camera before must not be shown under its name. */
export function withFrame(tile: Tile, frame: FrameSeen, now: number): Tile {
  if (tile.camera === null || tile.hubState === 'pictures' || (tile.frameAt === null && !isOwn(tile, frame))) return tile
  return { ...tile, frameAt: now, still: false }
}

/** A key-frame picture of this camera is seen, whose key frame came at `at`. */
export function withStill(tile: Tile, at: number): Tile {
  return { ...tile, frameAt: at, still: true }
}

function freshFor(tile: Tile): number {
  if (tile.still) return Math.max(STALL_MS, OLD_INTERVALS * (tile.interval ?? UNKNOWN_INTERVAL_MS))
  return tile.note === 'link_keys' ? KEYS_STALL_MS : STALL_MS
}

/**
 * The hub names the RTP timestamp that this camera begins with. Where the browser reports none, what was received before
 * the hub said live counts as the previous camera's.
 */
function isOwn(tile: Tile, frame: FrameSeen): boolean {
  if (tile.liveAt === null) return false
  if (tile.firstRtp === null || frame.rtp === undefined) return frame.receivedAt >= tile.liveAt
  return ((frame.rtp - tile.firstRtp) | 0) >= 0 // 32 bits that wrap
}

/** The peer connection broke (the last picture stays, marked old) or stands again. */
export function withConnection(tile: Tile, up: boolean): Tile {
  return tile.carried === up ? tile : { ...tile, carried: up }
}

/**
 * What to ask for in a tile that is to show `camera`. A large picture gets the main stream, but only once the tile stream has
 * said how it goes: that one may be running (a tour warms it), so the camera is seen at once and becomes sharp a moment later.
 */
export function qualityFor(tile: Tile, camera: number | null, large: boolean): Quality {
  if (!large || camera === null || tile.camera !== camera) return 'auto'
  return tile.quality === 'main' || settled(tile) ? 'main' : 'auto'
}

function settled(tile: Tile): boolean {
  return tile.hubState === 'live' || tile.hubState === 'pictures' ? tile.frameAt !== null : tile.hubState === 'failed' || tile.hubState === 'refused'
}

export function phaseOf(tile: Tile, now: number): Phase {
  if (tile.camera === null) return 'empty'
  if (tile.hubState === 'failed' || tile.hubState === 'refused') return tile.hubState
  const age = tile.frameAt === null ? Infinity : now - tile.frameAt
  const fresh = age <= freshFor(tile)
  if (tile.hubState === 'pictures') return !tile.still ? 'connecting' : fresh ? 'pictures' : 'stalled' // they come by no peer connection
  if (!tile.carried) return fresh ? (tile.still ? 'pictures' : 'live') : tile.frameAt === null ? 'connecting' : 'reconnecting'
  if (tile.hubState !== 'live') return tile.hubState === 'waiting' ? 'waiting' : 'connecting'
  if (tile.frameAt === null || tile.still) return now - (tile.liveAt ?? now) > (tile.note === 'link_keys' ? KEYS_STALL_MS : STALL_MS) ? 'stalled' : 'connecting'
  return fresh ? 'live' : 'stalled'
}

/** What stands in the tile: a moving picture, an old one (grey, with its age), or none (the stored picture stands in). */
export function pictureOf(tile: Tile, now: number): 'moving' | 'old' | 'none' {
  if (tile.camera === null || tile.frameAt === null) return 'none'
  return now - tile.frameAt <= freshFor(tile) ? 'moving' : 'old'
}
