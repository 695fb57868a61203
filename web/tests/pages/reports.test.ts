import { beforeEach, describe, expect, it } from 'vitest'
import { barOf, byDay, problemOf, toBody, newDraft, type Exclusion } from '@/pages/exclusions/exclusions'
import { addDays, isDay, misses, percentText, presetOf, presetSpan, queryOf } from '@/pages/reports/report'
import { setTimeZone } from '@/siteTime'

beforeEach(() => setTimeZone('Asia/Shanghai'))
const NOW = Date.parse('2026-11-29T12:00:00Z') // 20:00 in Shanghai
const share = (percent: number | null) => ({ part: 1, whole: 1, unknown: 0, percent, mean: null })

describe('spans', () => {
  it.each([
    ['yesterday', '2026-03-01', '2026-02-28', '2026-02-28'],
    ['month', '2026-03-01', '2026-03-01', '2026-03-01'],
    ['month', '2026-11-29', '2026-11-01', '2026-11-29'],
    ['lastMonth', '2026-01-31', '2025-12-01', '2025-12-31'],
    ['lastMonth', '2024-03-31', '2024-02-01', '2024-02-29'],
  ] as const)('%s seen from %s', (preset, today, first, last) => {
    expect(presetSpan(preset, today)).toEqual({ first, last })
    expect(presetSpan(presetOf({ first, last }, today) as 'month', today)).toEqual({ first, last })
  })
  it('are days, and nothing else', () => {
    expect(addDays('2026-02-28', 1)).toBe('2026-03-01')
    expect(['2026-02-28', '2026-13-01', 'x', undefined, ['2026-02-28']].map(isDay)).toEqual([true, false, false, false, false])
    expect(presetOf({ first: '2026-01-02', last: '2026-01-05' }, '2026-11-29')).toBe('any')
    expect(queryOf({ first: 'a', last: 'b' }, 3, { unit: '', none: undefined })).toBe('first=a&last=b&village_id=3&unit=')
  })
  it('show 100 only where nothing is missing', () => {
    expect([100, 99.99, 95, 0, null].map((one) => percentText(share(one)))).toEqual(['100', '99.99', '95.00', '0.00', '—'])
    expect([94.99, 95, null].map((one) => misses(share(one), 95))).toEqual([true, false, false])
  })
})

describe('exclusions', () => {
  const one = (id: number, since: string, until: string, more: Partial<Exclusion> = {}): Exclusion => ({ id, since, until, ended_at: null, state: 'planned', ...more }) as Exclusion
  it('stand under the day on which they begin, what has begun under today', () => {
    const list = [one(1, '2026-12-01T17:00:00Z', '2026-12-03T00:00:00Z'), one(2, '2026-11-01T00:00:00Z', '2026-12-03T00:00:00Z', { state: 'in_force' }), one(3, '2026-12-01T16:00:00Z', '2026-12-03T00:00:00Z')]
    expect(byDay(list, NOW, 'planned').map(({ day, items }) => [day, items.map(({ id }) => id)])).toEqual([
      ['2026-11-29', [2]],
      ['2026-12-02', [3, 1]],
    ])
  })
  it('take up their part of the time line, shorter where they were ended', () => {
    const from = Date.parse('2026-11-28T16:00:00Z')
    expect(barOf(one(1, '2026-11-28T16:00:00Z', '2026-12-05T16:00:00Z'), from, 14)).toEqual({ left: 0, width: 50 })
    expect(barOf(one(1, '2026-11-28T16:00:00Z', '2026-12-05T16:00:00Z', { ended_at: '2026-11-30T16:00:00Z' }), from, 14)?.width).toBeCloseTo(100 / 7)
    expect(barOf(one(1, '2026-11-01T16:00:00Z', '2026-11-05T16:00:00Z'), from, 14)).toBeNull()
  })
  it('are asked for in the time of the site', () => {
    const draft = { ...newDraft(NOW), reason: ' 检修 ', weekly: true, days: [6, 0] }
    expect([problemOf(draft, 0), problemOf({ ...draft, reason: ' ' }, 1), problemOf({ ...draft, until: draft.since }, 1), problemOf({ ...draft, days: [] }, 1), problemOf(draft, 1)]).toEqual(['subjects', 'reason', 'order', 'days', null])
    expect(toBody(draft, [7])).toEqual({ level: 'camera', ids: [7], kind: 'maintenance', reason: '检修', since: '2026-11-29T12:00:00.000Z', until: '2026-11-29T16:00:00.000Z', weekly: { days: [0, 6], from: '22:00', to: '06:00' } })
  })
})
