/** The order of the alarm list, and how it stays still under the pointer. */

import type { Alarm } from '@/api/types'

type Ordered = Pick<Alarm, 'id' | 'opened_at' | 'closed_at'>

/** Open before closed; the newest on top in each. */
export function byUrgency(a: Ordered, b: Ordered): number {
  const open = Number(a.closed_at !== null) - Number(b.closed_at !== null)
  if (open !== 0) return open
  const stamp = (alarm: Ordered): number => Date.parse(alarm.closed_at ?? alarm.opened_at)
  return stamp(b) - stamp(a) || b.id - a.id
}

export type Filter = 'all' | 'open' | 'unacknowledged'

export function matches(alarm: Alarm, filter: Filter, village: number | null): boolean {
  if (village !== null && alarm.village_id !== village) return false
  if (filter === 'all') return true
  if (alarm.closed_at !== null) return false
  return filter === 'open' || alarm.acknowledged_at === null
}

export interface Arranged<T> {
  shown: T[]
  /** How many new alarms wait above the list until the pointer leaves it. */
  waiting: number
}

/**
 * Sorted alarms. While the pointer is over the list, `held` are the ids on the screen: rows keep their place, what
 * has left the filter stays until the pointer goes, and new rows are only counted: a click never hits another alarm
 * than the one aimed at.
 */
export function arrange<T extends Ordered>(
  wanted: readonly T[],
  all: ReadonlyMap<number, T>,
  held: readonly number[] | null,
): Arranged<T> {
  const sorted = [...wanted].sort(byUrgency)
  if (held === null) return { shown: sorted, waiting: 0 }
  const standing = new Set(held)
  const shown = held.flatMap((id) => all.get(id) ?? [])
  return { shown, waiting: sorted.filter((alarm) => !standing.has(alarm.id)).length }
}
