import { describe, expect, it } from 'vitest'
import { soon, stepped, turned, upcoming, type Circumstances, type Turnings, type Wheel } from '@/wall/carousel'

const MEMBERS = [11, 12, 13, 14]
const wheel = (members: readonly number[] = MEMBERS, seconds = 10): Wheel => ({ members, seconds })
const at = (now: number, more: Partial<Circumstances> = {}): Circumstances => ({ dead: new Set(), pinned: new Set(), held: new Set(), now, ...more })

/** What tile 0 shows each second from `from` to `until`. */
function watch(start: Turnings, from: number, until: number, wheels: ReadonlyMap<number, Wheel>, more: (now: number) => Partial<Circumstances> = () => ({})): { shown: (number | null)[]; last: Turnings } {
  let last = start
  const shown: (number | null)[] = []
  for (let now = from; now <= until; now += 1_000) {
    last = turned(last, wheels, at(now, more(now)))
    shown.push(last.get(0)?.camera ?? null)
  }
  return { shown, last }
}
const distinct = (shown: (number | null)[]) => shown.filter((camera, n) => n === 0 || camera !== shown[n - 1])

describe('a carousel', () => {
  const one = new Map([[0, wheel()]])

  it('shows each camera for its seconds, in order, round and round, without drift', () => {
    const { shown } = watch(new Map(), 0, 45_000, one)
    expect(distinct(shown)).toEqual([11, 12, 13, 14, 11])
    expect([0, 9, 10, 19, 20, 40].map((second) => shown[second])).toEqual([11, 11, 12, 12, 13, 11])
    let turnings: Turnings = new Map()
    for (let now = 0; now < 8 * 3_600_000; now += 237) turnings = turned(turnings, one, at(now))
    expect(turnings.get(0)!.due % 10_000).toBe(0)
  })

  it('keeps the map where nothing changes', () => {
    const first = turned(new Map(), one, at(0))
    expect(turned(first, one, at(9_999))).toBe(first)
  })

  it('makes one turn of a computer that slept', () => {
    const first = turned(new Map(), one, at(0))
    const woken = turned(first, one, at(8 * 3_600_000))
    expect(woken.get(0)).toMatchObject({ camera: 12, due: 8 * 3_600_000 + 10_000 })
  })

  it('passes over dead cameras, leaves one that dies, and takes it in again', () => {
    const { shown } = watch(new Map(), 0, 60_000, one, (now) => ({ dead: new Set(now < 40_000 ? [12, ...(now >= 14_000 ? [13] : [])] : []) }))
    expect(distinct(shown)).toEqual([11, 13, 14, 11, 14, 11, 12])
    expect([shown[13], shown[14]]).toEqual([13, 14])
  })

  it('stays on the one it shows when all are dead, and with a single one', () => {
    expect(distinct(watch(new Map(), 0, 60_000, one, () => ({ dead: new Set(MEMBERS) })).shown)).toEqual([11])
    expect(distinct(watch(new Map(), 0, 60_000, new Map([[0, wheel([5])]])).shown)).toEqual([5])
    expect(distinct(watch(new Map(), 0, 60_000, new Map([[0, wheel([])]])).shown)).toEqual([null])
  })

  it('stands while it is held, and has at least two seconds left afterwards', () => {
    const { shown } = watch(new Map(), 0, 60_000, one, (now) => ({ held: new Set(now >= 9_000 && now < 39_500 ? [0] : []) }))
    expect(shown.slice(0, 42).every((camera) => camera === 11)).toBe(true)
    expect(shown[42]).toBe(12)
  })

  it('follows a class to which cameras are added and from which they are taken', () => {
    let turnings = watch(new Map(), 0, 10_000, one).last
    expect(turnings.get(0)!.camera).toBe(12)
    turnings = turned(turnings, new Map([[0, wheel([11, 13, 14, 15])]]), at(11_000))
    expect(turnings.get(0)!.camera).toBe(13)
    expect(distinct(watch(turnings, 12_000, 42_000, new Map([[0, wheel([11, 13, 14, 15])]])).shown)).toEqual([13, 14, 15, 11])
    expect(turned(turnings, new Map(), at(12_000)).size).toBe(0)
    expect(turned(new Map([[0, { camera: null, place: 0, due: 0, left: null }]]), one, at(0)).get(0)!.camera).toBe(11)
  })

  it('takes fewer seconds at once', () => {
    const slow = turned(new Map(), new Map([[0, wheel(MEMBERS, 3_600)]]), at(0))
    expect(turned(slow, one, at(1_000)).get(0)!.due).toBe(11_000)
  })

  it('goes forwards and back by hand, past dead ones', () => {
    const first = turned(new Map(), one, at(0))
    const given = at(3_000, { dead: new Set([12, 14]) })
    expect(stepped(first, 0, wheel(), given, 1).get(0)).toMatchObject({ camera: 13, due: 13_000 })
    expect(stepped(first, 0, wheel(), given, -1).get(0)!.camera).toBe(13)
    expect(stepped(first, 0, wheel(), at(3_000), -1).get(0)!.camera).toBe(14)
    expect(stepped(first, 5, wheel(), at(0), 1)).toBe(first)
  })
})

describe('several carousels', () => {
  it('change one after the other and never show one camera twice while there are enough', () => {
    const wheels = new Map([0, 3, 5, 7].map((tile) => [tile, wheel([1, 2, 3, 4, 5, 6], 8)]))
    let turnings: Turnings = new Map()
    let changes = 0
    for (let now = 0; now < 600_000; now += 250) {
      const next = turned(turnings, wheels, at(now, { pinned: new Set([6]) }))
      const moved = [...next].filter(([tile, { camera }]) => turnings.get(tile)?.camera !== camera).length
      if (turnings.size) expect(moved).toBeLessThanOrEqual(1)
      changes += moved
      turnings = next
      const shown = [...turnings.values()].map(({ camera }) => camera)
      expect(new Set([...shown, 6]).size).toBe(5)
    }
    expect(changes).toBeGreaterThan(200)
  })

  it('say what comes, and which feeds are to run by then, the soonest first and bounded', () => {
    const wheels = new Map([0, 1, 2].map((tile) => [tile, wheel([1, 2, 3, 4, 5, 6, 7, 8, 9], 9)]))
    const turnings = turned(new Map(), wheels, at(0))
    expect([...turnings.values()].map(({ camera, due }) => [camera, due])).toEqual([[1, 3_000], [2, 6_000], [3, 9_000]])
    expect(upcoming(turnings, 0, wheels.get(0)!, at(0))).toBe(4)
    expect(soon(turnings, wheels, at(0), 5_000, 4)).toEqual([4])
    expect(soon(turnings, wheels, at(0), 10_000, 1)).toEqual([4])
    expect(soon(turned(turnings, wheels, at(0, { held: new Set([0]) })), wheels, at(0), 5_000, 4)).toEqual([])
    expect(upcoming(turned(new Map(), new Map([[0, wheel([5])]]), at(0)), 0, wheel([5]), at(0))).toBeNull()
  })
})

describe('a carousel by a clock that pages share', () => {
  const clocked = (members: readonly number[] = MEMBERS, ahead = 3_000_000): ReadonlyMap<number, Wheel> => new Map([[0, { ...wheel(members), ahead }]])

  it('shows the same on every page, whenever it was opened', () => {
    const since = watch(new Map(), 0, 95_000, clocked()).last.get(0)
    for (const opened of [13_000, 55_000, 94_000]) expect(watch(new Map(), opened, 95_000, clocked()).last.get(0)).toEqual(since)
    // A page whose own clock is 500 s behind.
    const other = watch(new Map(), 0, 95_000, clocked(MEMBERS, 3_000_000)).shown
    const behind: (number | null)[] = []
    let last: Turnings = new Map()
    for (let now = -500_000; now <= -405_000; now += 1_000) behind.push((last = turned(last, clocked(MEMBERS, 3_500_000), at(now))).get(0)!.camera)
    expect(behind).toEqual(other)
  })

  it('is where it should be after sleep, and after the hub has set its clock', () => {
    const slept = turned(turned(new Map(), clocked(), at(0)), clocked(), at(7_777_000))
    expect(slept.get(0)).toEqual(turned(new Map(), clocked(), at(7_777_000)).get(0))
    const set = turned(slept, clocked(MEMBERS, 3_000_000 - 3_600_000), at(7_777_250))
    expect(set.get(0)!.due).toBeLessThanOrEqual(7_777_250 + 10_000)
  })

  it('leaves the time of what cannot be shown to the one that follows, and names that one ahead', () => {
    const dead = { dead: new Set([12]) }
    const { shown } = watch(new Map(), 0, 79_000, clocked(), () => dead)
    expect(distinct(shown)).toEqual([11, 13, 14, 11, 13, 14])
    expect(shown.filter((camera) => camera === 13)).toHaveLength(40)
    let last: Turnings = new Map()
    for (let now = 0; now < 60_000; now += 250) {
      const before = last.get(0)
      const next = before && upcoming(last, 0, clocked().get(0)!, { dead: new Set(), pinned: new Set() })
      last = turned(last, clocked(), at(now))
      if (before && last.get(0)!.camera !== before.camera) expect(last.get(0)!.camera).toBe(next)
    }
  })

  it('stands while it is held, then goes on with the others', () => {
    const { shown } = watch(new Map(), 0, 60_000, clocked(), (now) => ({ held: new Set(now >= 5_000 && now < 25_000 ? [0] : []) }))
    expect([shown[24], shown[26], shown[30], shown[40]]).toEqual([11, 11, 14, 11])
    expect(distinct(watch(new Map(), 0, 30_000, clocked([])).shown)).toEqual([null])
  })
})
