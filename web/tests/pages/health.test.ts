import { beforeEach, describe, expect, it } from 'vitest'
import type { Camera } from '@/api/types'
import { bytesText, gravities, gravity, lacks, ordered, share, type HealthCounts, type VillageHealth } from '@/pages/health/board'
import { faultsFirst, matchesText, passes, worst } from '@/pages/health/cameraStates'
import { excludedCameras, type Exclusion } from '@/pages/health/excluded'
import { lanes, shades, spells, ticks, type AspectInterval } from '@/pages/health/timeline'
import { setTimeZone } from '@/siteTime'

const figure = (well: number, of = well, fault = of - well) => ({ well, of, fault, unknown: of - well - fault })
const QUIET = { critical: 0, major: 0, minor: 0, warning: 0, unacknowledged: 0 }
function counts(more: Partial<HealthCounts> = {}): HealthCounts {
  return { due: 20, connected: 20, excluded: 0, unknown: 0, online: figure(20), intact: figure(20), clock: figure(20), recording: figure(20), alarms: QUIET, looked_at: null, ...more }
}
function village(village_id: number, more: Partial<HealthCounts> = {}, link: VillageHealth['link'] = 'up'): VillageHealth {
  return { village_id, name: `村${village_id}`, link, link_since: null, counts: counts(more) }
}

describe('how grave a village is', () => {
  it.each([
    ['well', village(1)],
    ['dead', village(1, {}, 'down')],
    ['dead', village(1, { online: figure(0, 20), intact: figure(0, 20) })], // nothing of it is seen, whatever alarms say
    ['bad', village(1, { online: figure(19, 20), intact: figure(19, 20) })],
    ['bad', village(1, { alarms: { ...QUIET, major: 1 } })],
    ['minor', village(1, { clock: figure(0, 8) })], // eight live pictures of a recorder with a wrong clock are online
    ['minor', village(1, { recording: figure(19, 20) })],
    ['empty', village(1, { due: 0, connected: 0, online: figure(0), intact: figure(0), clock: figure(0), recording: figure(0) }, 'unknown')],
    ['well', village(1, { online: { well: 0, of: 20, fault: 0, unknown: 20 }, intact: { well: 0, of: 20, fault: 0, unknown: 20 } })], // not judged yet is no fault
  ] as const)('%s', (wanted, one) => expect(gravity(one)).toBe(wanted))

  it('orders the gravest first, and leaves the official order alone', () => {
    const all = [village(1), village(2, { online: figure(19, 20) }), village(3, {}, 'down'), village(4, { online: figure(10, 20) })]
    expect(ordered(all, 'official').map((one) => one.village_id)).toEqual([1, 2, 3, 4])
    expect(ordered(all, 'gravity').map((one) => one.village_id)).toEqual([3, 4, 2, 1])
    expect(gravities(all)).toEqual({ dead: 1, bad: 2, minor: 0, well: 1, empty: 0 })
  })

  it('counts a camera that is away as offline, not as a bad picture too', () => {
    expect(lacks(counts({ online: figure(17, 20), intact: figure(15, 20), clock: figure(12, 20), unknown: 1 }))).toEqual([
      { name: 'offline', count: 3 },
      { name: 'picture', count: 2 },
      { name: 'clock', count: 8 },
      { name: 'unknown', count: 1 },
    ])
  })
})

describe('bytes', () => {
  it.each([[812_300, '812 kB'], [999_600, '1.0 MB'], [3_400_000, '3.4 MB'], [120_000_000, '120 MB'], [1_240_000_000, '1.2 GB']])('%i are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))
})

describe('a share', () => {
  it.each([[999, 1000, '99.9'], [9999, 10000, '99.9'], [20, 20, '100'], [0, 20, '0'], [1, 3, '33.3'], [0, 0, null]] as const)('of %i of %i is %s', (well, of, text) => expect(share(well, of)).toBe(text))
})

const since = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
function camera(id: number, faults: Record<string, number> = {}, more: Partial<Camera> = {}): Camera {
  const states = ['media', 'picture', 'clock'].map((aspect) => ({ aspect, state: aspect in faults ? 'fault' : 'ok', cause: aspect in faults ? 'stalled' : null, since: since(faults[aspect] ?? 0) }))
  return { id, device_id: id, village_id: 1, name: `东沟村${id}号`, pinyin: 'donggoucun', initials: 'dgc', states, ...more } as unknown as Camera
}
const NONE: ReadonlySet<number> = new Set()

describe('the cameras of a village', () => {
  it('stand with faults on top: the gravest aspect, then the longest lasting', () => {
    const all = [camera(1), camera(2, { clock: 5 }), camera(3, { media: 30 }), camera(4, { media: 10, clock: 1 }), camera(5)]
    expect(faultsFirst(all).map((one) => one.id)).toEqual([4, 3, 2, 1, 5])
    expect(worst(all[3]!)).toMatchObject({ aspect: 'media' })
    expect(worst(all[0]!)).toBeNull()
  })

  it('pass filters by aspect; what is excluded is listed apart', () => {
    const bad = camera(1, { picture: 1 })
    expect([passes(bad, 'all', NONE), passes(bad, 'faults', NONE), passes(bad, 'picture', NONE), passes(bad, 'media', NONE)]).toEqual([true, true, true, false])
    const excluded = new Set([1])
    expect([passes(bad, 'all', excluded), passes(bad, 'faults', excluded), passes(bad, 'excluded', excluded)]).toEqual([true, false, true])
    expect(passes(camera(2, {}, { states: [] }), 'unknown', NONE)).toBe(true)
  })

  it('are found by name, pinyin and initials', () => {
    expect(['沟村1', ' DGC ', 'gouc', '西'].map((text) => matchesText(camera(1), text))).toEqual([true, true, true, false])
  })
})

describe('excluded cameras', () => {
  const exclusion = (level: Exclusion['level'], id: number, reason: string, holds = true): Exclusion =>
    ({ id, level, village_id: level === 'village' ? id : 1, device_id: level === 'device' ? id : null, camera_id: level === 'camera' ? id : null, reason, holds }) as Exclusion
  it('are all below what is excluded, and the nearest reason counts', () => {
    const all = [camera(1), camera(2), camera(3, {}, { village_id: 2 })]
    const found = excludedCameras([exclusion('village', 1, '停电'), exclusion('camera', 2, '待配件'), exclusion('device', 3, '窗口未到', false)], all)
    expect([...found]).toEqual([[1, '停电'], [2, '待配件']])
  })
})

const HOUR = 3_600_000
const DAY0 = Date.UTC(2026, 0, 1)
const iso = (hours: number) => new Date(DAY0 + hours * HOUR).toISOString()
function interval(aspect: AspectInterval['aspect'], from: number, to: number | null, cause: string | null = null): AspectInterval {
  return { aspect, state: cause ? 'fault' : 'ok', cause, since: iso(from), until: to === null ? null : iso(to) }
}
const span = { from: DAY0, to: DAY0 + 10 * HOUR }

describe('the timeline', () => {
  beforeEach(() => setTimeZone('Asia/Shanghai'))

  it('has a lane for each aspect that is known, cut to the span, faults drawn last', () => {
    const found = lanes([interval('media', -5, 2), interval('media', 2, 3, 'stalled'), interval('media', 3, null), interval('osd', 12, 14)], span)
    expect(found.map((lane) => lane.aspect)).toEqual(['media', 'osd'])
    expect(found[0]!.bars.map((bar) => [bar.x, bar.w, bar.fault, bar.open])).toEqual([[0, 200, false, false], [300, 700, false, true], [200, 100, true, false]])
    expect(found[0]!.faulty).toBe(HOUR)
    expect(found[1]!.bars).toEqual([])
  })

  it('shows a fault of a second in a week, within the drawing', () => {
    const week = { from: DAY0, to: DAY0 + 168 * HOUR }
    const [lane] = lanes([interval('media', 168 - 1 / 3600, null, 'stalled')], week)
    expect(lane!.bars[0]!.w).toBeGreaterThan(2)
    expect(lane!.bars[0]!.x + lane!.bars[0]!.w).toBeLessThanOrEqual(1000)
  })

  it('lists the latest faults of all lanes', () => {
    const found = lanes([interval('media', 1, 2, 'stalled'), interval('picture', 4, null, 'black'), interval('picture', 3, 4)], span)
    expect(spells(found, 1).map((one) => [one.aspect, one.cause])).toEqual([['picture', 'black']])
    expect(spells(found, 9)).toHaveLength(2)
  })

  it('shades what was excluded, and nothing outside of the span', () => {
    expect(shades([{ since: iso(-3), until: iso(1) }, { since: iso(9), until: null }, { since: iso(20), until: iso(21) }], span).map((one) => [one.x, one.w])).toEqual([[0, 100], [900, 100]])
  })

  it('has few, round times of the site’s clock', () => {
    for (const hours of [6, 24, 72, 168, 24 * 31]) {
      const found = ticks({ from: DAY0 + 123_456, to: DAY0 + 123_456 + hours * HOUR })
      expect(found.length).toBeGreaterThan(2)
      expect(found.length).toBeLessThanOrEqual(8)
    }
    const day = ticks({ from: DAY0, to: DAY0 + 24 * HOUR }) // 08:00 in Shanghai
    expect(day.filter((tick) => tick.day).map((tick) => (tick.at - DAY0) / HOUR)).toEqual([16])
    expect(ticks({ from: DAY0, to: DAY0 })).toEqual([])
  })
})
