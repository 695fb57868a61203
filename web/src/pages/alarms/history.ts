/** Observations of one camera → what the health file draws. */

import type { Observation } from '../parts/shapes'

export interface Segment {
  from: number
  to: number
  reason: string | null
}

export interface Line {
  name: 'signalling_ms' | 'stream_ms' | 'key_frame_ms'
  points: [number, number | null][]
}

/** Oldest first, whatever order the hub sent. */
export function inOrder(observations: readonly Observation[]): Observation[] {
  return [...observations].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

/**
 * Stretches of one state. An observation holds until the next; where none came for longer than `gapMs` the stretch
 * ends there: not having looked is not "healthy".
 */
export function segments(ordered: readonly Observation[], endMs: number, gapMs: number): Segment[] {
  const result: Segment[] = []
  ordered.forEach((seen, index) => {
    const from = Date.parse(seen.at)
    const following = ordered[index + 1]
    const until = Math.min(following === undefined ? endMs : Date.parse(following.at), from + gapMs)
    const last = result.at(-1)
    if (last !== undefined && last.reason === seen.reason && last.to >= from) last.to = Math.max(from, until)
    else result.push({ from, to: Math.max(from, until), reason: seen.reason })
  })
  return result
}

/** Three delays over time; a look that did not get as far leaves a gap in its line. */
export function delayLines(ordered: readonly Observation[]): Line[] {
  return (['signalling_ms', 'stream_ms', 'key_frame_ms'] as const).map((name) => ({
    name,
    points: ordered.map((seen) => [Date.parse(seen.at), seen[name]]),
  }))
}

export interface Summary {
  looks: number
  bad: number
  median: number | null
}

/** How many looks, how many of them bad, and the median time to a key frame. */
export function summary(ordered: readonly Observation[]): Summary {
  const delays = ordered.flatMap((seen) => seen.key_frame_ms ?? []).sort((a, b) => a - b)
  return {
    looks: ordered.length,
    bad: ordered.filter((seen) => seen.reason !== null).length,
    median: delays.length === 0 ? null : (delays[Math.floor((delays.length - 1) / 2)] ?? null),
  }
}
