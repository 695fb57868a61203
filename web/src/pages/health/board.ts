/** What the board says of villages: how grave their state is, in which order they stand, and shares that never flatter. */
import type { components } from '@/api/schema'

type Schemas = components['schemas']
export type Board = Schemas['BoardAnswer']
export type VillageHealth = Schemas['VillageHealthAnswer']
export type HealthCounts = Schemas['HealthCountsAnswer']
export type FigureCount = Schemas['FigureCountAnswer']
export type OpenAlarmCounts = Schemas['OpenAlarmCountsAnswer']

export const FIGURES = ['online', 'intact', 'clock', 'recording'] as const
export type FigureName = (typeof FIGURES)[number]

/** The gravest first. `dead`: nothing of it is seen, or its link is down; `empty`: it has no camera that is due. */
export const GRAVITIES = ['dead', 'bad', 'minor', 'well', 'empty'] as const
export type Gravity = (typeof GRAVITIES)[number]

export function gravity(village: Pick<VillageHealth, 'link' | 'counts'>): Gravity {
  const { counts, link } = village
  const lost = counts.connected > 0 && counts.online.fault === counts.connected
  if (link === 'down' || lost) return 'dead'
  if (!counts.due) return 'empty'
  if (counts.online.fault || counts.alarms.critical || counts.alarms.major) return 'bad'
  if (counts.intact.fault || counts.clock.fault || counts.recording.fault || openAlarms(counts.alarms)) return 'minor'
  return 'well'
}

export function openAlarms(counts: OpenAlarmCounts): number {
  return counts.critical + counts.major + counts.minor + counts.warning
}

/** Rounded down: 1 camera of 1,000 that is away never makes 100 %. null: there is nothing to take a share of. */
export function share(well: number, of: number): string | null {
  if (!of) return null
  const tenths = Math.floor((well * 1000) / of)
  return tenths % 10 ? (tenths / 10).toFixed(1) : String(tenths / 10)
}

export type Order = 'official' | 'gravity'

/** In the official order, or the gravest first; among equals the one with more cameras away. */
export function ordered(villages: readonly VillageHealth[], order: Order): VillageHealth[] {
  if (order === 'official') return [...villages]
  return [...villages].sort(
    (a, b) => GRAVITIES.indexOf(gravity(a)) - GRAVITIES.indexOf(gravity(b)) || b.counts.online.fault - a.counts.online.fault || openAlarms(b.counts.alarms) - openAlarms(a.counts.alarms),
  )
}

/** How many villages there are of each gravity. */
export function gravities(villages: readonly VillageHealth[]): Record<Gravity, number> {
  const counted = { dead: 0, bad: 0, minor: 0, well: 0, empty: 0 }
  for (const one of villages) counted[gravity(one)] += 1
  return counted
}

/** What of a village needs a person, with counts; what is well is not listed. */
export function lacks(counts: HealthCounts): { name: 'offline' | 'picture' | 'clock' | 'recording' | 'unknown'; count: number }[] {
  return (
    [
      { name: 'offline', count: counts.online.fault },
      { name: 'picture', count: Math.max(0, counts.intact.fault - counts.online.fault) },
      { name: 'clock', count: counts.clock.fault },
      { name: 'recording', count: counts.recording.fault },
      { name: 'unknown', count: counts.unknown },
    ] as const
  ).filter((one) => one.count > 0)
}

/** "812 kB", "3.4 MB", "1.2 GB": powers of ten, as networks are billed. */
export function bytesText(bytes: number): string {
  if (bytes < 999_500) return `${Math.round(bytes / 1_000)} kB`
  if (bytes < 999_500_000) return `${(bytes / 1_000_000).toFixed(bytes < 9_950_000 ? 1 : 0)} MB`
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`
}
