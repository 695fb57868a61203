import { describe, expect, it } from 'vitest'
import type { RunStep } from '@/api/types'
import { asidesOf, filterCounts, shown, type PatrolResult } from '@/pages/runs/patrolRecord'
import { nextToSign } from '@/pages/runs/useNextToSign'

const result = (camera: number, more: Partial<PatrolResult> = {}): PatrolResult => ({ position: 0, camera: { id: camera, name: `点位${camera}`, village: '村' }, result: 'normal', seen: true, key: false, findings: 0, ...more }) as PatrolResult
const visit = (sequence: number, ...cameras: [number, string | null][]): RunStep => ({ sequence, position: 0, cameras: cameras.map(([id, state]) => ({ id, preset: '桥', preset_state: state })) }) as unknown as RunStep

describe('what of a record is worth a look', () => {
  it('is whatever is not simply seen and normal', () => {
    expect(shown('notable', result(1))).toBe(false)
    for (const more of [{ result: 'abnormal' }, { result: 'excused' }, { result: 'open' }, { seen: false }, { findings: 1 }] as Partial<PatrolResult>[]) expect(shown('notable', result(1, more))).toBe(true)
    expect(shown('notable', result(1), { missed: true, changed: false })).toBe(true)
    expect(shown('notable', result(1), { missed: false, changed: true })).toBe(true)
  })

  it('counts a camera that had not come to its preset the last time, and one whose result was changed', () => {
    const results = [result(1), result(2), result(3), result(4)]
    const asides = asidesOf(results, [visit(0, [1, 'moving'], [2, 'reached'], [3, null]), visit(1, [1, 'reached'], [2, 'ptz_locked'])], new Map([['0/4', []]]))
    expect(filterCounts(results, asides)).toMatchObject({ all: 4, notable: 2, preset: 1, abnormal: 0 })
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
