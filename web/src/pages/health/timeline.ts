/** Intervals of a span of time → lanes of the health file, one per aspect, 1000 units wide; and the times below them. */
import type { components } from '@/api/schema'
import { asUtc } from '@/siteTime'

export type AspectInterval = components['schemas']['AspectIntervalAnswer']
export type LaneAspect = AspectInterval['aspect']

export const LANES = ['reachable', 'media', 'picture', 'clock', 'recording', 'osd'] as const satisfies readonly LaneAspect[]
export const WIDTH = 1000
/** A fault of seconds in a week is still seen. */
const NARROWEST = 2.5

export interface Span {
  from: number
  to: number
}
export interface Bar extends Span {
  x: number
  w: number
  fault: boolean
  cause: string | null
  /** It lasts. */
  open: boolean
}
export interface Lane {
  aspect: LaneAspect
  bars: Bar[]
  /** How long it was a fault within the span, ms. */
  faulty: number
}

function place(from: number, to: number, span: Span): { x: number; w: number } | null {
  const begin = Math.max(from, span.from)
  const end = Math.min(to, span.to)
  if (end <= begin || span.to <= span.from) return null
  const unit = WIDTH / (span.to - span.from)
  const w = Math.max((end - begin) * unit, NARROWEST)
  return { x: Math.min((begin - span.from) * unit, WIDTH - w), w }
}

/** The lanes of aspects that are known. What is not known leaves a gap. Faults come last, so that a brief one is drawn over its neighbours. */
export function lanes(states: readonly AspectInterval[], span: Span): Lane[] {
  return LANES.flatMap((aspect) => {
    const own = states.filter((one) => one.aspect === aspect)
    if (!own.length) return []
    const bars = own.flatMap((one): Bar[] => {
      const [from, to] = [Date.parse(one.since), one.until === null ? span.to : Date.parse(one.until)]
      const placed = place(from, to, span)
      return placed ? [{ ...placed, from, to, fault: one.state === 'fault', cause: one.cause, open: one.until === null }] : []
    })
    const faulty = bars.filter((bar) => bar.fault).reduce((sum, bar) => sum + Math.min(bar.to, span.to) - Math.max(bar.from, span.from), 0)
    return [{ aspect, bars: bars.sort((a, b) => Number(a.fault) - Number(b.fault) || a.from - b.from), faulty }]
  })
}

/** The faults of all lanes, the latest first. */
export function spells(found: readonly Lane[], most: number): (Bar & { aspect: LaneAspect })[] {
  return found
    .flatMap((lane) => lane.bars.filter((bar) => bar.fault).map((bar) => ({ ...bar, aspect: lane.aspect })))
    .sort((a, b) => b.from - a.from)
    .slice(0, most)
}

/** Where something else (an exclusion) was in force: shaded over all lanes. */
export function shades<T extends { since: string; until: string | null }>(parts: readonly T[], span: Span): (T & { x: number; w: number })[] {
  return parts.flatMap((part) => {
    const placed = place(Date.parse(part.since), part.until === null ? span.to : Date.parse(part.until), span)
    return placed ? [{ ...part, ...placed }] : []
  })
}

const MINUTE = 60_000
const STEPS = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080, 20_160].map((minutes) => minutes * MINUTE)
const LONGEST = 44_640 * MINUTE

/** Round times of the site's clock within the span, at most `most`. `day`: it is a midnight, so that its date is told. */
export function ticks(span: Span, most = 7): { x: number; at: number; day: boolean }[] {
  if (span.to <= span.from) return []
  const step = STEPS.find((one) => (span.to - span.from) / one <= most) ?? LONGEST
  const shift = asUtc(span.from) - span.from // the site's clock minus UTC at the beginning
  const result = []
  for (let local = Math.ceil((span.from + shift) / step) * step; local - shift <= span.to; local += step) {
    const at = local - shift
    result.push({ x: ((at - span.from) / (span.to - span.from)) * WIDTH, at, day: local % (1_440 * MINUTE) === 0 })
  }
  return result
}
