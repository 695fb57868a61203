/** Which villages a user is bound to, as the form has it: times of the site, as `<input type="datetime-local">` writes them. */
import type { User } from '@/api/types'
import { inputText, momentOfInput } from '@/siteTime'

export type Grant = NonNullable<User['villages']>[number]
export type GrantRow = { village_id: number; from: string; until: string }

/** The site's time as the form shows it; '' for none. */
const localTime = (iso: string | null | undefined): string => (iso ? inputText(new Date(iso)) : '')
const isoTime = (local: string): string | null => (local ? new Date(momentOfInput(local)).toISOString() : null)

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
