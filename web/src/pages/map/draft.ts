/** A key place being drawn, or drawn again: points that can be set, moved and taken away, step by step undone. Pure. */
import { crossesItself, type LngLat } from './geo'

export type Kind = 'point' | 'line' | 'area'

export interface Draft {
  readonly kind: Kind
  readonly points: readonly LngLat[]
  readonly past: readonly (readonly LngLat[])[]
  /** Whether clicks on the map still add points. */
  readonly open: boolean
}

/** What the hub keeps of a place at most. */
export const MOST_POINTS = 200
const MOST_STEPS = 100

export function newDraft(kind: Kind): Draft {
  return { kind, points: [], past: [], open: true }
}

export function draftOf(kind: Kind, points: readonly LngLat[]): Draft {
  return { kind, points, past: [], open: false }
}

function changed(draft: Draft, points: readonly LngLat[]): Draft {
  return { ...draft, points, past: [...draft.past, draft.points].slice(-MOST_STEPS) }
}

/** A click on the map: another point; of a point its new place. The same place twice in a row (a double click) adds nothing. */
export function added(draft: Draft, point: LngLat): Draft {
  if (draft.kind === 'point') return changed(draft, [point])
  const last = draft.points.at(-1)
  if (!draft.open || draft.points.length >= MOST_POINTS || (last && last[0] === point[0] && last[1] === point[1])) return draft
  return changed(draft, [...draft.points, point])
}

export function movedPoint(draft: Draft, index: number, to: LngLat): Draft {
  return index in draft.points ? changed(draft, draft.points.map((one, i) => (i === index ? to : one))) : draft
}

/** A new point on the side that begins at `index`. */
export function inserted(draft: Draft, index: number, at: LngLat): Draft {
  if (draft.points.length >= MOST_POINTS) return draft
  return changed(draft, [...draft.points.slice(0, index + 1), at, ...draft.points.slice(index + 1)])
}

export function leastPoints(kind: Kind): number {
  return { point: 1, line: 2, area: 3 }[kind]
}

/** Takes a point away. One that is needed stays, unless the drawing has only begun. */
export function removed(draft: Draft, index: number): Draft {
  if (!(index in draft.points) || (!draft.open && draft.points.length <= leastPoints(draft.kind))) return draft
  return changed(draft, draft.points.filter((_, i) => i !== index))
}

export function undone(draft: Draft): Draft {
  const before = draft.past.at(-1)
  return before ? { ...draft, points: before, past: draft.past.slice(0, -1) } : draft
}

/** Done with adding points; they can still be moved. */
export function closed(draft: Draft): Draft {
  return { ...draft, open: false }
}

/** The middles of the sides, where a point can be put in; none while points are still being added. */
export function middles(draft: Draft): { index: number; at: LngLat }[] {
  if (draft.open || draft.kind === 'point') return []
  const { points } = draft
  const sides = draft.kind === 'area' ? points.length : points.length - 1
  return Array.from({ length: Math.max(0, sides) }, (_, index) => {
    const [a, b] = [points[index]!, points[(index + 1) % points.length]!]
    return { index, at: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] as const }
  })
}

export type DraftProblem = 'few' | 'crosses'

/** Why it cannot be saved yet; null when it can. */
export function problemOf(draft: Draft): DraftProblem | null {
  if (draft.points.length < leastPoints(draft.kind)) return 'few'
  return draft.kind === 'area' && crossesItself(draft.points) ? 'crosses' : null
}
