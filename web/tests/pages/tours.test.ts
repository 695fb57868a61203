import { describe, expect, it } from 'vitest'
import type { Run } from '@/api/types'
import { ClockDifference, clockText, newerRun, secondsLeft, stopProgress } from '@/pages/tours/countdown'
import type { TourSource } from '@/api/types'
import { handedOver } from '@/pages/plans/plans'
import { EMPTY, newCameras, withLeftOut } from '@/pages/tours/draft'
import { useHistory } from '@/pages/tours/history'
import { addToStop, changeRows, clampDwell, fromTour, groupStop, insertAt, joinable, joinRows, moveRows, newStop, nudgeRows, removeRows, splitRows, STOPS_MAX, takeFromStop, toBody, totalSeconds, troubleOf, withoutWaiting, withPreset, type Stop } from '@/pages/tours/stops'
import { planQuery, planText } from '@/pages/tours/suggestion'
import { presetTrouble } from '@/pages/tours/usePresets'

const HUB = '2026-11-24T08:00:00Z'
const hub = Date.parse(HUB)
const run = (more: Partial<Run> = {}) => ({ id: 1, state: 'running', time_left_s: 12, now: HUB, revision: 3, position: 0, ...more }) as Run

describe('countdown', () => {
  it('counts from what the hub said, by the hub’s time', () => {
    expect(secondsLeft(run(), hub + 5_000)).toBe(7)
    expect(secondsLeft(run(), hub + 60_000)).toBe(0)
    expect(secondsLeft(run(), hub - 60_000)).toBe(12)
  })
  it('stands still while paused and is gone when ended', () => {
    expect(secondsLeft(run({ state: 'paused' }), hub + 60_000)).toBe(12)
    expect(secondsLeft(run({ state: 'ended' }), hub)).toBe(0)
  })
  it('shows how far the stop is', () => {
    expect(stopProgress(run(), 15, hub)).toBeCloseTo(0.2)
    expect(stopProgress(run(), 15, hub + 60_000)).toBe(1)
    expect(stopProgress(run(), 0, hub)).toBe(0)
  })
  it('reads as a clock', () => {
    expect([0, 0.2, 7, 59.9, 60, 754, 3725].map(clockText)).toEqual(['0:00', '0:01', '0:07', '1:00', '1:00', '12:34', '1:02:05'])
  })
})

describe('clock difference', () => {
  it('is the smallest of the last samples: delays only add', () => {
    const difference = new ClockDifference(3)
    expect(difference.ms).toBe(0)
    difference.addSample(HUB, hub + 7_300)
    difference.addSample(HUB, hub + 7_020)
    difference.addSample(HUB, hub + 9_000)
    expect(difference.ms).toBe(7_020)
  })
  it('follows a clock that was set', () => {
    const difference = new ClockDifference(2)
    difference.addSample(HUB, hub)
    difference.addSample(HUB, hub + 50_000)
    difference.addSample(HUB, hub + 50_010)
    expect(difference.ms).toBe(50_000)
  })
  it('ignores what is no time', () => {
    const difference = new ClockDifference()
    difference.addSample('soon', 5)
    expect(difference.ms).toBe(0)
  })
})

describe('of two states of a run', () => {
  it('the higher revision holds, then the later', () => {
    const old = run({ revision: 2, now: '2026-11-24T09:00:00Z' })
    expect(newerRun(run(), old)).toEqual(run())
    const later = run({ now: '2026-11-24T08:00:09Z' })
    expect(newerRun(run(), later)).toBe(later)
    expect(newerRun(later, run())).toBe(later)
  })
  it('another run always holds', () => {
    const other = run({ id: 2, revision: 0 })
    expect(newerRun(run(), other)).toBe(other)
    expect(newerRun(null, other)).toBe(other)
  })
})

describe('stops', () => {
  const three = () => [newStop('camera', 11), newStop('scene', 5, 30), newStop('camera', 12)]
  const targets = (stops: readonly { target: number }[]) => stops.map((stop) => stop.target)
  const rows = (...stops: Stop[]) => new Set(stops.map((stop) => stop.row))
  const cameras = (stop: Stop) => stop.cameras.filter((id) => id !== null)

  it('tell rows apart that show the same camera', () => {
    const stops = [newStop('camera', 1), newStop('camera', 1)]
    expect(removeRows(stops, rows(stops[0]!))).toEqual([stops[1]])
  })
  it('are inserted and moved, one or many', () => {
    const stops = three()
    expect(targets(insertAt(stops, 1, [newStop('camera', 9)]))).toEqual([11, 9, 5, 12])
    expect(targets(insertAt(stops, 99, [newStop('camera', 9)]))).toEqual([11, 5, 12, 9])
    expect(targets(moveRows(stops, rows(stops[0]!), 3))).toEqual([5, 12, 11])
    expect(targets(moveRows(stops, rows(stops[2]!), 0))).toEqual([12, 11, 5])
    expect(targets(moveRows(stops, rows(stops[0]!, stops[2]!), 2))).toEqual([5, 11, 12])
    expect(targets(nudgeRows(stops, rows(stops[1]!, stops[2]!), -1))).toEqual([5, 12, 11])
    expect(targets(nudgeRows(stops, rows(stops[0]!), -1))).toEqual([11, 5, 12])
    expect(targets(nudgeRows(stops, rows(stops[2]!), 1))).toEqual([11, 5, 12])
    expect(targets(nudgeRows(stops, rows(stops[0]!), 1))).toEqual([5, 11, 12])
  })
  it('are at most 200', () => {
    const many = Array.from({ length: STOPS_MAX - 1 }, () => newStop('camera', 1))
    expect(insertAt(many, 0, three())).toHaveLength(STOPS_MAX)
  })
  it('have a dwell within bounds', () => {
    expect([1, 15.4, 9999, Number.NaN].map(clampDwell)).toEqual([3, 15, 3600, 15])
    expect(totalSeconds(three())).toBe(60)
    const stops = three()
    expect(changeRows(stops, rows(stops[0]!), { dwell: 1 }).map((stop) => stop.dwell)).toEqual([3, 30, 15])
  })
  it('show several cameras, each once, at most 16, and become single again', () => {
    const [one] = [newStop('camera', 1)]
    const [two] = addToStop([one], one.row, [2, 1, 3])
    expect([two!.kind, two!.layout, two!.cameras]).toEqual(['group', '4', [1, 2, 3, null]])
    const [full] = addToStop([one], one.row, Array.from({ length: 40 }, (_, index) => index + 2))
    expect([full!.layout, cameras(full!).length]).toEqual(['16', 16])
    const [back] = takeFromStop(takeFromStop([two!], one.row, 1), one.row, 2)
    expect([back!.kind, back!.target]).toEqual(['camera', 3])
    expect(takeFromStop([back!], one.row, 3)).toEqual([])
    expect(addToStop(three(), three()[1]!.row, [9])).toHaveLength(3)
  })
  it('keep the presets of the cameras that they go on showing', () => {
    const east = { camera: 1, token: '3', name: '桥东' }
    const gate = { camera: 2, token: '1', name: '门口' }
    const stop = { ...newStop('camera', 1), presets: [east] }
    const [both] = addToStop([stop], stop.row, [2])
    const chosen = { ...both!, presets: withPreset(both!, 2, { token: '1', name: '门口' }) }
    expect(toBody([chosen])[0]).toMatchObject({ layout: '4', presets: [{ camera_id: 1, token: '3', name: '桥东' }, { camera_id: 2, token: '1', name: '门口' }] })
    expect(takeFromStop([chosen], stop.row, 1)[0]!.presets).toEqual([gate])
    expect(splitRows([chosen], rows(chosen)).map((one) => one.presets)).toEqual([[east], [gate]])
    const other = { ...newStop('camera', 1), presets: [{ ...east, token: '9' }] }
    expect(joinRows([stop, { ...newStop('camera', 2), presets: [gate] }, other], new Set([...rows(stop), ...rows(other)]))[0]!.presets).toEqual([east])
    expect(withPreset(chosen, 1, { token: '4', name: '桥西' })).toEqual([{ camera: 1, token: '4', name: '桥西' }, gate])
    expect(withPreset(chosen, 1, null)).toEqual([gate])
  })
  it('drop presets that wait for their scene where they become another tour', () => {
    const stop = { ...newStop('scene', 5), presets: [{ camera: 1, token: '3', name: '' }, { camera: 2, token: '1', name: '' }] }
    const scenes = new Map([[5, { cameras: [2, null] }]])
    expect(withoutWaiting([stop], scenes)[0]!.presets.map((one) => one.camera)).toEqual([2])
    expect(toBody([stop])[0]!.presets).toHaveLength(2)
  })
  it('are joined at the place of the first, and split again', () => {
    const stops = [newStop('camera', 1), newStop('camera', 2, 40, '看栏杆'), newStop('scene', 5), newStop('camera', 3)]
    const chosen = rows(stops[1]!, stops[3]!)
    expect(joinable(stops, chosen)).toBe(2)
    expect(joinable(stops, rows(stops[1]!, stops[2]!))).toBe(0)
    const joined = joinRows(stops, chosen)
    expect(joined.map((stop) => [stop.kind, cameras(stop), stop.dwell, stop.note])).toEqual([['camera', [], 15, ''], ['group', [2, 3], 40, '看栏杆'], ['scene', [], 15, '']])
    expect(splitRows(joined, rows(joined[1]!)).map((stop) => [stop.kind, stop.target])).toEqual([['camera', 1], ['camera', 2], ['camera', 3], ['scene', 5]])
  })
  it('come from a tour and go back to it', () => {
    const common = { name: '', more: 0, note: '', presets: [], title: '', key: false }
    const stops = fromTour({
      stops: [
        { ...common, position: 1, camera_id: null, scene_id: 5, dwell_s: 30, layout: '4', cameras: [11, 12, null, null] },
        { ...common, position: 0, camera_id: 11, scene_id: null, dwell_s: 15, presets: [{ camera_id: 11, token: '3', name: '桥东', shown: true }], layout: '1', cameras: [11], key: true, note: '看栏杆' },
        { ...common, position: 2, camera_id: null, scene_id: null, dwell_s: 20, layout: '4', cameras: [11, null, 12, null], title: '东河' },
      ],
    })
    const plain = { camera_id: null, scene_id: null, layout: null, cameras: [], title: '', note: '', presets: [], key: false }
    expect(toBody(stops)).toEqual([
      { ...plain, camera_id: 11, dwell_s: 15, note: '看栏杆', presets: [{ camera_id: 11, token: '3', name: '桥东' }], key: true },
      { ...plain, scene_id: 5, dwell_s: 30 },
      { ...plain, layout: '4', cameras: [11, null, 12, null], title: '东河', dwell_s: 20 },
    ])
  })
  it('tell what is wrong with them', () => {
    const seen = (state: 'approved' | 'retired', cause: string | null = null) => ({ state, cause, health: cause === null ? ('ok' as const) : ('fault' as const) })
    const known = new Map([[1, seen('approved')], [2, seen('approved', 'unreachable')], [3, seen('retired')], [4, seen('approved', 'frozen')], [5, seen('approved', 'clock_wrong')]])
    const of = (...ids: number[]) => troubleOf(groupStop(ids), known, new Map())
    expect([of(1), of(2), of(3), of(9), of(1, 2), of(1, 3), of(2, 3)]).toEqual([null, 'dead', 'gone', 'gone', 'some_dead', 'partly', 'dead'])
    expect([of(4), of(5), of(1, 4), of(2, 4)]).toEqual(['bad', null, 'bad', 'some_dead'])
    expect(troubleOf(newStop('scene', 5), known, new Map())).toBe('gone')
    expect(troubleOf(newStop('scene', 5), known, new Map([[5, { cameras: [1, null] }]]))).toBeNull()
  })
})

describe('a tour built from places', () => {
  const camera = (id: number, place_class: 'school' | 'water', village_id = 1, state: 'approved' | 'waiting' = 'approved') => ({ id, place_class, village_id, state })
  const all = [camera(11, 'school'), camera(12, 'school'), camera(13, 'school', 2), camera(14, 'school', 1, 'waiting'), camera(15, 'water')]
  const source = { place_classes: ['school'], village_ids: [], per_stop: 1, dwell_s: 15, left_out: [] } satisfies TourSource
  const draft = { ...EMPTY, source, stops: [newStop('camera', 11)] }

  it('is offered what stands there and is not in it, and never again what was left out', () => {
    expect(newCameras(draft, all, new Map())).toEqual([12, 13])
    expect(newCameras({ ...draft, source: { ...source, village_ids: [1] } }, all, new Map())).toEqual([12])
    expect(newCameras({ ...draft, source: null }, all, new Map())).toEqual([])
    const left = withLeftOut(draft, [13, 15], new Map(all.map((one) => [one.id, one])))
    expect(newCameras(left, all, new Map())).toEqual([12])
  })
  it('hands its times and seasons of every year to the page of plans', () => {
    const plan = { times: ['10:00', '17:00'], every_minutes: null, weekdays: [], seasons: [{ first: '05-20', last: '06-30' }, { first: '10-01', last: '05-31' }] }
    expect(planText(plan)).toBe('每年5月20日至6月30日、10月1日至次年5月31日 · 10:00 17:00')
    const query = planQuery({ id: 4, name: '山林' }, plan)
    expect(query).toEqual({ tour: 4, name: '山林', times: '10:00,17:00', seasons: '05-20_06-30,10-01_05-31' })
    expect(planQuery({ id: 4, name: '山林' }, null)).toEqual({ tour: 4, name: '山林' })
    expect(handedOver({ ...query, tour: '4' })).toEqual({ tour_id: 4, name: '山林', first_day: '', last_day: '', seasons: plan.seasons, weekdays: [], rule: { times: ['10:00', '17:00'], every: null } })
    expect(handedOver({ tour: '4', times: '10:00,25:00', first: '2026-10-01', last: 'x', seasons: '02-30_03-01,06-01,02-29_02-29', weekdays: '0,4,9' })).toEqual({ tour_id: 4, first_day: '2026-10-01', last_day: '', seasons: [{ first: '02-29', last: '02-29' }], weekdays: [0, 4], rule: { times: ['10:00'], every: null } })
    expect(handedOver({ tour: '-1' })).toBeNull()
  })
})

describe('undo', () => {
  it('goes back by changes, typing in one field being one of them', () => {
    const history = useHistory(0)
    history.put(1, 'name')
    history.put(2, 'name')
    history.put(3)
    history.undo()
    expect(history.state.value).toBe(2)
    history.undo()
    expect([history.state.value, history.canUndo.value]).toEqual([0, false])
    history.redo()
    expect(history.state.value).toBe(2)
    history.put(9)
    expect(history.canRedo.value).toBe(false)
  })
})

describe('the preset of a stop', () => {
  it('is told to have gone only by a device that answers', () => {
    const told = { state: 'told' as const, presets: [{ token: '1', name: '桥', home: false }] }
    const failed = { state: 'failed' as const, error: { status: 504, kind: 'timeout', reason: 'timed_out', detail: '', params: {} } }
    expect([presetTrouble('1', told), presetTrouble('2', told), presetTrouble('2', failed), presetTrouble('2', undefined), presetTrouble(null, failed)]).toEqual([null, 'gone', 'unreachable', null, null])
  })
})
