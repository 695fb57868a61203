/** Suggested national holidays as rows that people look at and change. */
import type { components } from '@/api/schema'
import { t } from '@/i18n'

export type Suggested = components['schemas']['SuggestedPeriodAnswer']

/** `registered`: the name of a holiday that is there on these days already; `over`: its last day has passed. */
export interface HolidayRow extends Pick<Suggested, 'codes' | 'announced' | 'registered'> {
  wanted: boolean
  over: boolean
  name: string
  first: string
  last: string
}

const LONGEST_DAYS = 120

export function holidayName(codes: Suggested['codes']): string {
  return codes.map((code) => t(`plans.holidays.name.${code}`)).join(t('plans.comma'))
}

/** What is there already is not wanted again, and what is over no more; `today`: "2026-11-30". */
export function rowsOf(found: readonly Suggested[], today: string): HolidayRow[] {
  return found.map((one) => ({ codes: one.codes, announced: one.announced, registered: one.registered, over: one.last_day < today, wanted: one.registered === null && one.last_day >= today, name: holidayName(one.codes), first: one.first_day, last: one.last_day }))
}

/** Days from one to another, both included. */
export function daysBetween(first: string, last: string): number {
  return Math.round((Date.parse(`${last}T12:00:00Z`) - Date.parse(`${first}T12:00:00Z`)) / 86_400_000) + 1
}

/** Why a row cannot be added. */
export function lacksOf(row: Pick<HolidayRow, 'name' | 'first' | 'last'>): 'name' | 'days' | 'long' | null {
  if (!row.name.trim()) return 'name'
  if (!row.first || !row.last || row.last < row.first) return 'days'
  return daysBetween(row.first, row.last) > LONGEST_DAYS ? 'long' : null
}
