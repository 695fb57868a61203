import { describe, expect, it } from 'vitest'
import type { TileFigures } from '@/api/types'
import { bitRateText, msText, rates, type Inbound, type Reading } from '@/wall/figures'

function hub(at: number, feed: Partial<NonNullable<TileFigures['feed']>> | null, sent: Partial<NonNullable<TileFigures['sent']>> | null = {}): TileFigures {
  return {
    track: 0,
    at,
    feed: feed && { codec: 'h264', width: 640, height: 360, packets: 0, bytes: 0, frames: 0, key_frames: 0, gop_seconds: 2, gop_frames: 50, gaps: 0, dropped: 0, bad_packets: 0, repeats: 0, foreign_payload: 0, foreign_ssrc: 0, stream_restarts: 0, lost_gap: 0, lost_broken: 0, lost_restart: 0, lost_no_parameter_sets: 0, lost_no_key_frame: 0, loss_percent: 0, camera_clock: 'well', jitter: 0.002, lateness: 0, opens: 1, failures: 0, ...feed },
    sent: sent && { packets: 0, bytes: 0, frames: 0, rtx: 0, rtx_missed: 0, pli: 0, replays: 0, dropped_frames: 0, lost: 0, fraction_lost: 0, round_trip: null, ...sent },
  }
}

function browser(at: number, values: Partial<Inbound> = {}): Inbound {
  return { at, framesDecoded: 0, bufferDelay: 0, bufferEmitted: 0, freezes: 0, ...values }
}

describe('what a tile overlay tells', () => {
  it('makes rates of two readings', () => {
    const before: Reading = { hub: hub(10, { bytes: 1_000, frames: 100 }, { bytes: 500 }), browser: browser(50, { framesDecoded: 10, bufferDelay: 1, bufferEmitted: 20 }) }
    const after: Reading = { hub: hub(12, { bytes: 251_000, frames: 150, opens: 3 }, { bytes: 250_500, fraction_lost: 0.05 }), browser: browser(52, { framesDecoded: 60, bufferDelay: 3, bufferEmitted: 70 }) }
    const told = rates(before, after)
    expect(told).toMatchObject({ bitRate: 1_000_000, fps: 25, sentBitRate: 1_000_000, decodedFps: 25, lossShare: 0.05, reopened: 2 })
    expect(told.buffer).toBeCloseTo(0.04)
  })

  it('tells no rate from one reading, nor of a counter that began anew', () => {
    const one = rates(null, { hub: hub(10, { bytes: 1_000 }), browser: null })
    expect([one.bitRate, one.fps, one.decodedFps, one.buffer]).toEqual([null, null, null, null])
    expect(one.codec).toBe('h264')
    const fell = rates({ hub: hub(10, { bytes: 9_000, frames: 90 }), browser: null }, { hub: hub(12, { bytes: 1_000, frames: 10 }), browser: null })
    expect([fell.bitRate, fell.fps]).toEqual([null, null])
  })

  it('says nothing of a camera whose feed does not run', () => {
    const told = rates(null, { hub: hub(10, null), browser: null })
    expect([told.codec, told.gaps, told.reopened]).toEqual([null, null, null])
  })

  it('names the causes of lost frames, and what is peculiar, where there is any', () => {
    const told = rates(null, { hub: hub(10, { lost_gap: 41, lost_broken: 0, foreign_payload: 3, camera_clock: 'standing' }), browser: null })
    expect([told.losses, told.oddities, told.clock]).toEqual([[['gap', 41]], [['foreign_payload', 3]], 'standing'])
  })

  it('tells of key-frame pictures what comes from the camera', () => {
    const told = rates({ hub: hub(10, { frames: 0 }, null), browser: null }, { hub: hub(12, { frames: 50 }, null), browser: null })
    expect([told.video, told.fps, told.sentBitRate]).toEqual([false, 25, null])
    expect(rates(null, { hub: null, browser: null }).video).toBe(true)
  })

  it('writes rates and times as people read them', () => {
    expect([bitRateText(null), bitRateText(512_300), bitRateText(2_048_000)]).toEqual(['—', '512 kbit/s', '2.05 Mbit/s'])
    expect([msText(null), msText(0.0124)]).toEqual(['—', '12 ms'])
  })
})
