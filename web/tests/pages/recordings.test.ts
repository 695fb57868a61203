import { describe, expect, it } from 'vitest'
import { filtered, percentText, strip, tally } from '@/pages/recordings/list'

const day = (date: string, seconds: number | null, due = 86_400, gaps = 0, kept = true) => ({ date, seconds, due, gaps, kept })

describe('the strip of days', () => {
  it('has a cell for each day, over the end of a month and of a year', () => {
    const cells = strip([], '2026-12-30', '2027-01-02')
    expect(cells.map(({ date }) => date)).toEqual(['2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02'])
    expect(new Set(cells.map(({ kind }) => kind))).toEqual(new Set(['unknown']))
  })
  it('tells what a day is', () => {
    const days = [day('2026-11-01', 86_400), day('2026-11-02', 64_800, 86_400, 1), day('2026-11-03', 0), day('2026-11-04', null), day('2026-11-05', 600, 0), day('2026-11-06', 86_100), day('2026-11-07', 86_400, 86_400, 0, false)]
    expect(strip(days, '2026-11-01', '2026-11-08').map(({ kind }) => kind)).toEqual(['whole', 'part', 'none', 'some', 'free', 'whole', 'gone', 'unknown'])
  })
  it('is bounded', () => {
    expect(strip([], '1990-01-01', '2026-01-01')).toHaveLength(400)
  })
})

describe('the list', () => {
  const row = (state: 'ok' | 'fault' | 'unknown', village_id: number, name: string) => ({ state, village_id, device_name: '录像机', name })
  const rows = [row('fault', 1, '村口'), row('ok', 1, '东街'), row('unknown', 2, '粮站')]
  const villages = new Map([
    [1, { name: '东沟村', initials: 'dgc' }],
    [2, { name: '李家庄', initials: 'ljz' }],
  ])
  it('counts by state', () => {
    expect(tally(rows)).toEqual({ fault: 1, all: 3, ok: 1, unknown: 1 })
  })
  it.each([
    ['fault', null, '', ['村口']],
    ['all', 1, '', ['村口', '东街']],
    ['all', null, 'dgc 录像 口', ['村口']],
    ['all', null, '李家', ['粮站']],
    ['ok', 2, '', []],
  ] as const)('filters %s of village %s by "%s"', (filter, village, text, expected) => {
    expect(filtered(rows, filter, village, text, ({ name }) => name, villages).map(({ name }) => name)).toEqual(expected)
  })
  it('never rounds up to all', () => {
    expect([percentText(0, 0), percentText(9_999, 10_000), percentText(1, 1), percentText(1, 3)]).toEqual(['', '99.9%', '100%', '33.3%'])
  })
})
