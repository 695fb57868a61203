/** Which villages bound a user, as the form has it: times as `<input type="datetime-local">` writes them. */
import type { User } from '@/api/types'

export type Grant = NonNullable<User['villages']>[number]
export type GrantRow = { village_id: number; from: string; until: string }

const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** "2026-11-28T08:30" in this browser's time; '' for none. */
export function localTime(iso: string | null | undefined): string {
  if (!iso) return ''
  const at = new Date(iso)
  return `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}T${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`
}

const isoTime = (local: string): string | null => (local ? new Date(local).toISOString() : null)

export const rowsOf = (grants: readonly Grant[] | null): GrantRow[] => (grants ?? []).map((one) => ({ village_id: one.village_id, from: localTime(one.from), until: localTime(one.until) }))
export const grantsOf = (rows: readonly GrantRow[]): Grant[] => rows.map((row) => ({ village_id: row.village_id, from: isoTime(row.from), until: isoTime(row.until) }))

/** Access must end after it begins. */
export const inOrder = (row: GrantRow): boolean => !row.from || !row.until || row.from < row.until

/** Rows for the chosen villages: what was set for one that stays is kept. */
export function chosen(rows: readonly GrantRow[], ids: readonly number[]): GrantRow[] {
  const kept = rows.filter((row) => ids.includes(row.village_id))
  const known = new Set(kept.map((row) => row.village_id))
  return [...kept, ...ids.filter((id) => !known.has(id)).map((id) => ({ village_id: id, from: '', until: '' }))]
}

export type Standing = 'valid' | 'coming' | 'over'

/** Whether a grant gives access now (ms since 1970). */
export function standing(grant: Grant, now: number): Standing {
  if (grant.until && Date.parse(grant.until) <= now) return 'over'
  return grant.from && Date.parse(grant.from) > now ? 'coming' : 'valid'
}
