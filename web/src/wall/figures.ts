/** What a tile's overlay tells, from two readings of the hub and of the browser. Pure; counters become rates here. */
import type { TileFigures } from '@/api/types'

/** What the browser says of one received track (RTCInboundRtpStreamStats); times in seconds, counters since it began. */
export interface Inbound {
  at: number
  framesDecoded: number
  bufferDelay: number
  bufferEmitted: number
  freezes: number
}

export interface Reading {
  hub: TileFigures | null
  browser: Inbound | null
}

/** Rates and states over the time between two readings; null: not known (yet). Bit rates in bit/s, times in seconds. */
export interface TileRates {
  codec: string | null
  width: number | null
  height: number | null
  fps: number | null
  bitRate: number | null
  gopSeconds: number | null
  gopFrames: number | null
  gaps: number | null
  jitter: number | null
  lateness: number | null
  reopened: number | null
  dropped: number | null
  /** Frames lost by cause, and what else is peculiar: counters that are not 0. */
  losses: [string, number][]
  oddities: [string, number][]
  clock: 'well' | 'standing' | 'wrong_rate'
  /** False for key-frame pictures: nothing is sent to the browser's track. */
  video: boolean
  sentBitRate: number | null
  lossShare: number | null
  resent: number | null
  resentMissed: number | null
  keyAsked: number | null
  roundTrip: number | null
  sentDropped: number | null
  decodedFps: number | null
  buffer: number | null
  freezes: number | null
}

/** Per second, of a counter read twice; a counter that fell began anew. */
function rate(before: number | undefined, after: number, seconds: number): number | null {
  return before === undefined || seconds <= 0 || after < before ? null : (after - before) / seconds
}

const LOSSES = ['gap', 'broken', 'restart', 'no_parameter_sets', 'no_key_frame'] as const
const ODDITIES = ['repeats', 'foreign_payload', 'foreign_ssrc', 'stream_restarts'] as const

function counted(counters: [string, number][]): [string, number][] {
  return counters.filter(([, number]) => number > 0)
}

export function rates(before: Reading | null, after: Reading): TileRates {
  const { hub, browser } = after
  const feed = hub?.feed ?? null
  const hubSeconds = hub && before?.hub ? hub.at - before.hub.at : 0
  const pageSeconds = browser && before?.browser ? browser.at - before.browser.at : 0
  const bytes = feed ? rate(before?.hub?.feed?.bytes, feed.bytes, hubSeconds) : null
  const sent = hub?.sent ? rate(before?.hub?.sent?.bytes, hub.sent.bytes, hubSeconds) : null
  const emitted = browser && before?.browser ? browser.bufferEmitted - before.browser.bufferEmitted : 0
  return {
    codec: feed?.codec ?? null,
    width: feed?.width ?? null,
    height: feed?.height ?? null,
    fps: feed ? rate(before?.hub?.feed?.frames, feed.frames, hubSeconds) : null,
    bitRate: bytes === null ? null : bytes * 8,
    gopSeconds: feed?.gop_seconds ?? null,
    gopFrames: feed?.gop_frames ?? null,
    gaps: feed?.gaps ?? null,
    jitter: feed?.jitter ?? null,
    lateness: feed?.lateness ?? null,
    reopened: feed ? Math.max(0, feed.opens - 1) : null,
    dropped: feed?.dropped ?? null,
    losses: counted(LOSSES.map((cause) => [cause, feed?.[`lost_${cause}`] ?? 0])),
    oddities: counted(ODDITIES.map((name) => [name, feed?.[name] ?? 0])),
    clock: feed?.camera_clock ?? 'well',
    video: hub === null || hub.sent !== null,
    sentBitRate: sent === null ? null : sent * 8,
    lossShare: hub?.sent?.fraction_lost ?? null,
    resent: hub?.sent?.rtx ?? null,
    resentMissed: hub?.sent?.rtx_missed ?? null,
    keyAsked: hub?.sent?.pli ?? null,
    roundTrip: hub?.sent?.round_trip ?? null,
    sentDropped: hub?.sent?.dropped_frames ?? null,
    decodedFps: browser ? rate(before?.browser?.framesDecoded, browser.framesDecoded, pageSeconds) : null,
    buffer: emitted > 0 ? (browser!.bufferDelay - before!.browser!.bufferDelay) / emitted : null,
    freezes: browser?.freezes ?? null,
  }
}

export function bitRateText(bits: number | null): string {
  if (bits === null) return '—'
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(2)} Mbit/s` : `${Math.round(bits / 1e3)} kbit/s`
}

export function msText(seconds: number | null): string {
  return seconds === null ? '—' : `${Math.round(seconds * 1000)} ms`
}
