import { describe, expect, it } from 'vitest'
import { EVERYTHING, arrange, byUrgency, grouped, matches, queryOf, suspendedUntil, type Wanted } from '@/pages/alarms/arrange'
import { hintWords } from '@/pages/alarms/hint'
import { failedStep, stepStates } from '@/pages/alarms/steps'
import { delayLines, lookResult, measuredText } from '@/pages/alarms/history'
import type { Alarm } from '@/api/types'

function alarm(id: number, minute: number, more: Partial<Alarm> = {}): Alarm {
  return {
    id, level: 'camera', aspect: 'picture', severity: 'minor', recovered: [], cause: 'frozen', village_id: 1, village_name: '董家村', device_id: 1, device_name: 'NVR', camera_id: id, camera_name: 'x', members: [id], detail: '', params: {},
    opened_at: `2026-11-24T08:${String(minute).padStart(2, '0')}:00Z`, acknowledged_at: null, acknowledged_name: null, closed_at: null, duration_s: null, ending: null,
    owner: null, notified_at: null, reminders: 0, escalation: 0, escalated_at: null, suspended: null, note: '', flapping: false, place_group: null, hint: null, ...more,
  }
}
const closed = { closed_at: '2026-11-24T09:00:00Z' }

describe('order of alarms', () => {
  it('puts open ones first, the newest on top', () => {
    const list = [alarm(1, 1), alarm(2, 30, closed), alarm(3, 5), alarm(4, 2)]
    expect([...list].sort(byUrgency).map((one) => one.id)).toEqual([3, 4, 1, 2])
  })
  it('puts critical ones on top until somebody has acknowledged them', () => {
    const list = [alarm(1, 1, { severity: 'critical' }), alarm(2, 2, { severity: 'critical', acknowledged_at: 'x' }), alarm(3, 3)]
    expect([...list].sort(byUrgency).map((one) => one.id)).toEqual([1, 3, 2])
  })
  it('orders closed ones by when they closed', () => {
    const list = [alarm(1, 1, closed), alarm(2, 30, { closed_at: '2026-11-24T08:40:00Z' })]
    expect([...list].sort(byUrgency).map((one) => one.id)).toEqual([1, 2])
  })
})

describe('filter', () => {
  const wanted = (more: Partial<Wanted>): Wanted => ({ ...EVERYTHING, ...more })
  const suspended = alarm(5, 1, { suspended: { since: '', until: '', reason: 'parts', by: '李四' } })
  it.each([
    [{ filter: 'open' }, [1, 3, 5]],
    [{ filter: 'unacknowledged' }, [3, 5]],
    [{ filter: 'suspended' }, [5]],
    [{ filter: 'closed' }, [2]],
    [{ filter: 'all' }, [1, 2, 3, 5]],
    [{ village: 2 }, []],
    [{ severity: 'critical' }, []],
    [{ aspect: 'picture' }, [1, 3, 5]],
    [{ owner: 9 }, [1]],
    [{ text: ' 董家 ' }, [1, 3, 5]],
    [{ text: 'nvr' }, [1, 3, 5]],
    [{ text: '西' }, []],
  ] as [Partial<Wanted>, number[]][])('%o holds events against what was asked of the hub', (more, ids) => {
    const all = [alarm(1, 1, { acknowledged_at: '2026-11-24T08:02:00Z', owner: { id: 9, name: '李四' } }), alarm(2, 1, closed), alarm(3, 1), suspended]
    expect(all.filter((one) => matches(one, wanted(more))).map((one) => one.id)).toEqual(ids)
  })
  it('asks the hub for the same', () => {
    expect(queryOf(wanted({ filter: 'unacknowledged', text: ' 董 ' }))).toMatchObject({ open: true, acknowledged: false, suspended: undefined, text: '董' })
    expect([queryOf(wanted({ filter: 'all' })).open, queryOf(wanted({ filter: 'closed' })).open]).toEqual([undefined, false])
  })
})

describe('losses of one place at one time', () => {
  it('stand together where the first of them stands; open and closed ones apart', () => {
    const at = (id: number, place_group: string | null, more: Partial<Alarm> = {}) => alarm(id, id, { place_group, ...more })
    const groups = grouped([at(9, 'a'), at(8, null), at(7, 'b'), at(6, 'a'), at(5, 'a', closed)])
    expect(groups.map((one) => [one.key, one.place, one.alarms.map((alarm) => alarm.id)])).toEqual([
      [9, true, [9, 6]],
      [8, false, [8]],
      [7, false, [7]],
      [5, false, [5]],
    ])
  })
  it('count cameras, each once: a recorder has several, and one camera that is lost twice is no place', () => {
    const lost = (id: number, place_group: string, members: number[]) => alarm(id, id, { ...closed, level: 'device', camera_id: null, place_group, members })
    const groups = grouped([lost(9, 'a', [1, 2, 3]), lost(8, 'a', [3, 4]), lost(7, 'b', [5]), lost(6, 'b', [5])])
    expect(groups.map((one) => [one.place, one.cameras, one.alarms.length])).toEqual([
      [true, 4, 2],
      [false, 1, 2],
    ])
  })
})

describe('the step that failed', () => {
  it.each([
    ['media', 'village_link', 'link'],
    ['media', 'unreachable', 'device'],
    ['media', 'wrong_password', 'login'],
    ['media', 'stalled', 'stream'],
    ['picture', 'black', null],
    ['media', 'something_new', null],
  ] as const)('of %s %s is %s', (aspect, cause, step) => expect(failedStep(aspect, cause)).toBe(step))
  it('stands between what was passed and what was not reached', () => {
    expect(stepStates('login').map((one) => one.state)).toEqual(['passed', 'passed', 'passed', 'failed', 'unreached', 'unreached', 'unreached'])
  })
})

describe('what was seen before a loss', () => {
  const name = (id: number): string => `camera ${id}`
  it.each([
    [alarm(1, 1, { hint: { kind: 'covered', source: 'picture', camera_id: 7, seconds: 95, score: 23 } }), ['镜头遮挡', '断线前 1 分 35 秒', '评分 23']],
    [alarm(1, 1, { level: 'device', hint: { kind: 'moved', source: 'picture', camera_id: 7, seconds: 0, score: 8 } }), ['画面移位', 'camera 7', '断线时', '评分 8']],
    [alarm(1, 1, { level: 'device', hint: { kind: 'tamper', source: 'device', camera_id: null, seconds: 12, score: null } }), ['遮挡/移位', '断线前 12 秒', '设备上报']],
    [alarm(1, 1, { hint: { kind: 'of_another_version', source: 'device', camera_id: null, seconds: 1, score: null } }), []],
    [alarm(1, 1), []],
  ] as const)('is told in words (%#)', (one, words) => {
    const found = hintWords(one, name)
    expect(found ? [found.what, ...found.rest] : []).toEqual(words)
  })
})

describe('a suspension', () => {
  const eight = 8 * 3_600_000
  it.each([
    ['2026-11-24T12:00:00Z', '2026-11-25T00:00:00.000Z'], // 20:00 in Shanghai
    ['2026-11-24T17:00:00Z', '2026-11-26T00:00:00.000Z'], // 01:00: the next morning is the day after
  ])('at %s until the next morning ends at %s', (now, until) => expect(suspendedUntil('morning', Date.parse(now), eight).toISOString()).toBe(until))
  it('of three days ends at the same time of day', () => expect(suspendedUntil('d3', 0, eight).getTime()).toBe(72 * 3_600_000))
})

describe('the list under the pointer', () => {
  const known = [alarm(1, 1), alarm(2, 2)]
  const all = (list: Alarm[]) => new Map(list.map((one) => [one.id, one]))
  it('keeps its rows while held and only counts new ones', () => {
    const now = [...known, alarm(3, 3)]
    const arranged = arrange(now, all(now), [2, 1])
    expect(arranged.shown.map((one) => one.id)).toEqual([2, 1])
    expect(arranged.waiting).toBe(1)
  })
  it('shows the new state of a held row, even one that left the filter', () => {
    const recovered = alarm(1, 1, closed)
    const arranged = arrange([known[1]!], all([known[1]!, recovered]), [2, 1])
    expect(arranged.shown.map((one) => one.closed_at)).toEqual([null, closed.closed_at])
  })
  it('shows all in order when let go', () => {
    const now = [...known, alarm(3, 3)]
    expect(arrange(now, all(now), null)).toEqual({ shown: [now[2], now[1], now[0]], waiting: 0 })
  })
})

const at = (minute: number): string => new Date(minute * 60_000).toISOString()

describe('the looks of the health file', () => {
  it('leaves a gap in a line where nothing was measured', () => {
    expect(delayLines([{ at: at(0), looks: 1, signalling_ms: 20, stream_ms: null, key_frame_ms: null, clock_error_s: null, fps: null, bitrate_kbit: null, gop_seconds: null, gaps: 0, received_bytes: 0, scores: {} }])[2]).toEqual({ name: 'key_frame_ms', points: [[0, null]] })
  })
  it.each([[2, '2 s'], [0.04, '0 s'], [12.34, '12.3 s'], [Number.NaN, '—'], [null, '—'], ['-', '—']])('tells %s as %s', (value, text) => expect(measuredText(value, 's')).toBe(text))
  it('tells a look that fetched a picture from one that only heard the camera answer', () => {
    expect([lookResult({ reason: null, picture: 'ok' }), lookResult({ reason: null, picture: null }), lookResult({ reason: 'frozen', picture: 'frozen' })]).toEqual(['good', 'answers', 'fault'])
  })
})
