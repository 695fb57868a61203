import { beforeAll, expect, it } from 'vitest'
import { addDays, addMonths, bandsOn, dayWords, isDay, monthOf, monthTotals, newDraft, onDay, periodText, problemOf, resultsOf, ruleText, toBody, toursShown, weekOf, weekdaysText, type DayOverview, type Period, type Rule } from '@/pages/plans/plans'
import { daysBetween, lacksOf, rowsOf, type Suggested } from '@/pages/plans/holidays'
import { hasLeapDay, inSeason, isYearDay, nextSeason, seasonsText, withDay, withMonth } from '@/pages/parts/seasons'
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

function period(id: number, name: string, from: string, to: string): Period {
  return { id, name, kind: 'event', note: '', begins_at: `${from}:00Z`, ends_at: `${to}:00Z`, all_day_duty: true, draft: false, revision: 0, changed_name: '', changed_at: '' }
}

it('draws special periods as bands that keep their line through a week', () => {
  const fair = period(1, '庙会', '2026-11-05T05:00', '2026-11-09T05:00') // Thursday to Sunday
  const fires = period(2, '防火', '2026-11-07T13:00', '2026-11-12T23:00') // Saturday to Thursday, by the hour
  const night = period(3, '夜市', '2026-11-10T00:00', '2026-11-10T04:00') // Monday evening
  const shown = (day: string): string[] => bandsOn([night, fires, fair], day).map((one) => (one ? `${one.period.name}${one.first ? '[' : ''}${one.named ? '!' : ''}${one.last ? ']' : ''}` : '-'))
  expect(shown('2026-11-04')).toEqual([])
  expect(shown('2026-11-05')).toEqual(['庙会[!'])
  expect(shown('2026-11-07')).toEqual(['庙会', '防火[!'])
  expect(shown('2026-11-08')).toEqual(['庙会]', '防火'])
  expect(shown('2026-11-09')).toEqual(['防火!', '夜市[!]']) // a new week: its line is free, and its name is said again
  expect(shown('2026-11-12')).toEqual(['防火]'])
})

it('sums up a day and a month', () => {
  const tours = ['桥', '学校', '水库', '林场'].map((tour_name, id) => ({ tour_id: id, tour_name, count: 10 - id }))
  const day: DayOverview = { day: '2026-11-05', planned: 50, night: 8, special: 0, done: 30, late: 2, missed: 1, open: 0, coming: 19, tours, other_tours: 3 }
  expect(resultsOf(day)).toEqual([
    { state: 'done', count: 30 },
    { state: 'late', count: 2 },
    { state: 'missed', count: 1 },
  ])
  expect(toursShown(day, 3)).toEqual({ shown: tours.slice(0, 2), tours: 5, count: 31 })
  expect(toursShown({ ...day, tours: tours.slice(0, 3), other_tours: 0, planned: 27 }, 3)).toEqual({ shown: tours.slice(0, 3), tours: 0, count: 0 })
  expect(monthTotals([day, { ...day, day: '2026-12-01' }], '2026-11-01')).toEqual({ planned: 50, done: 30, late: 2, missed: 1 })
  expect(dayWords('2026-11-05', day, [period(1, '庙会', '2026-11-05T05:00', '2026-11-09T05:00')])).toBe('2026-11-05 周四；庙会；应巡 50 次、夜间 8 次、已完成 30、逾期 2、漏巡 1')
  expect(dayWords('2026-11-05', null, [])).toBe('2026-11-05 周四；无应巡')
})

it('takes only real days from an address', () => {
  expect([isDay('2026-02-28'), isDay('2026-02-30'), isDay('2026-13-01'), isDay('x'), isDay(undefined), isDay('1999-01-01')]).toEqual([true, false, false, false, false, false])
})

it('knows the days of seasons of every year', () => {
  const [summer, winter] = [{ first: '06-01', last: '09-15' }, { first: '11-15', last: '02-29' }]
  const days = ['2027-05-31', '2027-06-01', '2027-09-15', '2027-09-16', '2027-11-15', '2028-01-01', '2028-02-29', '2028-03-01']
  expect(days.map((day) => inSeason([summer, winter], day))).toEqual([false, true, true, false, true, true, true, false])
  expect([inSeason([], '2027-01-01'), nextSeason([], '2027-01-01'), nextSeason([winter], '2027-01-01')]).toEqual([true, null, null])
  expect([nextSeason([summer], '2026-11-30'), nextSeason([summer, winter], '2026-10-01'), nextSeason([winter, summer], '2027-03-01')]).toEqual(['06-01', '11-15', '06-01'])
  expect(seasonsText([summer, winter])).toBe('6月1日至9月15日、11月15日至次年2月29日')
  expect([hasLeapDay([summer]), hasLeapDay([winter])]).toEqual([false, true])
})

it('keeps to days that a month has', () => {
  expect(['02-29', '02-30', '04-31', '12-31', '00-01', '13-01', '6-1', ''].map(isYearDay)).toEqual([true, false, false, true, false, false, false, false])
  expect([withMonth('01-31', 2), withMonth('02-29', 12), withDay('06-01', 9)]).toEqual(['02-29', '12-29', '06-09'])
})

it('proposes national holidays, without those that are there', () => {
  const one = (codes: Suggested['codes'], registered: string | null): Suggested => ({ codes, first_day: '2025-10-01', last_day: '2025-10-08', begins_at: '', ends_at: '', announced: true, registered })
  const rows = rowsOf([one(['national_day', 'mid_autumn'], null), one(['new_year'], '元旦')], '2025-10-08')
  expect(rowsOf([one(['qingming'], null)], '2025-10-09').map((row) => [row.over, row.wanted])).toEqual([[true, false]])
  expect(rows.map((row) => [row.name, row.wanted, row.first, row.last])).toEqual([
    ['国庆节、中秋节', true, '2025-10-01', '2025-10-08'],
    ['元旦', false, '2025-10-01', '2025-10-08'],
  ])
  expect([daysBetween('2025-10-01', '2025-10-08'), daysBetween('2026-03-07', '2026-03-09')]).toEqual([8, 3]) // over a change of the clock
  const row = { name: '春节', first: '2027-02-05', last: '2027-02-10' }
  expect([row, { ...row, name: ' ' }, { ...row, last: '2027-02-04' }, { ...row, first: '' }, { ...row, last: '2027-08-01' }].map(lacksOf)).toEqual([null, 'name', 'days', 'days', 'long'])
})
