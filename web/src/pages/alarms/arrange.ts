/** The order of the alarm list, its groups, and how it stays still while somebody is about to click. */

import type { Alarm } from '@/api/types'

type Ordered = Pick<Alarm, 'id' | 'opened_at' | 'closed_at' | 'severity' | 'acknowledged_at'>

/** Open before closed; critical ones that nobody has acknowledged on top; then the newest. */
export function byUrgency(a: Ordered, b: Ordered): number {
  const open = Number(a.closed_at !== null) - Number(b.closed_at !== null)
  if (open !== 0) return open
  const pressing = (alarm: Ordered): number => Number(alarm.closed_at === null && alarm.severity === 'critical' && alarm.acknowledged_at === null)
  const stamp = (alarm: Ordered): number => Date.parse(alarm.closed_at ?? alarm.opened_at)
  return pressing(b) - pressing(a) || stamp(b) - stamp(a) || b.id - a.id
}

export const FILTERS = ['open', 'unacknowledged', 'suspended', 'closed', 'all'] as const
export type Filter = (typeof FILTERS)[number]

/** What is asked of the hub; events are held against the same. */
export interface Wanted {
  filter: Filter
  village: number | null
  severity: Alarm['severity'] | null
  aspect: Alarm['aspect'] | null
  /** A user's id. */
  owner: number | null
  text: string
}
export const EVERYTHING: Wanted = { filter: 'open', village: null, severity: null, aspect: null, owner: null, text: '' }

/** As the query of `GET /api/alarms`. */
export function queryOf(wanted: Wanted): Record<string, string | number | boolean | undefined> {
  const { filter } = wanted
  return {
    open: filter === 'all' ? undefined : filter !== 'closed',
    acknowledged: filter === 'unacknowledged' ? false : undefined,
    suspended: filter === 'suspended' ? true : undefined,
    village_id: wanted.village ?? undefined,
    severity: wanted.severity ?? undefined,
    aspect: wanted.aspect ?? undefined,
    owner: wanted.owner ?? undefined,
    text: wanted.text.trim() || undefined,
  }
}

export function matches(alarm: Alarm, wanted: Wanted): boolean {
  if (wanted.village !== null && alarm.village_id !== wanted.village) return false
  if (wanted.severity !== null && alarm.severity !== wanted.severity) return false
  if (wanted.aspect !== null && alarm.aspect !== wanted.aspect) return false
  if (wanted.owner !== null && alarm.owner?.id !== wanted.owner) return false
  const text = wanted.text.trim().toLowerCase()
  if (text && ![alarm.village_name, alarm.device_name, alarm.camera_name].some((name) => name?.toLowerCase().includes(text))) return false
  if (wanted.filter === 'all') return true
  if (wanted.filter === 'closed') return alarm.closed_at !== null
  if (alarm.closed_at !== null) return false
  if (wanted.filter === 'unacknowledged') return alarm.acknowledged_at === null
  return wanted.filter === 'open' || alarm.suspended !== null
}

export interface Arranged<T> {
  shown: T[]
  /** How many new alarms wait above the list until it is let go. */
  waiting: number
}

/**
 * Sorted alarms. While the list is held, `held` are the ids on the screen: rows keep their place, what has left the filter
 * stays until it is let go, and new rows are only counted: a click never hits another alarm than the one aimed at.
 */
export function arrange<T extends Ordered>(wanted: readonly T[], all: ReadonlyMap<number, T>, held: readonly number[] | null): Arranged<T> {
  const sorted = [...wanted].sort(byUrgency)
  if (held === null) return { shown: sorted, waiting: 0 }
  const standing = new Set(held)
  const shown = held.flatMap((id) => all.get(id) ?? [])
  return { shown, waiting: sorted.filter((alarm) => !standing.has(alarm.id)).length }
}

export interface Group<T> {
  /** The first alarm's id: stable while the list is held. */
  key: number
  /** Whether its alarms are losses of one place at one time. */
  place: boolean
  /** How many cameras its alarms are about, each once. */
  cameras: number
  alarms: T[]
}

/** Losses of one place at one time stand together, where the first of them stands. */
export function grouped<T extends Pick<Alarm, 'id' | 'place_group' | 'closed_at' | 'camera_id' | 'members' | 'recovered'>>(shown: readonly T[]): Group<T>[] {
  const groups: Group<T>[] = []
  const of = new Map<string, Group<T>>()
  for (const alarm of shown) {
    const name = alarm.place_group === null ? null : `${alarm.place_group} ${alarm.closed_at === null}`
    const known = name === null ? undefined : of.get(name)
    if (known) {
      known.alarms.push(alarm)
      continue
    }
    const group: Group<T> = { key: alarm.id, place: false, cameras: 0, alarms: [alarm] }
    groups.push(group)
    if (name !== null) of.set(name, group)
  }
  for (const group of groups) {
    group.cameras = new Set(group.alarms.flatMap((one) => [...one.members, ...one.recovered, ...(one.camera_id === null ? [] : [one.camera_id])])).size
    group.place = group.alarms.length > 1 && group.cameras > 1 // one camera that was lost twice is no place
  }
  return groups
}

/** The bounds of a suspension, in ms from now; `morning`: the next 8:00 of the site's clock. */
export const SUSPENSIONS = ['h4', 'morning', 'd1', 'd3', 'd7', 'd30'] as const
export type SuspensionLength = (typeof SUSPENSIONS)[number]

const HOUR = 3_600_000
const LENGTHS: Record<Exclude<SuspensionLength, 'morning'>, number> = { h4: 4 * HOUR, d1: 24 * HOUR, d3: 72 * HOUR, d7: 168 * HOUR, d30: 720 * HOUR }

/** `siteShift`: the site's clock minus UTC, in ms. */
export function suspendedUntil(length: SuspensionLength, now: number, siteShift: number): Date {
  if (length !== 'morning') return new Date(now + LENGTHS[length])
  const local = now + siteShift
  const midnight = Math.floor(local / (24 * HOUR)) * 24 * HOUR
  return new Date(midnight + 32 * HOUR - siteShift)
}
