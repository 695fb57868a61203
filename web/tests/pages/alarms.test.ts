import { describe, expect, it } from 'vitest'
import { arrange, byUrgency, matches } from '@/pages/alarms/arrange'
import { delayLines, lookResult } from '@/pages/alarms/history'
import type { Alarm } from '@/api/types'

function alarm(id: number, minute: number, more: Partial<Alarm> = {}): Alarm {
  return {
    id, level: 'camera', aspect: 'picture', severity: 'minor', recovered: [], cause: 'frozen', village_id: 1, village_name: '董家村', device_id: 1, device_name: 'NVR', camera_id: id, camera_name: 'x', members: [id], detail: '', params: {},
    opened_at: `2026-11-24T08:${String(minute).padStart(2, '0')}:00Z`, acknowledged_at: null, acknowledged_name: null, closed_at: null, duration_s: null, merged: false,
    owner: null, notified_at: null, reminders: 0, escalation: 0, escalated_at: null, suspended: null, note: '', flapping: false, place_group: null, hint: null, ...more,
  }
}
const closed = { closed_at: '2026-11-24T09:00:00Z' }

describe('order of alarms', () => {
  it('puts open ones first, the newest on top', () => {
    const list = [alarm(1, 1), alarm(2, 30, closed), alarm(3, 5), alarm(4, 2)]
    expect([...list].sort(byUrgency).map((one) => one.id)).toEqual([3, 4, 1, 2])
  })
  it('orders closed ones by when they closed', () => {
    const list = [alarm(1, 1, closed), alarm(2, 30, { closed_at: '2026-11-24T08:40:00Z' })]
    expect([...list].sort(byUrgency).map((one) => one.id)).toEqual([1, 2])
  })
})

describe('filter', () => {
  it('knows open, unacknowledged and village', () => {
    const acknowledged = alarm(1, 1, { acknowledged_at: '2026-11-24T08:02:00Z' })
    expect(matches(acknowledged, 'open', null)).toBe(true)
    expect(matches(acknowledged, 'unacknowledged', null)).toBe(false)
    expect(matches(alarm(2, 1, closed), 'open', null)).toBe(false)
    expect(matches(alarm(2, 1, closed), 'all', null)).toBe(true)
    expect(matches(alarm(3, 1), 'all', 2)).toBe(false)
  })
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
    expect(delayLines([{ at: at(0), signalling_ms: 20, stream_ms: null, key_frame_ms: null, clock_error_s: null }])[2]).toEqual({ name: 'key_frame_ms', points: [[0, null]] })
  })
  it('tells a look that fetched a picture from one that only heard the camera answer', () => {
    expect([lookResult({ reason: null, picture: 'ok' }), lookResult({ reason: null, picture: null }), lookResult({ reason: 'frozen', picture: 'frozen' })]).toEqual(['good', 'answers', 'fault'])
  })
})
