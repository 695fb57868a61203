/** What is due: which patrols a person is prompted for, how the list of the day reads, and where patrols meet. Pure. */
import type { components } from '@/api/schema'

export type Occurrence = components['schemas']['OccurrenceAnswer']
/** One that can be started: it is stored. */
export type DueOccurrence = Occurrence & { id: number }
/** How it is shown: an occurrence that is due counts as `coming` until its time. */
export type Shown = Occurrence['state'] | 'coming'

export const MINUTE_MS = 60_000
export const LATER_MS = 10 * MINUTE_MS

export function isStored(one: Occurrence): one is DueOccurrence {
  return one.id !== null
}

export function shownState(one: Occurrence, nowMs: number): Shown {
  return one.state === 'due' && Date.parse(one.due_at) > nowMs ? 'coming' : one.state
}

/** Whether its tour has stops: one that was deleted or emptied since cannot be started any more. */
export function hasTour(one: Pick<Occurrence, 'stops'>): boolean {
  return one.stops > 0
}

/** Whether it can be started now: as long before its time as the grace after it. */
export function canStart(one: Occurrence, nowMs: number): boolean {
  if (!isStored(one) || !hasTour(one) || (one.state !== 'due' && one.state !== 'late')) return false
  const due = Date.parse(one.due_at)
  return nowMs >= due - (Date.parse(one.late_at) - due) && nowMs < Date.parse(one.over_at)
}

export interface Person {
  id: number
  /** Runs a patrol at present. */
  busy: boolean
}

/**
 * What the person is prompted for, the most urgent first. Those whom the plan names are prompted first; once it is late, everybody
 * who is free is. `later`: the person has put it off until then (ms).
 */
export function promptsFor(list: readonly DueOccurrence[], person: Person, nowMs: number, later: ReadonlyMap<number, number>): DueOccurrence[] {
  if (person.busy) return []
  return list
    .filter((one) => one.state === 'late' || (one.state === 'due' && Date.parse(one.due_at) <= nowMs))
    .filter((one) => nowMs < Date.parse(one.over_at) && hasTour(one))
    .filter((one) => !one.declined.includes(person.id) && nowMs >= (later.get(one.id) ?? 0))
    .filter((one) => !one.people.length || one.state === 'late' || one.people.includes(person.id))
    .sort((a, b) => Date.parse(a.over_at) - Date.parse(b.over_at) || Date.parse(a.due_at) - Date.parse(b.due_at) || a.id - b.id)
}

/** Whether one patrol counts for both: the same tour by two plans, due within the grace of both. */
export function countsForBoth(a: Occurrence, b: Occurrence): boolean {
  const apart = Math.abs(Date.parse(a.due_at) - Date.parse(b.due_at))
  return a.tour_id === b.tour_id && a.plan_id !== b.plan_id && apart <= grace(a) && apart <= grace(b)
}

function grace(one: Occurrence): number {
  return Date.parse(one.late_at) - Date.parse(one.due_at)
}

export type Meeting = { kind: 'merged' | 'overlap'; with: Occurrence }

/** For each occurrence that meets another one, the first it meets. `list` is in order of time. */
export function meetings(list: readonly Occurrence[]): Map<Occurrence, Meeting> {
  const found = new Map<Occurrence, Meeting>()
  const longest = Math.max(0, ...list.map((one) => Math.max(one.duration_s * 1000, grace(one))))
  list.forEach((one, place) => {
    for (let next = place + 1; next < list.length; next++) {
      const other = list[next]!
      const apart = Date.parse(other.due_at) - Date.parse(one.due_at)
      if (apart > longest) break
      const kind = countsForBoth(one, other) ? 'merged' : apart === 0 || apart < one.duration_s * 1000 ? 'overlap' : null
      if (!kind) continue
      if (found.get(one)?.kind !== 'merged') found.set(one, { kind, with: other })
      if (found.get(other)?.kind !== 'merged') found.set(other, { kind, with: one })
    }
  })
  return found
}

export type DayCounts = Record<'late' | 'missed' | 'done' | 'open', number>

/** What became of the occurrences that have been due. */
export function countsOf(list: readonly Occurrence[], nowMs: number): DayCounts {
  const counts = { late: 0, missed: 0, done: 0, open: 0 }
  for (const one of list) {
    const state = shownState(one, nowMs)
    if (state === 'coming') continue
    if (state === 'late') counts.late += 1
    if (state === 'missed') counts.missed += 1
    else if (state === 'done') counts.done += 1
    else counts.open += 1
  }
  return counts
}
