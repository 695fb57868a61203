/** What is listed of recordings and texts. Pure. */
import type { Village } from '@/api/types'
import type { RecordingDay } from './calls'

export const FILTERS = ['fault', 'all', 'ok', 'unknown'] as const
export type StateFilter = (typeof FILTERS)[number]

interface Checked {
  state: 'ok' | 'fault' | 'unknown'
  village_id: number
  device_name: string
}

export function tally(rows: readonly Checked[]): Record<StateFilter, number> {
  const counts = { fault: 0, all: rows.length, ok: 0, unknown: 0 }
  for (const { state } of rows) counts[state] += 1
  return counts
}

export function filtered<T extends Checked>(
  rows: readonly T[],
  filter: StateFilter,
  village: number | null,
  text: string,
  nameOf: (row: T) => string,
  villages: ReadonlyMap<number, Pick<Village, 'name' | 'initials'>>,
): T[] {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean)
  return rows.filter((row) => {
    if (filter !== 'all' && row.state !== filter) return false
    if (village !== null && row.village_id !== village) return false
    const own = villages.get(row.village_id)
    const fields = [nameOf(row), row.device_name, own?.name, own?.initials].map((field) => field?.toLowerCase() ?? '')
    return words.every((word) => fields.some((field) => field.includes(word)))
  })
}

/** `free`: nothing was due; `some`: recorded, how much is not known; `gone`: it was recorded, and is kept no more. */
export type DayKind = 'gone' | 'whole' | 'part' | 'none' | 'some' | 'free' | 'unknown'

export interface StripDay {
  date: string
  kind: DayKind
  hours: number
  due: number
  gaps: number
}

/** A tenth of an hour less is no gap that a strip shows. */
const SLACK_S = 360

/** One cell for each day from `first` to `last`; days of which nothing is known are `unknown`. */
export function strip(days: readonly RecordingDay[], first: string, last: string): StripDay[] {
  const known = new Map(days.map((day) => [day.date, day]))
  const cells: StripDay[] = []
  const end = Date.parse(`${last}T00:00:00Z`)
  for (let at = Date.parse(`${first}T00:00:00Z`); at <= end && cells.length < 400; at += 86_400_000) {
    const date = new Date(at).toISOString().slice(0, 10)
    const day = known.get(date)
    cells.push({ date, kind: kindOf(day), hours: tenths(day?.seconds ?? 0), due: tenths(day?.due ?? 0), gaps: day?.gaps ?? 0 })
  }
  return cells
}

function kindOf(day: RecordingDay | undefined): DayKind {
  if (!day) return 'unknown'
  if (!day.kept) return 'gone'
  if (day.seconds === null) return 'some'
  if (day.due === 0) return 'free'
  if (day.seconds === 0) return 'none'
  return day.due - day.seconds <= SLACK_S ? 'whole' : 'part'
}

const tenths = (seconds: number): number => Math.round(seconds / 360) / 10

/** Whole and tenths of per cent, never rounded up to 100. */
export function percentText(part: number, whole: number): string {
  if (whole <= 0) return ''
  const percent = Math.floor((part / whole) * 1000) / 10
  return `${percent.toFixed(percent === 100 ? 0 : 1)}%`
}
