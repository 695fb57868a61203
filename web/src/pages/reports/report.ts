/** Reports as pages show them: spans, counts beside figures, and what they are called. */
import { i18n, t } from '@/i18n'
import type { components } from '@/api/schema'
import { durationText } from '../parts/duration'

type Schemas = components['schemas']
export type Report = Schemas['ReportAnswer']
export type Words = Schemas['FigureWordsAnswer']
export type Key = Words['key']
export type Unit = Words['unit']
export type Both = Schemas['FigureAnswer']
export type ShareOf = Schemas['ShareAnswer']
export type VillageRow = Schemas['VillageReportAnswer']
export type UnitRow = Schemas['UnitReportAnswer']
export type CameraRow = Schemas['CameraReportAnswer']
export type FaultRow = Schemas['FaultReportAnswer']
export type Ranked = NonNullable<Report['ranked_by']>

/** As tiles, in this order; the rest stands in the table of all figures. */
export const TILES = ['online_time', 'intact_time', 'connected', 'recording_amount', 'clock_time', 'osd_spot', 'ledger', 'repair_in_time', 'repair_time'] as const satisfies readonly Key[]
/** What villages may be ranked by. */
export const RANKED = ['online_time', 'online_spot', 'intact_time', 'intact_spot', 'recording_time', 'recording_days', 'recording_amount', 'clock_time', 'osd_spot', 'ledger', 'connected', 'repair_in_time'] as const satisfies readonly Ranked[]
/** The columns of tables of villages, cameras and maintenance units. */
export const COLUMNS = ['online_time', 'intact_time', 'recording_amount', 'clock_time', 'osd_spot', 'ledger'] as const satisfies readonly Key[]

export const PRESETS = ['yesterday', 'month', 'lastMonth', 'any'] as const
export type Preset = (typeof PRESETS)[number]
export interface Span {
  first: string
  last: string
}

const DAY_MS = 86_400_000
const dayText = (at: number): string => new Date(at).toISOString().slice(0, 10)
const dayAt = (day: string): number => Date.parse(`${day}T00:00Z`)

export function addDays(day: string, days: number): string {
  return dayText(dayAt(day) + days * DAY_MS)
}

/** The days of a preset, seen from `today` (`2026-11-29`, the site's day). On the first of a month, "this month" is that day. */
export function presetSpan(preset: Exclude<Preset, 'any'>, today: string): Span {
  if (preset === 'yesterday') return { first: addDays(today, -1), last: addDays(today, -1) }
  const first = `${today.slice(0, 8)}01`
  if (preset === 'month') return { first, last: today }
  const last = addDays(first, -1)
  return { first: `${last.slice(0, 8)}01`, last }
}

/** Which preset a span is. */
export function presetOf(span: Span, today: string): Preset {
  const found = PRESETS.find((one) => one !== 'any' && presetSpan(one, today).first === span.first && presetSpan(one, today).last === span.last)
  return found ?? 'any'
}

export const isDay = (text: unknown): text is string => typeof text === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(dayAt(text))

/** "98.53": two decimals, as the hub rounded it (down); 100 only where nothing is missing. */
export function percentText(share: ShareOf): string {
  if (share.percent === null) return '—'
  return share.percent === 100 ? '100' : share.percent.toFixed(2)
}

/** The figure's value in one word: a percentage without its sign, or a duration. */
export function valueText(unit: Unit, share: ShareOf): string {
  if (unit !== 'mean') return percentText(share)
  return share.mean === null ? '—' : durationText(share.mean * 1000)
}

const inHours = (seconds: number): string => {
  const hours = seconds / 3600
  return new Intl.NumberFormat(i18n.global.locale.value, { maximumFractionDigits: hours >= 100 ? 0 : 1 }).format(hours)
}
const counted = (value: number): string => new Intl.NumberFormat(i18n.global.locale.value).format(value)

/** "702.5/720 小时", "18/20 路", "12 件共 36 小时". */
export function countText(unit: Unit, share: ShareOf): string {
  if (unit === 'mean') return share.whole ? t('reports.count.mean', { n: counted(share.whole), hours: inHours(share.part) }) : t('reports.count.none')
  const hours = unit === 'time' || unit === 'seconds'
  const word = hours ? inHours : counted
  if (!share.whole && !share.unknown) return t('reports.count.none')
  return t(`reports.count.${unit}`, { part: word(share.part), whole: word(share.whole) })
}

/** How much is not known; "" where all is. */
export function unknownText(unit: Unit, share: ShareOf): string {
  if (!share.unknown) return ''
  const hours = unit === 'time' || unit === 'seconds'
  return t(`reports.unknown.${hours ? 'time' : 'cameras'}`, { n: hours ? inHours(share.unknown) : counted(share.unknown) })
}

export function nameOf(words: Words): string {
  return i18n.global.locale.value === 'en' ? words.en : words.zh
}
export function formulaOf(words: Words): string {
  return i18n.global.locale.value === 'en' ? words.en_formula : words.zh_formula
}

/** Whether a share misses the mark; repairs that took long have none. */
export function misses(share: ShareOf, pass: number): boolean {
  return share.percent !== null && share.percent < pass
}

/** Where the report's other forms are: the same span and village. */
export function queryOf(span: Span, village: number | null, more: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams({ first: span.first, last: span.last })
  if (village !== null) query.set('village_id', String(village))
  for (const [name, value] of Object.entries(more)) if (value !== undefined) query.set(name, value)
  return query.toString()
}
