import { describe, expect, it } from 'vitest'
import type { ItineraryStop, Run, RunResult, RunStep } from '@/api/types'
import { asked, openStops, stopState, type Known } from '@/pages/runs/confirming'
import { patrolCommand } from '@/pages/runs/keys'
import { lastAtPreset, presetMissed, presetNotes, presetText } from '@/pages/runs/presetWords'
import { WallKeys } from '@/wall/keys'

const stop = (cameras: number[], more: Partial<ItineraryStop> = {}): ItineraryStop =>
  ({ position: 2, name: '站', more: 0, note: '', layout: '4', dwell_s: 10, presets: [], key: false, cameras: cameras.map((id) => ({ id, name: `点位${id}`, village: '村1' })), ...more })
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

describe('domes at their presets', () => {
  const at = (camera_id: number, state: Run['presets'][number]['state'], reason: string | null = null, params = {}) => ({ camera_id, name: `位${camera_id}`, state, reason, params })
  const texts = (...presets: Run['presets']) => presetNotes({ presets }, stop([1, 2, 3, 4])).map((one) => [one.bad, one.text])

  it('need no word once they are there, and are named where they are not', () => {
    expect(texts(at(1, 'reached'), at(2, null))).toEqual([])
    expect(texts(at(1, 'moving'), at(2, 'reached'))).toEqual([[false, '点位1 正在转到预置位“位1”']])
    expect(texts(at(1, 'moving'), at(2, 'moving'), at(3, 'moving'))).toEqual([[false, '3 台球机正在转向预置位']])
    expect(texts(at(1, 'moving'), at(2, 'taken', 'ptz_locked', { name: '李四', seconds: 20 }), at(3, 'failed', 'ptz_preset_gone'))).toEqual([
      [true, '点位2 未转到预置位“位2”：“李四”正在操作云台，请稍候'],
      [true, '点位3 未转到预置位“位3”：该预置位已不存在'],
      [false, '点位1 正在转到预置位“位1”'],
    ])
  })
  it('stand in the record with what became of them', () => {
    const seen = (id: number, preset: string | null, preset_state: string | null) => ({ id, name: '', village: '', times: 1, visible_s: 3, seen_from: null, seen_until: null, why: null, preset, preset_state })
    expect(['reached', 'moving', 'ptz_locked', 'ptz_preset_gone', null].map((state) => presetText(seen(1, '桥', state)))).toEqual([
      '预置位：桥 · 已到位',
      '预置位：桥 · 离站时还在转动',
      '预置位：桥 · 未到位（有人在操作云台）',
      '预置位：桥 · 未到位（该预置位已不存在）',
      '预置位：桥 · 到位情况未记录',
    ])
    expect([presetText(seen(1, null, null)), presetText(undefined)]).toEqual(['', ''])
    expect([seen(1, '桥', 'reached'), seen(1, '桥', null), seen(1, null, null), seen(1, '桥', 'moving')].map(presetMissed)).toEqual([false, false, false, true])
    const visits = [{ cameras: [seen(1, '桥', 'moving')] }, { cameras: [seen(1, '桥', 'reached'), seen(2, null, null)] }, { cameras: [seen(1, null, null)] }] as RunStep[]
    expect([lastAtPreset(visits, 1)?.preset_state, lastAtPreset(visits, 2)]).toEqual(['reached', undefined])
    const present = { cameras: [seen(1, '桥', null)], ended_at: null } as RunStep
    expect(lastAtPreset([...visits, present], 1)?.preset_state).toBe('reached')
  })
})
