import { describe, expect, it } from 'vitest'
import type { Wheel } from '@/wall/carousel'
import { HOLD_MS, LEAD_MS, MOST_WARM, RETRY_MS, Turner } from '@/wall/turner'

interface Site {
  wheels: Map<number, Wheel>
  magnifier: Wheel | null
  dead: Set<number>
  busy: Set<number>
}

function built(more: Partial<Site> = {}) {
  const site: Site = { wheels: new Map([[0, { members: [1, 2, 3, 4], seconds: 10 }]]), magnifier: null, dead: new Set(), busy: new Set(), ...more }
  const warmed: { at: number; cameras: number[] }[] = []
  let now = 0
  let changes = 0
  const turner = new Turner({
    wheels: () => site.wheels,
    magnifier: () => site.magnifier,
    dead: () => site.dead,
    pinned: () => new Set(),
    busy: (tile) => site.busy.has(tile),
    warm: (cameras) => warmed.push({ at: now, cameras }),
    changed: () => (changes += 1),
    now: () => now,
  })
  const run = (ms: number) => {
    for (const end = now + ms; now < end; now += 250) turner.tick()
    turner.tick()
  }
  return { site, turner, warmed, run, changes: () => changes, now: () => now }
}

describe('turning', () => {
  it('asks for each feed once, before it is shown', () => {
    const { turner, warmed, run } = built()
    run(4_750)
    expect(warmed).toEqual([])
    run(250)
    expect(warmed).toEqual([{ at: 10_000 - LEAD_MS, cameras: [2] }])
    expect(turner.next(0)).toBe(2)
    run(5_000)
    expect([turner.camera(0), warmed.length]).toEqual([2, 2]) // renewed once: a lease lasts 8 s
    expect(warmed.every(({ cameras }) => cameras.length <= MOST_WARM)).toBe(true)
  })

  it('stands while somebody looks, for a while; until they go on when it was stopped', () => {
    const { turner, run } = built()
    run(5_000)
    turner.attend(0)
    run(HOLD_MS - 1_000)
    expect(turner.camera(0)).toBe(1)
    run(8_000)
    expect(turner.camera(0)).toBe(2)
    turner.toggle(0)
    run(600_000)
    expect([turner.camera(0), turner.isStopped(0)]).toEqual([2, true])
    turner.step(0, 1)
    run(60_000)
    expect(turner.camera(0)).toBe(3)
    turner.toggle(0)
    run(10_000)
    expect(turner.camera(0)).toBe(4)
  })

  it('passes over what the hub could not show, and tries it again after a minute', () => {
    const { turner, run } = built()
    run(10_000)
    turner.failed(2)
    run(250)
    expect([turner.camera(0), turner.passedOver([1, 2, 3, 4])]).toEqual([3, [2]])
    run(RETRY_MS)
    expect(turner.passedOver([1, 2, 3, 4])).toEqual([])
  })

  it('shows small tiles large in turn, and lets the one that is large stand', () => {
    const { turner, site, run } = built({ magnifier: { members: [0, 2, 5], seconds: 20 } })
    run(250)
    expect([turner.magnified, turner.nextMagnified()]).toEqual([0, 2])
    run(19_000)
    expect([turner.magnified, turner.camera(0)]).toEqual([0, 1])
    run(1_000)
    expect(turner.magnified).toBe(2)
    run(10_000)
    expect(turner.camera(0)).toBe(2)
    turner.toggleMagnifier()
    run(60_000)
    expect(turner.magnified).toBe(2)
    turner.stepMagnifier(-1)
    expect(turner.magnified).toBe(0)
    site.magnifier = null
    run(250)
    expect([turner.magnified, turner.magnifierStopped]).toEqual([null, false])
  })

  it('keeps nothing of eight hours of four carousels and a magnifier', () => {
    const wheels = new Map([1, 5, 9, 13].map((tile, n) => [tile, { members: Array.from({ length: 30 }, (_, i) => i + 1), seconds: 5 + n }]))
    const { turner, site, warmed, run, changes } = built({ wheels, magnifier: { members: [1, 2, 3], seconds: 10 }, dead: new Set([7]) })
    for (let minute = 0; minute < 480; minute += 1) {
      if (minute % 7 === 0) turner.failed(1 + (minute % 30))
      if (minute % 11 === 0) turner.attend(5)
      if (minute % 60 === 59) site.wheels = new Map(wheels).set(2, { members: [31, 32], seconds: 5 })
      else site.wheels = wheels
      run(60_000)
    }
    expect(changes()).toBeGreaterThan(15_000)
    expect(warmed.length).toBeLessThan(changes() * 2)
    const kept = Object.values(turner as unknown as Record<string, unknown>).filter((one) => one instanceof Map || one instanceof Set)
    expect(kept.length).toBeGreaterThan(4)
    expect(kept.reduce((sum, one) => sum + (one as Map<number, unknown>).size, 0)).toBeLessThan(25)
  })
})
