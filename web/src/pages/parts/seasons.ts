/** Seasons of every year: from a day to another, "06-01" to "09-15"; a last day before the first lies in the next year. */
import { t } from '@/i18n'

export interface Season {
  first: string
  last: string
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
/** Seasons that one plan may have. */
export const MOST_SEASONS = 6

export function daysOf(month: number): number {
  return DAYS[month - 1] ?? 31
}

export function isYearDay(text: string): boolean {
  const [, month, day] = /^(\d\d)-(\d\d)$/.exec(text)?.map(Number) ?? []
  return month !== undefined && day !== undefined && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(month)
}

/** "06-01" with another month or day: a day that this month has. */
export function withMonth(text: string, month: number): string {
  return yearDay(month, Math.min(Number(text.slice(3)), daysOf(month)))
}
export function withDay(text: string, day: number): string {
  return yearDay(Number(text.slice(0, 2)), day)
}
function yearDay(month: number, day: number): string {
  return `${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** "06-01" as a day that people read. */
export function yearDayText(day: string): string {
  return t('plans.yearDay', { month: Number(day.slice(0, 2)), day: Number(day.slice(3)) })
}

export function seasonText(season: Season): string {
  return t(season.last < season.first ? 'plans.yearSpanOver' : 'plans.yearSpan', { first: yearDayText(season.first), last: yearDayText(season.last) })
}

export function seasonsText(seasons: readonly Season[]): string {
  return seasons.map(seasonText).join(t('plans.comma'))
}

/** Whether a day ("2026-11-30") lies in one of the seasons; without seasons every day does. */
export function inSeason(seasons: readonly Season[], day: string): boolean {
  const at = day.slice(5)
  return !seasons.length || seasons.some(({ first, last }) => (first <= last ? first <= at && at <= last : at >= first || at <= last))
}

/** The first day of the season that begins next after that day; null: it is in season. */
export function nextSeason(seasons: readonly Season[], day: string): string | null {
  if (inSeason(seasons, day)) return null
  const at = day.slice(5)
  const firsts = seasons.map((one) => one.first).sort()
  return firsts.find((one) => one > at) ?? firsts[0]!
}

/** Where one of them begins or ends on 29 February. */
export function hasLeapDay(seasons: readonly Season[]): boolean {
  return seasons.some((one) => one.first === '02-29' || one.last === '02-29')
}
