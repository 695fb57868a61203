/** Exclusions as the page orders and words them. */
import { t } from '@/i18n'
import type { components } from '@/api/schema'
import { dateText, inputText, momentOfInput, timeText } from '@/siteTime'

export type Exclusion = components['schemas']['ExclusionAnswer']
export type Kind = Exclusion['kind']
export type State = Exclusion['state']
export type Weekly = NonNullable<Exclusion['weekly']>
type Asked = components['schemas']['AskExclusion']
export type AskWeekly = NonNullable<Asked['weekly']>

export const KINDS = ['maintenance', 'repair', 'power_cut', 'sleep', 'removed', 'other'] as const satisfies readonly Kind[]
/** As the filter offers them; what a person has to do first. */
export const VIEWS = ['asked', 'in_force', 'planned', 'over'] as const
export type View = (typeof VIEWS)[number]
export const STATES: Record<View, State[]> = { asked: ['asked'], in_force: ['in_force'], planned: ['planned'], over: ['ended', 'declined', 'lapsed'] }

const DAY_MS = 86_400_000

/** The day (`2026-11-29`) under which the list shows it: the day on which it begins, today for what has begun. */
export function dayOf(one: Pick<Exclusion, 'since' | 'state'>, nowMs: number): string {
  const since = Date.parse(one.since)
  return one.state === 'in_force' || one.state === 'asked' ? dateText(Math.max(since, nowMs)) : dateText(since)
}

/** The list by day: what is to come in the order of time, what is over the latest first. */
export function byDay(list: readonly Exclusion[], nowMs: number, view: View): { day: string; items: Exclusion[] }[] {
  const days = new Map<string, Exclusion[]>()
  for (const one of list) {
    const day = dayOf(one, nowMs)
    days.set(day, [...(days.get(day) ?? []), one])
  }
  const sign = view === 'over' ? -1 : 1
  const groups = [...days].sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0))
  return groups.map(([day, items]) => ({ day, items: items.sort((a, b) => sign * (Date.parse(a.since) - Date.parse(b.since)) || a.id - b.id) }))
}

/** "11-29 08:00 至 11-30 18:00"; the day is not said twice, the year only where it is another. */
export function spanText(one: Pick<Exclusion, 'since' | 'until' | 'ended_at'>, nowMs: number): string {
  const since = Date.parse(one.since)
  const until = Math.min(Date.parse(one.until), one.ended_at ? Date.parse(one.ended_at) : Infinity)
  const year = dateText(nowMs).slice(0, 5)
  const word = (at: number): string => `${dateText(at).startsWith(year) ? dateText(at).slice(5) : dateText(at)} ${timeText(at)}`
  const end = dateText(since) === dateText(until) ? timeText(until) : word(until)
  return t('exclusions.span', { since: word(since), until: end })
}

export function weeklyText(weekly: Weekly): string {
  const all = weekly.days.length === 7
  const days = weekly.days.map((day) => t(`exclusions.day.${day}`)).join(t('exclusions.comma'))
  const night = weekly.to <= weekly.from ? t('exclusions.nextDay') : ''
  return t(all ? 'exclusions.daily' : 'exclusions.weekly', { days, from: weekly.from, to: `${night}${weekly.to}` })
}

/** How much of the time line from `from` on, `days` long, the exclusion takes up: left and width in percent. */
export function barOf(one: Pick<Exclusion, 'since' | 'until' | 'ended_at'>, from: number, days: number): { left: number; width: number } | null {
  const until = Math.min(Date.parse(one.until), one.ended_at ? Date.parse(one.ended_at) : Infinity)
  const share = (at: number): number => Math.min(100, Math.max(0, ((at - from) / (days * DAY_MS)) * 100))
  const [left, right] = [share(Date.parse(one.since)), share(until)]
  return right > left ? { left, width: Math.max(0.8, right - left) } : null
}

export interface Draft {
  level: 'camera' | 'device' | 'village'
  kind: Kind
  reason: string
  /** As `<input type="datetime-local">` writes them, in the site's time. */
  since: string
  until: string
  weekly: boolean
  days: number[]
  from: string
  to: string
}

export function newDraft(nowMs: number): Draft {
  const hour = Math.ceil(nowMs / 3_600_000) * 3_600_000
  return { level: 'camera', kind: 'maintenance', reason: '', since: inputText(hour), until: inputText(hour + 4 * 3_600_000), weekly: false, days: [0, 1, 2, 3, 4, 5, 6], from: '22:00', to: '06:00' }
}

/** Why it cannot be sent yet, as a key of exclusions.problem; null: it can. */
export function problemOf(draft: Draft, chosen: number): 'subjects' | 'reason' | 'order' | 'days' | null {
  if (!chosen) return 'subjects'
  if (!draft.reason.trim()) return 'reason'
  if (!draft.since || !draft.until || momentOfInput(draft.until) <= momentOfInput(draft.since)) return 'order'
  if (draft.weekly && (!draft.days.length || !draft.from || !draft.to)) return 'days'
  return null
}

export function toBody(draft: Draft, ids: number[]): Asked {
  const weekly: AskWeekly | null = draft.weekly ? { days: [...draft.days].sort((a, b) => a - b), from: draft.from, to: draft.to } : null
  return {
    level: draft.level,
    ids,
    kind: draft.kind,
    reason: draft.reason.trim(),
    since: new Date(momentOfInput(draft.since)).toISOString(),
    until: new Date(momentOfInput(draft.until)).toISOString(),
    weekly,
  }
}
