/** The words of settings: parts, values, offsets. */
import { reasonText, remedyText, i18n, t } from '@/i18n'
import { durationText } from '../parts/duration'
import type { Fact, Facts, Param, Source } from './types'

/** A part that this page does not know is shown as it is, so that it can be reported. */
export function partText(part: string): string {
  const key = `deviceSettings.part.${part}`
  return i18n.global.te(key) ? t(key) : part
}

/** `+2.4 秒`, `−3 分 12 秒`: above 0 the device's clock is fast. */
export function offsetText(seconds: number): string {
  const size = Math.abs(seconds)
  const sign = size < 0.05 ? '±' : seconds > 0 ? '+' : '−'
  return sign + (size < 10 ? t('deviceSettings.seconds', { s: size.toFixed(1) }) : durationText(size * 1_000))
}

export function offsetWord(seconds: number): string {
  if (Math.abs(seconds) < 0.05) return ''
  return t(seconds > 0 ? 'deviceSettings.fast' : 'deviceSettings.slow')
}

export const offsetWords = (seconds: number): string => `${offsetText(seconds)} ${offsetWord(seconds)}`.trim()

/** Why, and what to do about it. Parts that lack are named as the hub compares them: they get their words. */
export function whyOf(part: string, reason: string | null, params: Record<string, Param>): { why: string; remedy: string } {
  if (!reason) return { why: '', remedy: '' }
  const { lacks } = params
  const told = typeof lacks === 'string' ? { ...params, lacks: lacks.split(', ').map((key) => factName(part, key)).join(t('deviceSettings.comma')) } : params
  return { why: reasonText(reason, told), remedy: remedyText(reason, told) }
}

/** What a device does not offer as it was wanted: the nearest that it has is set. */
export function boundedText(part: string, bounded: Record<string, Param>): string {
  const told = Object.entries(bounded).map(([key, value]) => (key === 'gov_seconds' ? `${factName(part, 'gov_length')} ${t('deviceSettings.seconds', { s: value })}` : `${factName(part, key)} ${factText(key, { [key]: value })}`))
  return told.length ? t('deviceSettings.bounded', { what: told.join(t('deviceSettings.comma')) }) : ''
}

/** One value before and after, in words; `after` is undefined where nothing is to be set. */
export interface Line {
  key: string
  name: string
  before: string
  after?: string
}

/** What is told of a part: the values that change; all of them where none does. `unread`: the device did not tell them. */
export function linesOf(part: string, before: Facts, after: Facts, unread = false): Line[] {
  if ('shown' in before && 'text' in before) return textLines(part, before, after, unread)
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => key !== 'zone_offset_s') // the zone itself says it
  const changing = keys.filter((key) => key in after && after[key] !== before[key])
  return (changing.length ? changing : keys).map((key) => ({
    key,
    name: factName(part, key),
    before: factText(key, before),
    ...(changing.length ? { after: key === 'offset_s' && after[key] === 0 ? t('deviceSettings.value.onTime') : factText(key, after) } : {}),
  }))
}

/** A text in the picture is one value: what is seen of it. Where it stands is told only when it moves. */
function textLines(part: string, before: Facts, after: Facts, unread: boolean): Line[] {
  const seen = (facts: Facts): string => (facts.shown ? String(facts.text || t('deviceSettings.one.shown')) : t('deviceSettings.one.notShown'))
  const known = 'shown' in after
  const lines: Line[] = [{ key: 'text', name: factName(part, 'text'), before: unread ? t('deviceSettings.value.unknown') : seen(before), ...(known && (after.text !== before.text || after.shown !== before.shown) ? { after: seen(after) } : {}) }]
  if (known && before.position && after.position !== before.position) lines.push({ key: 'position', name: factName(part, 'position'), before: factText('position', before), after: factText('position', after) })
  return lines
}

function factName(part: string, key: string): string {
  const word = [`deviceSettings.fact.${part}.${key}`, `deviceSettings.fact.any.${key}`].find((one) => i18n.global.te(one))
  return word ? t(word) : key
}

/** One of the facts as people say it; null and absent: the device does not tell. */
export function factText(key: string, facts: Facts): string {
  const value: Fact | undefined = facts[key]
  if (value === undefined || value === null) return t('deviceSettings.value.unknown')
  if (typeof value === 'boolean') return t(value ? 'deviceSettings.value.yes' : 'deviceSettings.value.no')
  if (value === '') return t('deviceSettings.value.none')
  if (key === 'offset_s' && typeof value === 'number') return offsetWords(value)
  if (key === 'codec') return codecText(String(value))
  if (key === 'gov_length' && typeof value === 'number') return govText(value, facts.fps)
  const unit = `deviceSettings.unit.${key}`
  if (i18n.global.te(unit)) return t(unit, { n: value })
  const word = `deviceSettings.value.${key}.${value}`
  return i18n.global.te(word) ? t(word) : String(value)
}

/** The distance of key frames: people think in seconds, devices in frames. */
export function govText(frames: number, fps: Fact | undefined): string {
  if (typeof fps !== 'number' || fps <= 0) return t('deviceSettings.unit.frames', { n: frames })
  return t('deviceSettings.unit.gov', { s: Number((frames / fps).toFixed(1)), n: frames })
}

export function codecText(codec: string): string {
  return codec.toUpperCase().replace(/^H(26\d)$/, 'H.$1')
}

/** All of a part in one text: for lists that are copied. */
export function beforeText(lines: readonly Line[]): string {
  return lines.map((line) => `${line.name} ${line.before}`).join('; ')
}
export function afterText(lines: readonly Line[]): string {
  return lines.flatMap((line) => (line.after === undefined ? [] : `${line.name} ${line.after}`)).join('; ')
}

/** Where a device takes its time from, in words. `recorder`: the name of the one that sets it. */
export function sourceText(source: Source | null, recorder: string): string {
  if (recorder) return t('deviceSettings.source.recorder', { name: recorder })
  return source ? t(`deviceSettings.source.${source}`) : ''
}
