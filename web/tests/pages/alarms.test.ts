import { describe, expect, it } from 'vitest'
import { arrange, byUrgency, matches } from '@/pages/alarms/arrange'
import { delayLines, inOrder, segments, summary } from '@/pages/alarms/history'
import type { Alarm, Observation } from '@/pages/parts/shapes'

function alarm(id: number, minute: number, more: Partial<Alarm> = {}): Alarm {
  return {
    id, level: 'camera', cause: 'frozen', village_id: 1, village_name: '董家村', device_id: 1, device_name: 'NVR', camera_id: id, camera_name: 'x', members: [id], detail: '',
    opened_at: `2026-11-24T08:${String(minute).padStart(2, '0')}:00Z`, acknowledged_at: null, acknowledged_name: null, closed_at: null, ...more,
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

function seen(minute: number, reason: string | null, key_frame_ms: number | null = 400): Observation {
  return { at: new Date(minute * 60_000).toISOString(), reason, detail: '', signalling_ms: 20, stream_ms: 100, key_frame_ms, clock_error_s: null, scores: {} }
}

describe('health file', () => {
  const minute = 60_000
  it('joins looks of one state and ends a stretch where nobody looked', () => {
    const looks = inOrder([seen(10, 'frozen'), seen(0, null), seen(5, null), seen(60, null)])
    expect(segments(looks, 70 * minute, 20 * minute)).toEqual([
      { from: 0, to: 10 * minute, reason: null },
      { from: 10 * minute, to: 30 * minute, reason: 'frozen' },
      { from: 60 * minute, to: 70 * minute, reason: null },
    ])
  })
  it('leaves a gap in the line of a look that got no picture', () => {
    expect(delayLines([seen(0, 'unreachable', null)])[2]).toEqual({ name: 'key_frame_ms', points: [[0, null]] })
  })
  it('sums up', () => {
    expect(summary([seen(0, null, 300), seen(5, 'frozen', 500), seen(10, 'stalled', null)])).toEqual({ looks: 3, bad: 2, median: 300 })
    expect(summary([])).toEqual({ looks: 0, bad: 0, median: null })
  })
})
