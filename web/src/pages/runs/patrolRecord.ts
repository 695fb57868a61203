/** The record of a patrol as its page shows it: results by stop, what is worth a look, the texts beside them. */
import type { components } from '@/api/schema'
import type { RunItinerary, RunStep } from '@/api/types'
import { i18n, reasonText, t } from '@/i18n'
import { stopLabel } from '@/stopLabel'
import { momentText } from '../parts/duration'
import { lastAtPreset, presetMissed, presetUnknown } from './presetWords'

type Schemas = components['schemas']
export type RecordState = Schemas['RecordAnswer']
export type RecordRow = Schemas['RecordRowAnswer']
export type RecordCheck = Schemas['RecordCheckAnswer']
export type RecordFault = Schemas['RecordFaultAnswer']
export type RecordCounts = Schemas['RecordCountsAnswer']
export type PatrolResult = Schemas['RunResultAnswer']
export type PatrolFinding = Schemas['FindingAnswer']
export type PatrolEvent = Schemas['RunEventAnswer']

export const FILTERS = ['all', 'notable', 'abnormal', 'unseen', 'excused', 'preset', 'key'] as const
export type Filter = (typeof FILTERS)[number]

/** What is known of a camera at a stop beside its result: it had not come to its preset, or nobody knows; its result was changed. */
export interface Aside {
  missed: boolean
  unknown: boolean
  changed: boolean
}
const NOTHING: Aside = { missed: false, unknown: false, changed: false }

/** Whether a result is shown under the filter. `notable`: whatever is not simply seen and normal. */
export function shown(filter: Filter, result: PatrolResult, aside: Aside = NOTHING): boolean {
  if (filter === 'notable') return result.result !== 'normal' || result.findings > 0 || !result.seen || aside.missed || aside.unknown || aside.changed
  if (filter === 'preset') return aside.missed
  if (filter === 'abnormal') return result.result === 'abnormal' || result.findings > 0
  if (filter === 'unseen') return !result.seen
  if (filter === 'excused') return result.result === 'excused'
  return filter === 'all' || result.key
}

/** By `stop/camera`. */
export type Asides = ReadonlyMap<string, Aside>
const NO_ASIDES: Asides = new Map()
const placeOf = (result: PatrolResult): string => `${result.position}/${result.camera.id}`

export function asidesOf(results: readonly PatrolResult[], steps: readonly RunStep[], changes: ReadonlyMap<string, unknown>): Asides {
  const visits = new Map<number, RunStep[]>()
  for (const step of steps) visits.set(step.position, [...(visits.get(step.position) ?? []), step])
  return new Map(
    results.map((one) => {
      const last = lastAtPreset(visits.get(one.position) ?? [], one.camera.id)
      return [placeOf(one), { missed: presetMissed(last), unknown: presetUnknown(last), changed: changes.has(placeOf(one)) }]
    }),
  )
}

export interface RecordStop {
  position: number
  name: string
  note: string
  key: boolean
  results: PatrolResult[]
  /** Its lines in the record: each time it was on or skipped. */
  visits: RunStep[]
}

/** The stops of the itinerary that have a result to show, with these results and the times when they were on. */
export function stopsOf(itinerary: RunItinerary, results: readonly PatrolResult[], steps: readonly RunStep[], filter: Filter, asides: Asides = NO_ASIDES): RecordStop[] {
  const byStop = new Map<number, PatrolResult[]>()
  for (const one of results) if (shown(filter, one, asides.get(placeOf(one)))) byStop.set(one.position, [...(byStop.get(one.position) ?? []), one])
  // Of a record that was tampered with the itinerary may not be readable: its results are shown all the same.
  const known = new Set(itinerary.stops.map((stop) => stop.position))
  const lost = [...byStop.keys()].filter((position) => !known.has(position)).map((position) => ({ position, name: '', more: 0, note: '' }))
  return [...itinerary.stops, ...lost].flatMap((stop) => {
    const found = byStop.get(stop.position)
    if (!found) return []
    return [
      {
        position: stop.position,
        name: stopLabel(stop),
        note: stop.note,
        key: found.some((one) => one.key),
        results: found,
        visits: steps.filter((step) => step.position === stop.position),
      },
    ]
  })
}

/** How many results each filter shows. */
export function filterCounts(results: readonly PatrolResult[], asides: Asides = NO_ASIDES): Record<Filter, number> {
  const count = (filter: Filter): number => results.filter((one) => shown(filter, one, asides.get(placeOf(one)))).length
  return { all: results.length, notable: count('notable'), abnormal: count('abnormal'), unseen: count('unseen'), excused: count('excused'), preset: count('preset'), key: count('key') }
}

/** Why a camera of a patrol was not seen: pages of others do not count, so that none was open is said of the operator's. */
export function unseenText(why: string): string {
  return why === 'no_page' ? t('records.noOwnPage') : reasonText(why)
}

/** "看到 12.5 秒", or why it was not seen. */
export function seenText(result: PatrolResult): string {
  if (result.seen) return t('records.seen', { s: secondsText(result.seen_s) })
  if (result.why) return t('records.notSeenWhy', { why: unseenText(result.why) })
  return result.seen_s > 0 ? t('records.seenShort', { s: secondsText(result.seen_s) }) : t('records.notSeen')
}

/** Seconds with one decimal below ten. */
export function secondsText(seconds: number): string {
  return seconds < 10 ? (Math.floor(seconds * 10) / 10).toString() : Math.floor(seconds).toString()
}

/** How a run ended: a presentation, of which nothing is asked, is ended and not given up. */
export function endText(run: { readonly loop: boolean; readonly end_reason: string | null }): string {
  return run.loop && run.end_reason === 'stopped' ? t('runs.state.ended') : t(`records.end.${run.end_reason ?? 'stopped'}`)
}

/** How many cameras are still to be confirmed; of a patrol that is `over`, were not. */
export function openText(n: number, over: boolean): string {
  return t(over ? 'records.notConfirmedN' : 'records.openN', { n })
}

/** Somebody who became the operator, with when and where; the day only where it is another than that of the beginning. */
export function turnText(turn: RecordRow['turns'][number], begun: string): string {
  const full = momentText(turn.since, 0, true)
  const at = full.slice(0, 10) === momentText(begun, 0, true).slice(0, 10) ? full.slice(-8) : full
  return t(turn.position === null ? 'records.fromEnd' : 'records.fromStop', { name: turn.name, n: (turn.position ?? 0) + 1, at })
}

/** All who had the patrol, one after the other. */
export function peopleText(row: Pick<RecordRow, 'started_name' | 'started_at' | 'turns'>): string {
  return [row.started_name, ...row.turns.map((one) => turnText(one, row.started_at))].join(' → ')
}

/** A short form of a hash, in groups that can be compared by eye. */
export function hashText(hash: string): string {
  return hash.slice(0, 16).replace(/(.{4})(?=.)/g, '$1 ')
}

const EVENT_WORDS = new Set(['to_name', 'from_name', 'note', 'cause', 'seconds', 'reason', 'words'])

const clock = (iso: string): string => momentText(iso, 0, true).slice(-8)
const words = (value: unknown): string => (typeof value === 'string' ? value : '')
const resultWord = (value: unknown): string => (value === 'normal' || value === 'abnormal' || value === 'open' || value === 'excused' ? t(`records.result.${value}`) : '')

/** What a confirmed result was, who had said so, who changed it and why. */
export function changeText(event: PatrolEvent): string {
  const { before, before_words: said, before_name: name, before_at: at, words: why } = event.detail
  const was = [resultWord(before), words(said)].filter(Boolean).join(t('common.colon'))
  const parts = [t('records.changedBefore', { before: was, name: words(name), at: words(at) && clock(words(at)), by: event.user_name, on: clock(event.at) })]
  if (words(why)) parts.push(t('records.changedWhy', { why: words(why) }))
  return parts.join(' · ')
}

/** The changes of confirmed results, by `stop/camera`. */
export function changesOf(events: readonly PatrolEvent[]): Map<string, PatrolEvent[]> {
  const found = new Map<string, PatrolEvent[]>()
  for (const event of events) {
    if (event.kind !== 'result_changed') continue
    const key = `${String(event.detail.stop)}/${String(event.detail.camera)}`
    found.set(key, [...(found.get(key) ?? []), event])
  }
  return found
}

/** The stop that an event concerns; where it names none, the one that was on. */
export function eventStop(event: PatrolEvent): number {
  return typeof event.detail.stop === 'number' ? event.detail.stop : event.position
}

/** What an event says beside its name: of which camera, to whom, how long, why. */
export function eventText(event: PatrolEvent, cameraName: (id: number) => string): string {
  const detail = event.detail
  const camera = typeof detail.camera === 'number' ? cameraName(detail.camera) : ''
  if (event.kind === 'result_changed') {
    const told = t('records.changed', { before: resultWord(detail.before), name: words(detail.before_name), at: words(detail.before_at) && clock(words(detail.before_at)), after: resultWord(detail.result) })
    return [camera, told, words(detail.words)].filter(Boolean).join(' · ')
  }
  if (event.kind === 'finding_changed' || event.kind === 'finding_deleted') return [camera, t('records.changedFinding', { was: words(detail.before_words) }), words(detail.words)].filter(Boolean).join(' · ')
  const parts: string[] = []
  for (const [name, value] of Object.entries(detail)) {
    if (!EVENT_WORDS.has(name) || value === null || value === '') continue
    if (name === 'seconds') parts.push(t('records.plusSeconds', { s: value }))
    else if (name === 'cause') parts.push(reasonText(String(value)))
    else if (name === 'reason') parts.push(t(`records.pauseReason.${String(value)}`))
    else parts.push(name === 'to_name' ? t('records.handedTo', { name: value }) : name === 'from_name' ? t('records.takenFrom', { name: value }) : String(value))
  }
  return parts.join(' · ')
}

/** A sentence of the hub in the page's language. */
export function toldText(told: Schemas['ToldAnswer']): string {
  return i18n.global.locale.value === 'en' ? told.en : told.zh
}

const TOLD = new Set(['copy_changed', 'link_changed', 'link_forged', 'link_moved', 'link_unjoined', 'hash_changed'])

/** What verifying has found, as a sentence: what of the record differs has the hub's own, in both languages. */
export function faultText(fault: RecordFault): string {
  const told = fault.params[i18n.global.locale.value === 'en' ? 'en' : 'zh']
  if (typeof told === 'string') return told
  return TOLD.has(fault.reason) ? t(`records.fault.${fault.reason}`, { was: fault.params.was ?? '' }) : fault.detail
}
