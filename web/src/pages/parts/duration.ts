/** Spans of time and moments, short enough for a table. */
import { t } from '@/i18n'
import { dateText, timeText } from '@/siteTime'

/** "45 秒", "12 分", "3 小时 5 分", "2 天 4 小时": two units at most. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (minutes < 1) return t('pages.span.s', { s: seconds })
  if (minutes < 10 && seconds % 60 > 0) return t('pages.span.ms', { m: minutes, s: seconds % 60 })
  if (hours < 1) return t('pages.span.m', { m: minutes })
  if (days < 1) return minutes % 60 ? t('pages.span.hm', { h: hours, m: minutes % 60 }) : t('pages.span.h', { h: hours })
  return hours % 24 ? t('pages.span.dh', { d: days, h: hours % 24 }) : t('pages.span.d', { d: days })
}

/** A time of a record that was tampered with so that nobody can read it: the hub tells the year 1. */
export const unreadable = (iso: string): boolean => iso.startsWith('0001-')

/** From one moment to another; of a record that was tampered with nobody may know it. */
export function betweenText(from: string, to: string): string {
  return unreadable(from) || unreadable(to) ? t('pages.unreadable') : durationText(Date.parse(to) - Date.parse(from))
}

/** The time of day alone today, with month and day before, with the year in other years. The site's time. */
export function momentText(iso: string, nowMs: number, seconds = false): string {
  if (unreadable(iso)) return t('pages.unreadable')
  const at = Date.parse(iso)
  const clock = timeText(at, seconds)
  const [date, today] = [dateText(at), dateText(nowMs)]
  if (date === today) return clock
  return `${date.slice(0, 5) === today.slice(0, 5) ? date.slice(5) : date} ${clock}`
}
