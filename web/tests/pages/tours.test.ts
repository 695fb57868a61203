import { describe, expect, it } from 'vitest'
import type { Run } from '@/api/types'
import { ClockDifference, clockText, newerRun, secondsLeft, stopProgress } from '@/pages/tours/countdown'
import { camerasOfClass, clampDwell, fromTour, insertAt, missing, moveTo, newStop, removeKey, setDwellForAll, STOPS_MAX, toBody, totalSeconds } from '@/pages/tours/stops'

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
  const targets = (stops: { target: number }[]) => stops.map((stop) => stop.target)
  it('tell rows apart that show the same camera', () => {
    const stops = [newStop('camera', 1), newStop('camera', 1)]
    expect(targets(removeKey(stops, stops[0]!.key))).toEqual([1])
    expect(removeKey(stops, stops[0]!.key)[0]).toBe(stops[1])
  })
  it('are inserted and moved', () => {
    const stops = three()
    expect(targets(insertAt(stops, 1, [newStop('camera', 9)]))).toEqual([11, 9, 5, 12])
    expect(targets(insertAt(stops, 99, [newStop('camera', 9)]))).toEqual([11, 5, 12, 9])
    expect(targets(moveTo(stops, 0, 3))).toEqual([5, 12, 11])
    expect(targets(moveTo(stops, 2, 0))).toEqual([12, 11, 5])
    expect(targets(moveTo(stops, 7, 0))).toEqual([11, 5, 12])
  })
  it('are at most 200', () => {
    const many = Array.from({ length: STOPS_MAX - 1 }, () => newStop('camera', 1))
    expect(insertAt(many, 0, three())).toHaveLength(STOPS_MAX)
  })
  it('have a dwell within bounds', () => {
    expect([1, 15.4, 9999, Number.NaN].map(clampDwell)).toEqual([3, 15, 3600, 15])
    expect(totalSeconds(three())).toBe(60)
    expect(totalSeconds(setDwellForAll(three(), 20))).toBe(60)
  })
  it('come from a tour and go back to it', () => {
    const stops = fromTour({
      stops: [
        { position: 1, camera_id: null, scene_id: 5, name: '四画面', dwell_s: 30, preset: null, preset_name: '', layout: '4', cameras: [11, 12, null, null], title: '', key: false, note: '' },
        { position: 0, camera_id: 11, scene_id: null, name: '桥头', dwell_s: 15, preset: '3', preset_name: '桥东', layout: '1', cameras: [11], title: '', key: true, note: '看栏杆' },
      ],
    })
    expect(toBody(stops)).toEqual([
      { camera_id: 11, scene_id: null, dwell_s: 15, note: '看栏杆', cameras: [], title: '', preset: '3', preset_name: '桥东', key: true },
      { camera_id: null, scene_id: 5, dwell_s: 30, note: '', cameras: [], title: '', preset: null, preset_name: '', key: false },
    ])
  })
  it('fill from a place class with what is approved and not yet there', () => {
    const cameras = [
      { id: 11, place_class: 'school', state: 'approved' },
      { id: 13, place_class: 'school', state: 'approved' },
      { id: 14, place_class: 'school', state: 'waiting' },
      { id: 15, place_class: 'water', state: 'approved' },
    ] as const
    expect(camerasOfClass(cameras, 'school', three())).toEqual([13])
  })
  it('name what has gone', () => {
    const stops = three()
    const gone = missing(stops, new Map([[11, { state: 'approved' }], [12, { state: 'retired' }]]), new Map())
    expect(targets(gone)).toEqual([5, 12])
  })
})
