/** The history of one camera, as the hub sums it up → what the health file draws. */
import type { CurvePoint, Observation, StateSpan } from '@/api/types'

export interface Segment {
  from: number
  to: number
  /** null: well. */
  reason: string | null
}

export interface Line {
  name: 'signalling_ms' | 'stream_ms' | 'key_frame_ms'
  points: [number, number | null][]
}

/** The most severe first: a camera whose media does not come has no picture to judge. */
const ASPECTS = ['media', 'picture', 'clock'] as const

/**
 * The state of the camera over time, combined from its aspects. Each aspect is judged by the looks that measured it alone:
 * most looks fetch no picture, and so do not tell whether it is frozen. Where no look was made there is no segment.
 */
export function stateBar(spans: readonly StateSpan[]): Segment[] {
  const parts = spans.map((span) => ({ aspect: span.aspect, from: Date.parse(span.since), to: Date.parse(span.until), reason: span.reason }))
  const edges = [...new Set(parts.flatMap((part) => [part.from, part.to]))].sort((a, b) => a - b)
  const byAspect = ASPECTS.map((aspect) => parts.filter((part) => part.aspect === aspect).sort((a, b) => a.from - b.from))
  const at = ASPECTS.map(() => 0)
  const result: Segment[] = []
  edges.slice(0, -1).forEach((from, index) => {
    const to = edges[index + 1] as number
    const known = byAspect.flatMap((own, n) => {
      while ((own[at[n] as number]?.to ?? Infinity) <= from) at[n] = (at[n] as number) + 1
      const part = own[at[n] as number]
      return part !== undefined && part.from <= from ? [part.reason] : []
    })
    if (!known.length) return
    const reason = known.find((one) => one !== null) ?? null
    const last = result.at(-1)
    if (last !== undefined && last.reason === reason && last.to === from) last.to = to
    else result.push({ from, to, reason })
  })
  return result
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
