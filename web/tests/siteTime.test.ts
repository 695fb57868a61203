import { afterEach, describe, expect, it, vi } from 'vitest'
import { snapshotName } from '@/pages/wall/snapshot'
import { clockText } from '@/pages/wall/describe'
import { momentText } from '@/pages/parts/duration'
import { asUtc, clockParts, dateText, inputText, momentOfInput, setTimeZone, timeText } from '@/siteTime'

const MOMENT = Date.parse('2026-11-24T17:30:05.250Z')

afterEach(() => setTimeZone('UTC'))

describe('times of the site', () => {
  it('are the site’s, whatever zone the browser is in', () => {
    setTimeZone('Asia/Shanghai')
    expect(clockParts(MOMENT)).toMatchObject({ year: 2026, month: 11, day: 25, hour: 1, minute: 30, second: 5 })
    expect([dateText(MOMENT), timeText(MOMENT), timeText(MOMENT, true)]).toEqual(['2026-11-25', '01:30', '01:30:05'])
    setTimeZone('America/New_York')
    expect([dateText(MOMENT), timeText(MOMENT, true)]).toEqual(['2026-11-24', '12:30:05'])
  })
  it('begin the day at 00, not 24', () => {
    setTimeZone('Asia/Shanghai')
    expect(timeText(Date.parse('2026-11-24T16:00:00Z'))).toBe('00:00')
  })
  it('decide what is today', () => {
    setTimeZone('Asia/Shanghai')
    const iso = new Date(MOMENT).toISOString()
    expect(momentText(iso, Date.parse('2026-11-24T20:00:00Z'))).toBe('01:30')
    expect(momentText(iso, Date.parse('2026-11-24T15:00:00Z'))).toBe('11-25 01:30')
    expect(clockText(MOMENT, Date.parse('2026-11-24T15:00:00Z'))).toBe('11-25 01:30')
  })
  it('name files and label charts', () => {
    setTimeZone('Asia/Shanghai')
    expect(snapshotName('大王村', '东门', new Date(MOMENT))).toBe('大王村_东门_20261125_013005.jpg')
    expect(new Date(asUtc(MOMENT)).toISOString()).toBe('2026-11-25T01:30:05.250Z')
  })
  it('are typed in the site\'s zone', () => {
    setTimeZone('Asia/Shanghai')
    expect(inputText(MOMENT)).toBe('2026-11-25T01:30')
    expect(momentOfInput('2026-11-25T01:30')).toBe(Date.parse('2026-11-24T17:30:00Z'))
    setTimeZone('Europe/Berlin') // summer time ends at 01:00 UTC on 2026-10-25
    for (const iso of ['2026-10-24T23:30:00Z', '2026-10-25T02:30:00Z', '2026-03-29T00:59:00Z', '2026-03-29T01:00:00Z']) {
      expect(new Date(momentOfInput(inputText(new Date(iso)))).toISOString()).toBe(new Date(iso).toISOString())
    }
  })
  it('keep the zone there was where the browser does not know the new one', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    setTimeZone('Asia/Shanghai')
    setTimeZone('Atlantis/Poseidonis')
    expect(timeText(MOMENT)).toBe('01:30')
    expect(warn).toHaveBeenCalledOnce()
  })
})
