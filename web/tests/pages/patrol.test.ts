import { describe, expect, it } from 'vitest'
import type { ItineraryStop, RunResult } from '@/api/types'
import { asked, openStops, stopState, type Known } from '@/pages/runs/confirming'
import { patrolCommand } from '@/pages/runs/keys'
import { WallKeys } from '@/wall/keys'

const stop = (cameras: number[], more: Partial<ItineraryStop> = {}): ItineraryStop =>
  ({ position: 2, name: '站', more: 0, note: '', layout: '4', dwell_s: 10, preset: null, key: false, cameras: cameras.map((id) => ({ id, name: `点位${id}`, village: '村1' })), ...more })
const result = (camera: number, more: Partial<RunResult> = {}): RunResult => ({ position: 2, camera: { id: camera, name: `点位${camera}`, village: '村1' }, result: 'open', seen: false, seen_s: 0, key: false, ...more }) as RunResult
const known = (more: Partial<Known> = {}): Known => ({ mode: 'screen', least: 3, results: [result(1), result(2), result(3)], seen: new Map(), dead: new Set(), selected: null, ...more })
const seen = (seconds: Record<number, number>) => new Map(Object.entries(seconds).map(([id, s]) => [Number(id), { seconds: s, gap: null }] as const))

describe('what one key confirms', () => {
  it('a screenful, once every camera has been seen', () => {
    expect(asked(stop([1, 2, 3]), known({ seen: seen({ 1: 4, 2: 1.2, 3: 3 }) }))).toMatchObject({ cameras: [], missing: [{ camera: 2, name: '点位2', seconds: 2 }] })
    expect(asked(stop([1, 2, 3]), known({ seen: seen({ 1: 4, 2: 3, 3: 3 }) }))).toMatchObject({ cameras: [1, 2, 3], whole: true, missing: [], done: false })
  })
  it('what was seen on an earlier visit counts', () => {
    expect(asked(stop([1]), known({ results: [result(1, { seen: true })] })).cameras).toEqual([1])
  })
  it('tells two cameras of one name by their villages', () => {
    const gates = stop([], { cameras: [{ id: 1, name: '村口', village: '东沟村' }, { id: 2, name: '村口', village: '李家庄' }, null, { id: 3, name: '大桥北', village: '李家庄' }] })
    expect(asked(gates, known()).missing.map((one) => one.name)).toEqual(['东沟村 村口', '李家庄 村口', '大桥北'])
  })
  it('asks nothing of dead cameras, nor of those that are done', () => {
    const results = [result(1), result(2, { result: 'abnormal' }), result(3)]
    expect(asked(stop([1, 2, 3]), known({ results, dead: new Set([3]), seen: seen({ 1: 3 }) }))).toMatchObject({ cameras: [1], whole: false })
    expect(asked(stop([3]), known({ dead: new Set([3]) })).done).toBe(true)
  })
  it('of a key stop, and where each camera is confirmed, one camera at a time: the selected one, else the next that was seen', () => {
    const both = known({ seen: seen({ 2: 3, 3: 3 }) })
    expect(asked(stop([1, 2, 3], { key: true }), both)).toMatchObject({ cameras: [2], missing: [], singly: true })
    expect(asked(stop([1, 2, 3]), { ...both, mode: 'camera', selected: 3 }).cameras).toEqual([3])
    expect(asked(stop([1, 2, 3]), { ...both, mode: 'camera', selected: 1 })).toMatchObject({ cameras: [], missing: [{ camera: 1 }] })
  })
})

describe('the stops of a patrol', () => {
  const results = [result(1, { position: 0, result: 'normal' }), result(2, { position: 1 }), result(3, { position: 2, result: 'abnormal' }), result(4, { position: 3, result: 'excused' }), result(5, { position: 4 })]
  it('say what is open', () => {
    expect([0, 1, 2, 3, 4].map((position) => stopState(position, 3, results, 3))).toEqual(['confirmed', 'open', 'abnormal', 'present', 'ahead'])
    expect(stopState(3, null, results, 5)).toBe('excused')
    expect(openStops(results).map((one) => one.position)).toEqual([1, 4])
  })
})

describe('the keys of a patrol', () => {
  const key = (name: string, more: object = {}) => ({ key: name, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more })
  const proof = { proof: true, padOpen: false }
  it.each([
    ['Enter', {}, 'normal'],
    ['n', {}, 'abnormal'],
    ['F', {}, 'finding'], // with Caps Lock
    ['F', { shiftKey: true }, null], // full screen, the wall's
    ['e', {}, 'extend'],
    ['l', {}, 'list'],
    ['?', { shiftKey: true }, 'help'],
    [' ', {}, 'toggle'],
    ['ArrowRight', {}, 'next'],
    ['ArrowDown', {}, null],
    ['Delete', {}, 'nothing'],
    ['5', {}, null],
    ['s', {}, null],
    ['n', { ctrlKey: true }, null],
  ])('%s %o', (name, more, command) => expect(patrolCommand(key(name, more), proof)).toBe(command))
  it('leave what moves a camera to its open pad', () => {
    expect(patrolCommand(key('ArrowRight', { code: 'ArrowRight' }), { proof: true, padOpen: true })).toBeNull()
    expect(patrolCommand(key('Enter'), { proof: true, padOpen: true })).toBe('normal')
  })
  it('confirm nothing while a tour is only shown', () => {
    expect(patrolCommand(key('Enter'), { proof: false, padOpen: false })).toBeNull()
    expect(patrolCommand(key('ArrowLeft'), { proof: false, padOpen: false })).toBe('previous')
  })
  it('take no key from the wall that has no other', () => {
    const wall = (name: string) => new WallKeys().command(key(name), 4, 0)
    expect([wall('z'), wall('F')]).toEqual([{ do: 'solo' }, { do: 'fullscreen' }])
  })
})
