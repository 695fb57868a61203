/** The history of one camera, as the hub sums it up → what the health file draws. */
import type { CurvePoint, Observation } from '@/api/types'

export interface Line {
  name: 'signalling_ms' | 'stream_ms' | 'key_frame_ms'
  points: [number, number | null][]
}

/** Three delays over time; where nothing was measured the line has a gap. */
export function delayLines(points: readonly CurvePoint[]): Line[] {
  return (['signalling_ms', 'stream_ms', 'key_frame_ms'] as const).map((name) => ({
    name,
    points: points.map((point) => [Date.parse(point.at), point[name]]),
  }))
}

/** What a look found: a fault, a good picture, or only that the camera answers. */
export function lookResult(look: Pick<Observation, 'reason' | 'picture'>): 'fault' | 'good' | 'answers' {
  if (look.reason !== null) return 'fault'
  return look.picture === null ? 'answers' : 'good'
}

/** A point of a curve in words; where nothing was measured the chart hands over NaN, null or "-". */
export function measuredText(value: unknown, unit: string): string {
  return typeof value === 'number' && Number.isFinite(value) ? `${Math.round(value * 10) / 10} ${unit}` : '—'
}
