import { beforeAll, expect, it } from 'vitest'
import { addDays, addMonths, monthOf, newDraft, onDay, periodText, problemOf, ruleText, toBody, weekOf, weekdaysText, type Rule } from '@/pages/plans/plans'
import { setTimeZone } from '@/siteTime'

beforeAll(() => setTimeZone('America/New_York'))

it('knows the site’s days where summer time begins and ends', () => {
  expect(weekOf('2026-03-08')).toEqual(['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05', '2026-03-06', '2026-03-07', '2026-03-08'])
  expect([addDays('2026-03-07', 1), addDays('2026-11-01', 1), addDays('2026-12-31', 1)]).toEqual(['2026-03-08', '2026-11-02', '2027-01-01'])
  expect([addMonths('2026-11-01', 2), addMonths('2026-01-01', -1)]).toEqual(['2027-01-01', '2025-12-01'])
  const month = monthOf('2026-11-15')
  expect([month[0], month.at(-1), month.length % 7]).toEqual(['2026-10-26', '2026-12-06', 0])
  const at = ['2026-11-01T03:59:00Z', '2026-11-01T04:00:00Z', '2026-11-02T04:59:00Z', '2026-11-02T05:00:00Z']
  expect(onDay(at, '2026-11-01', (one) => one)).toEqual(at.slice(1, 3)) // a day of 25 hours
})

it('says a rule, its weekdays and a period', () => {
  const rule: Rule = { times: ['08:30', '14:30'], every: { minutes: 120, begin: '22:00', end: '06:00' } }
  expect(ruleText(rule)).toBe('08:30、14:30；22:00 至 06:00 每 2 小时一次')
  expect(ruleText({ times: [], every: { minutes: 120, begin: '00:00', end: '00:00' } })).toBe('全天每 2 小时一次')
  expect([[], [0, 1, 2, 3, 4], [5, 6], [6, 0]].map(weekdaysText)).toEqual(['每天', '周一至周五', '周六、周日', '周一、周日'])
  expect(periodText({ begins_at: '2026-10-01T04:00:00Z', ends_at: '2026-10-08T04:00:00Z' })).toBe('2026-10-01 至 2026-10-07')
  expect(periodText({ begins_at: '2026-10-01T04:00:00Z', ends_at: '2026-10-02T04:00:00Z' })).toBe('2026-10-01')
  expect(periodText({ begins_at: '2026-10-01T22:00:00Z', ends_at: '2026-10-02T04:00:00Z' })).toBe('2026-10-01 18:00 至 2026-10-02 00:00')
})

it('tells what a form lacks, and sends what it has', () => {
  const draft = newDraft(null)
  expect(problemOf(draft)).toBe('name')
  draft.name = '夜巡'
  expect(problemOf(draft)).toBe('tour')
  draft.tour_id = 3
  expect(problemOf(draft)).toBe('times')
  draft.in_special = 'other'
  expect(problemOf(draft)).toBe('special')
  draft.special_rule = { times: ['12:00'], every: null }
  expect(problemOf(draft)).toBeNull() // in special periods alone
  draft.grace_minutes = 0
  expect(problemOf(draft)).toBe('grace')
  draft.grace_minutes = 30
  expect(toBody(draft)).toMatchObject({ tour_id: 3, first_day: null, weekdays: [], special_rule: { times: ['12:00'], every: null } })
  draft.in_special = 'off'
  expect(toBody(draft)?.special_rule).toBeNull()
})
