/** Plans and special periods as the pages order and word them. Days are days of the site's calendar, `2026-11-29`. */
import type { components } from '@/api/schema'
import { t } from '@/i18n'
import { dateText, inputText, momentOfInput } from '@/siteTime'
import { durationText } from '../parts/duration'
import { isYearDay, MOST_SEASONS, type Season } from '../parts/seasons'

type Schemas = components['schemas']
export type Plan = Schemas['PlanAnswer']
export type PlanBody = Schemas['PlanBody']
export type Rule = Schemas['DueRuleAnswer']
export type Template = Schemas['PlanTemplateAnswer']
export type Preview = Schemas['PlanPreview']
export type Period = Schemas['SpecialPeriodAnswer']
export type PeriodBody = Schemas['SpecialPeriodBody']
export type Figures = Schemas['PatrolFiguresAnswer']
export type DayOverview = Schemas['DayOverviewAnswer']

export type CalendarView = 'day' | 'week' | 'month'

export const IN_SPECIAL = ['same', 'other', 'off'] as const satisfies readonly Plan['in_special'][]
/** Minutes that are offered; any other number up to a day is typed. */
export const INTERVALS = [15, 30, 60, 90, 120, 180, 240, 360] as const
export const LONGEST_INTERVAL = 1440
const HOUR_MS = 3_600_000

/** The moment at which that day begins at the site. */
export function dayStart(day: string): number {
  return momentOfInput(`${day}T00:00`)
}

/** `days` later; at noon no change of summer time leads to another day. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + days * 24 * HOUR_MS).toISOString().slice(0, 10)
}

/** 0 = Monday. */
export function weekday(day: string): number {
  return (new Date(`${day}T12:00:00Z`).getUTCDay() + 6) % 7
}

export function weekOf(day: string): string[] {
  const monday = addDays(day, -weekday(day))
  return Array.from({ length: 7 }, (_, place) => addDays(monday, place))
}

/** The weeks of a month, whole ones. */
export function monthOf(day: string): string[] {
  const first = `${day.slice(0, 8)}01`
  const begin = addDays(first, -weekday(first))
  const days: string[] = []
  for (let one = begin; one.slice(0, 7) <= first.slice(0, 7) || weekday(one) !== 0; one = addDays(one, 1)) days.push(one)
  return days
}

export function addMonths(day: string, months: number): string {
  const count = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + months
  return `${String(Math.floor(count / 12)).padStart(4, '0')}-${String((count % 12) + 1).padStart(2, '0')}-01`
}

export function onDay<T>(list: readonly T[], day: string, at: (one: T) => string): T[] {
  const [begin, end] = [dayStart(day), dayStart(addDays(day, 1))]
  return list.filter((one) => Date.parse(at(one)) >= begin && Date.parse(at(one)) < end)
}

export function touches(period: Pick<Period, 'begins_at' | 'ends_at'>, day: string): boolean {
  return Date.parse(period.begins_at) < dayStart(addDays(day, 1)) && Date.parse(period.ends_at) > dayStart(day)
}

/** "10-01 至 10-07", with the times of day where the period does not consist of whole days. */
export function periodText(period: Pick<Period, 'begins_at' | 'ends_at'>): string {
  const [begin, end] = [Date.parse(period.begins_at), Date.parse(period.ends_at)]
  const whole = begin === dayStart(dateText(begin)) && end === dayStart(dateText(end)) // summer time may skip midnight
  if (!whole) return t('plans.period.span', { from: inputText(begin).replace('T', ' '), to: inputText(end).replace('T', ' ') })
  const last = dateText(end - 1)
  return last === dateText(begin) ? last : t('plans.period.span', { from: dateText(begin), to: last })
}

/** A day of the calendar that an address names. */
export function isDay(text: unknown): text is string {
  return typeof text === 'string' && /^20\d\d-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T12:00:00Z`)) && addDays(text, 0) === text
}

export interface Band {
  period: Period
  /** Whether it begins and ends on this day, and whether this cell says its name: where it begins, and anew in each week. */
  first: boolean
  last: boolean
  named: boolean
}

/**
 * The special periods of a day as bands of a month, each on one line through its week; null: the line is free on this day. What
 * begins later takes the first line that is free for all of the week.
 */
export function bandsOn(periods: readonly Period[], day: string): (Band | null)[] {
  const week = weekOf(day)
  const lines: Period[][] = []
  const inWeek = periods.filter((one) => week.some((other) => touches(one, other)))
  inWeek.sort((a, b) => Date.parse(a.begins_at) - Date.parse(b.begins_at) || Date.parse(b.ends_at) - Date.parse(a.ends_at) || a.id - b.id)
  for (const one of inWeek) {
    const line = lines.find((taken) => !taken.some((other) => week.some((some) => touches(one, some) && touches(other, some))))
    if (line) line.push(one)
    else lines.push([one])
  }
  const found = lines.map((line) => {
    const period = line.find((one) => touches(one, day))
    if (!period) return null
    const first = !touches(period, addDays(day, -1))
    return { period, first, last: !touches(period, addDays(day, 1)), named: first || weekday(day) === 0 }
  })
  while (found.length && found.at(-1) === null) found.pop()
  return found
}

/** What became of a day's patrols, as far as there is any of it; `due`: not decided yet, without those that are late. */
export function resultsOf(day: DayOverview): { state: 'done' | 'late' | 'missed' | 'due'; count: number }[] {
  const all = [
    { state: 'done', count: day.done },
    { state: 'late', count: day.late },
    { state: 'missed', count: day.missed },
    { state: 'due', count: day.open },
  ] as const
  return all.filter((one) => one.count > 0)
}

/** The first `most` tours of a day; of the others how many they are, and how often they are due. */
export function toursShown(day: DayOverview, most: number): { shown: DayOverview['tours']; tours: number; count: number } {
  const all = day.tours.length + day.other_tours
  const shown = day.tours.slice(0, all > most ? most - 1 : most)
  return { shown, tours: all - shown.length, count: day.planned - shown.reduce((sum, one) => sum + one.count, 0) }
}

export function monthTotals(days: readonly DayOverview[], month: string): Record<'planned' | 'done' | 'late' | 'missed', number> {
  const totals = { planned: 0, done: 0, late: 0, missed: 0 }
  for (const one of days) {
    if (one.day.slice(0, 7) !== month.slice(0, 7)) continue
    totals.planned += one.planned
    totals.done += one.done
    totals.late += one.late
    totals.missed += one.missed
  }
  return totals
}

/** A day of the month in words, for those who hear it and as a hint. */
export function dayWords(day: string, overview: DayOverview | null, periods: readonly Period[]): string {
  const names = periods.filter((one) => touches(one, day)).map((one) => one.name)
  const counts = overview?.planned ? [t('plans.month.wordsPlanned', { n: overview.planned })] : [t('plans.noneDue')]
  if (overview?.night) counts.push(t('plans.month.night', { n: overview.night }))
  if (overview) for (const one of resultsOf(overview)) counts.push(`${t(`plans.month.result.${one.state}`)} ${one.count}`)
  return [`${day} ${t(`plans.day.${weekday(day)}`)}`, ...names, counts.join(t('plans.comma'))].join(t('plans.semicolon'))
}

export function weekdaysText(days: readonly number[]): string {
  const list = [...days].sort((a, b) => a - b)
  const key = list.join('')
  if (!list.length || key === '0123456') return t('plans.everyDay')
  if (key === '01234') return t('plans.workdays')
  if (key === '56') return t('plans.weekends')
  return list.map((day) => t(`plans.day.${day}`)).join(t('plans.comma'))
}

/** "08:30、14:30；每 2 小时 (22:00–06:00)" */
export function ruleText(rule: Rule): string {
  const parts = [rule.times.join(t('plans.comma'))]
  if (rule.every) {
    const span = durationText(rule.every.minutes * 60_000)
    parts.push(rule.every.begin === rule.every.end ? t('plans.everyAround', { span }) : t('plans.every', { span, from: rule.every.begin, to: rule.every.end }))
  }
  return parts.filter(Boolean).join(t('plans.semicolon')) || t('plans.neverDue')
}

export function specialText(plan: Pick<Plan, 'in_special' | 'special_rule'>): string {
  return plan.in_special === 'other' && plan.special_rule ? t('plans.specialOther', { rule: ruleText(plan.special_rule) }) : t(`plans.inSpecialShort.${plan.in_special}`)
}

/** A plan's form. */
export interface Draft {
  name: string
  note: string
  tour_id: number | null
  night_tour_id: number | null
  night_from: string
  night_to: string
  enabled: boolean
  first_day: string
  last_day: string
  seasons: Season[]
  weekdays: number[]
  rule: Rule
  in_special: Plan['in_special']
  special_rule: Rule
  grace_minutes: number
  people: number[]
  revision: number
}

const NO_RULE: Rule = { times: [], every: null }
export const AROUND_2H: Rule = { times: [], every: { minutes: 120, begin: '00:00', end: '00:00' } }

function copyOf(rule: Rule | null): Rule {
  const from = rule ?? NO_RULE
  return { times: [...from.times], every: from.every ? { ...from.every } : null }
}

export function draftOf(plan: Plan): Draft {
  return {
    name: plan.name,
    note: plan.note,
    tour_id: plan.tour_id,
    night_tour_id: plan.night_tour_id,
    night_from: plan.night_from,
    night_to: plan.night_to,
    enabled: plan.enabled,
    first_day: plan.first_day ?? '',
    last_day: plan.last_day ?? '',
    seasons: plan.seasons.map((one) => ({ ...one })),
    weekdays: [...plan.weekdays],
    rule: copyOf(plan.rule),
    in_special: plan.in_special,
    special_rule: copyOf(plan.special_rule),
    grace_minutes: plan.grace_minutes,
    people: [...plan.people],
    revision: plan.revision,
  }
}

export function newDraft(tour_id: number | null): Draft {
  return {
    name: '',
    note: '',
    tour_id,
    night_tour_id: null,
    night_from: '22:00',
    night_to: '06:00',
    enabled: true,
    first_day: '',
    last_day: '',
    seasons: [],
    weekdays: [],
    rule: copyOf(null),
    in_special: 'same',
    special_rule: copyOf(null),
    grace_minutes: 30,
    people: [],
    revision: 0,
  }
}

export function applyTemplate(draft: Draft, template: Template): void {
  draft.weekdays = [...template.weekdays]
  draft.rule = copyOf(template.rule)
  draft.in_special = template.in_special
  draft.special_rule = copyOf(template.special_rule)
  draft.night_from = template.night_from
  draft.night_to = template.night_to
  draft.grace_minutes = template.grace_minutes
}

/** What the page of tours hands over in the address: the tour, and its usual times; null: nothing. */
export function handedOver(query: Record<string, unknown>): Partial<Draft> | null {
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name] : '')
  const tour = Number(text('tour'))
  if (!Number.isInteger(tour) || tour < 1) return null
  const times = text('times').split(',').filter((time) => /^([01]\d|2[0-3]):[0-5]\d$/.test(time)).slice(0, 96)
  const minutes = Number(text('every'))
  const every = Number.isInteger(minutes) && minutes >= 1 && minutes <= 1440 ? { minutes, begin: '00:00', end: '00:00' } : null
  const day = (name: string): string => (/^\d{4}-\d{2}-\d{2}$/.test(text(name)) ? text(name) : '')
  const weekdays = text('weekdays').split(',').filter((one) => /^[0-6]$/.test(one)).map(Number)
  const spans = text('seasons').split(',').map((one) => one.split('_')).map(([first = '', last = '']) => ({ first, last }))
  const seasons = spans.filter((one) => isYearDay(one.first) && isYearDay(one.last)).slice(0, MOST_SEASONS)
  const name = text('name').trim().slice(0, 64)
  return { tour_id: tour, ...(name ? { name } : {}), first_day: day('first'), last_day: day('last'), seasons, weekdays, ...(times.length || every ? { rule: { times, every } } : {}) }
}

/** The body of a call; null while the form cannot make one (the hub judges the rest). */
export function toBody(draft: Draft): PlanBody | null {
  if (draft.tour_id === null || !Number.isInteger(draft.grace_minutes)) return null
  return {
    ...draft,
    name: draft.name.trim() || t('plans.unnamed'),
    tour_id: draft.tour_id,
    first_day: draft.first_day || null,
    last_day: draft.last_day || null,
    weekdays: draft.weekdays.length === 7 ? [] : draft.weekdays,
    special_rule: draft.in_special === 'other' ? draft.special_rule : null,
  }
}

export type ProblemWord = 'name' | 'tour' | 'times' | 'special' | 'grace'

/** What the form lacks before anything is sent. */
export function problemOf(draft: Draft): ProblemWord | null {
  if (!draft.name.trim()) return 'name'
  if (draft.tour_id === null) return 'tour'
  const special = draft.in_special === 'other'
  const never = (rule: Rule): boolean => !rule.times.length && !rule.every
  if (special && never(draft.special_rule)) return 'special'
  if (never(draft.rule) && !special) return 'times'
  return draft.grace_minutes >= 1 && draft.grace_minutes <= 720 ? null : 'grace'
}

/** Share in percent, of what has been decided; null when nothing has. */
export function percent(part: number, decided: number): string | null {
  return decided > 0 ? `${Math.round((part / decided) * 1000) / 10}%` : null
}
