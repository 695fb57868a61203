import { describe, expect, it } from 'vitest'
import type { RunItinerary, RunStep } from '@/api/types'
import { betweenText, momentText } from '@/pages/parts/duration'
import { asidesOf, filterCounts, shown, stopsOf, type PatrolResult } from '@/pages/runs/patrolRecord'
import { nextToSign } from '@/pages/runs/useNextToSign'

const result = (camera: number, more: Partial<PatrolResult> = {}): PatrolResult => ({ position: 0, camera: { id: camera, name: `点位${camera}`, village: '村' }, result: 'normal', seen: true, key: false, findings: 0, ...more }) as PatrolResult
const visit = (sequence: number, ...cameras: [number, string | null][]): RunStep => ({ sequence, position: 0, cameras: cameras.map(([id, state]) => ({ id, preset: '桥', preset_state: state })) }) as unknown as RunStep

describe('what of a record is worth a look', () => {
  it('is whatever is not simply seen and normal', () => {
    expect(shown('notable', result(1))).toBe(false)
    for (const more of [{ result: 'abnormal' }, { result: 'excused' }, { result: 'open' }, { seen: false }, { findings: 1 }] as Partial<PatrolResult>[]) expect(shown('notable', result(1, more))).toBe(true)
    expect(shown('notable', result(1), { missed: true, unknown: false, changed: false })).toBe(true)
    expect(shown('notable', result(1), { missed: false, unknown: false, changed: true })).toBe(true)
  })

  it('counts a camera that had not come to its preset the last time, one of which nobody knows it, and one whose result was changed', () => {
    const results = [result(1), result(2), result(3), result(4)]
    const asides = asidesOf(results, [visit(0, [1, 'moving'], [2, 'reached'], [3, null]), visit(1, [1, 'reached'], [2, 'ptz_locked'])], new Map([['0/4', []]]))
    expect(filterCounts(results, asides)).toMatchObject({ all: 4, notable: 3, preset: 1, abnormal: 0 })
  })
})

describe('a record whose itinerary was tampered with', () => {
  it('shows its results all the same, by the stops that are left', () => {
    const itinerary = { stops: [{ position: 0, name: '一站', note: '', more: 0 }] } as unknown as RunItinerary
    const shown = stopsOf(itinerary, [result(1), { ...result(2), position: 3 }], [], 'all')
    expect(shown.map((stop) => [stop.position, stop.name, stop.results.map((one) => one.camera.id)])).toEqual([[0, '一站', [1]], [3, '', [2]]])
  })

  it('tells no time and no span that nobody can read', () => {
    expect([momentText('0001-01-03T00:00:00Z', 0, true), betweenText('0001-01-03T00:00:00Z', '2026-11-30T00:00:00Z')]).toEqual(['无法读取', '无法读取'])
    expect(betweenText('2026-11-30T00:00:00Z', '2026-11-30T00:12:00Z')).toBe('12 分钟')
  })
})

describe('the next record to sign', () => {
  const rows = [{ id: 9, own: false }, { id: 8, own: true }, { id: 5, own: false }, { id: 3, own: false }]

  it('is the one below in the list, then the newest again, and never one\u2019s own', () => {
    expect([9, 6, 5, 3, 1].map((open) => nextToSign(rows, open))).toEqual([5, 5, 3, 9, 9])
    expect(nextToSign([{ id: 8, own: true }, { id: 5, own: false }], 5)).toBeNull()
    expect(nextToSign([], 5)).toBeNull()
  })
})
