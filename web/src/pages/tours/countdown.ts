/** Time left of a run, by the hub's clock: right even on a wall PC whose own clock is wrong. */

import type { Run } from '@/api/types'

/**
 * Estimates local clock minus hub clock. A message carries the hub's time when it was sent and arrives a little later, so
 * every sample is the true difference plus a delay; the smallest of the last samples is the best.
 */
export class ClockDifference {
  private samples: number[] = []

  constructor(private readonly keep = 12) {}

  addSample(hubNow: string, localMs: number): void {
    const hub = Date.parse(hubNow)
    if (Number.isNaN(hub)) return
    this.samples.push(localMs - hub)
    if (this.samples.length > this.keep) this.samples.shift()
  }

  /** Milliseconds to subtract from local time to get the hub's. 0 before the first sample. */
  get ms(): number {
    return this.samples.length === 0 ? 0 : Math.min(...this.samples)
  }
}

type Clocked = Pick<Run, 'state' | 'time_left_s' | 'now'>

/** Seconds left of the present stop at `hubMs` (hub time). A paused run stands still; an ended one has none. */
export function secondsLeft(run: Clocked, hubMs: number): number {
  if (run.state === 'ended') return 0
  if (run.state === 'paused') return Math.max(0, run.time_left_s)
  const passed = Math.max(0, (hubMs - Date.parse(run.now)) / 1000)
  return Math.max(0, run.time_left_s - passed)
}

/** 0…1 of the present stop, which stands for `dwell` seconds, that has passed. */
export function stopProgress(run: Clocked, dwell: number, hubMs: number): number {
  if (dwell <= 0) return 0
  return Math.min(1, Math.max(0, 1 - secondsLeft(run, hubMs) / dwell))
}

/** "0:07", "12:30", "1:02:05": rounded up, so that 0:00 means over. */
export function clockText(seconds: number): string {
  const whole = Math.ceil(Math.max(0, seconds) - 1e-6)
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const rest = String(whole % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

/** Of two states of one run the newer: by revision, then by the hub's time. */
export function newerRun<T extends Pick<Run, 'id' | 'revision' | 'now'>>(known: T | null, arrived: T): T {
  if (known === null || known.id !== arrived.id) return arrived
  if (arrived.revision !== known.revision) return arrived.revision > known.revision ? arrived : known
  return Date.parse(arrived.now) >= Date.parse(known.now) ? arrived : known
}
