import { describe, expect, it } from 'vitest'
import { canStart, countsOf, meetings, promptsFor, shownState, type DueOccurrence } from '@/due/due'

const AT = Date.parse('2026-11-23T00:30:00Z')
const MINUTE = 60_000

function one(minute: number, change: Partial<DueOccurrence> = {}): DueOccurrence {
  const at = (plus: number): string => new Date(AT + (minute + plus) * MINUTE).toISOString()
  return {
    id: minute + 1000,
    plan_id: 1,
    plan_name: '每日巡查',
    tour_id: 1,
    tour_name: '重点路段',
    variant: 'day',
    special: false,
    due_at: at(0),
    late_at: at(30),
    over_at: at(240),
    state: 'due',
    late: false,
    why: null,
    run_id: null,
    started_at: null,
    started_name: '',
    operator_name: '',
    ended_at: null,
    stops: 12,
    duration_s: 600,
    people: [],
    declined: [],
    ...change,
  }
}
const FREE = { id: 7, busy: false }
const NONE = new Map<number, number>()

describe('who is prompted', () => {
  it('nobody, for a tour that was deleted or emptied since', () => {
    const gone = one(-1, { stops: 0 })
    expect([promptsFor([gone], FREE, AT, NONE), canStart(gone, AT)]).toEqual([[], false])
    expect(canStart(one(-1), AT)).toBe(true)
  })

  it.each([
    ['before its time', one(1), false],
    ['at its time', one(0), true],
    ['late', one(-40, { state: 'late' }), true],
    ['when its time is over', one(-240, { state: 'late' }), false],
    ['when somebody has taken it', one(0, { state: 'running' }), false],
    ['after "not me"', one(0, { declined: [7] }), false],
    ['after somebody else’s "not me"', one(0, { declined: [8] }), true],
    ['when the plan names others', one(0, { people: [8] }), false],
    ['when the plan names them', one(0, { people: [8, 7] }), true],
    ['when the others have let it become late', one(-40, { state: 'late', people: [8] }), true],
  ])('%s', (_, occurrence, prompted) => {
    expect(promptsFor([occurrence], FREE, AT, NONE)).toHaveLength(prompted ? 1 : 0)
    expect(promptsFor([occurrence], { ...FREE, busy: true }, AT, NONE)).toEqual([])
  })

  it('not until it was put off to', () => {
    const later = new Map([[1000, AT + 10 * MINUTE]])
    expect(promptsFor([one(0)], FREE, AT + 10 * MINUTE - 1, later)).toEqual([])
    expect(promptsFor([one(0)], FREE, AT + 10 * MINUTE, later)).toHaveLength(1)
  })

  it('with what is over first in front', () => {
    const list = [one(0), one(-100, { state: 'late' }), one(-5, { over_at: new Date(AT + 30 * MINUTE).toISOString() })]
    expect(promptsFor(list, FREE, AT, NONE).map((found) => found.id)).toEqual([995, 900, 1000])
  })
})

it('can be started from as long before its time as the grace after it', () => {
  expect([-31, -30, 0, 239, 240].map((minute) => canStart(one(0), AT + minute * MINUTE))).toEqual([false, true, true, true, false])
  expect(canStart(one(0, { state: 'running' }), AT)).toBe(false)
  expect([shownState(one(1), AT), shownState(one(0), AT)]).toEqual(['coming', 'due'])
})

it('names what meets: the same tour within the grace is merged, others overlap while they last', () => {
  const [a, same, other, apart] = [one(0), one(25, { plan_id: 2, id: 2 }), one(9, { plan_id: 3, tour_id: 3, id: 3 }), one(40, { plan_id: 4, tour_id: 4, id: 4 })]
  const found = meetings([a, other, same, apart])
  expect([a, other, same, apart].map((item) => found.get(item)?.kind)).toEqual(['merged', 'overlap', 'merged', undefined])
})

it('counts what has been due', () => {
  const list = [one(0), one(10), one(-60, { state: 'late' }), one(-300, { state: 'missed' }), one(-400, { state: 'done', late: true })]
  expect(countsOf(list, AT)).toEqual({ late: 1, missed: 1, done: 1, open: 2 })
})
