import { describe, expect, it } from 'vitest'
import type { Seen } from '@/api/types'
import { FROZEN_AFTER_MS, SEND_EVERY_MS, SeenMeter, sightOf, type Sight, type TileFacts } from '@/pages/runs/seen'
import { HEIGHT, WIDTH, judged } from '@/wall/glimpse'

const fact = (more: Partial<TileFacts> = {}): TileFacts => ({ pageVisible: true, drawn: true, points: { tried: 5, outside: 0, covered: 0 }, picture: 'moving', look: 'changed', ...more })

describe('what a tile shows', () => {
  it.each<[string, Partial<TileFacts>, Sight]>([
    ['a moving picture in the open', {}, 'visible'],
    ['a page in the background, whatever else', { pageVisible: false, picture: 'none' }, 'page_hidden'],
    ['a window that is covered: nothing is drawn', { drawn: false }, 'covered'],
    ['a dialog over it', { points: { tried: 5, outside: 0, covered: 5 } }, 'covered'],
    ['half of it under a panel', { points: { tried: 5, outside: 0, covered: 2 } }, 'covered'],
    ['a message at its edge', { points: { tried: 5, outside: 0, covered: 1 } }, 'visible'],
    ['scrolled out of the window', { points: { tried: 5, outside: 5, covered: 0 } }, 'off_screen'],
    ['not on the page at all', { points: { tried: 1, outside: 1, covered: 0 } }, 'off_screen'],
    ['no picture yet', { picture: 'none', look: null }, 'no_picture'],
    ['frames that no longer come', { picture: 'old', look: null }, 'frozen'],
    ['frames that are all the same', { look: 'same' }, 'still'],
    ['black frames', { look: 'black' }, 'black'],
    ['a picture that cannot be read', { look: null }, 'visible'],
  ])('%s', (_, more, sight) => expect(sightOf(fact(more))).toBe(sight))
})

describe('a glimpse of a picture', () => {
  const grey = (at: (i: number) => number): Uint8Array => Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => at(i))
  const road = grey((i) => 60 + (i % 90))
  it.each<[string, Uint8Array | null, Uint8Array, string]>([
    ['proves nothing at first', null, road, 'same'],
    ['sees that something moved', road, grey((i) => 60 + (i % 90) + (i === 700 ? 9 : 0)), 'changed'],
    ['is not taken in by a picture that was coded anew', road, grey((i) => 60 + (i % 90) + (i % 3)), 'same'],
    ['sees black', road, grey(() => 3), 'black'],
    ['sees black under a caption', road, grey((i) => (i < WIDTH * HEIGHT * 0.02 ? 235 : 16)), 'black'],
    ['sees a road by night', null, grey((i) => (i % 20 === 0 ? 90 : 12)), 'same'],
  ])('%s', (_, before, now, look) => expect(judged(before, now)).toBe(look))
})

function meter(least = 3) {
  const sent: Seen[] = []
  const seen = new SeenMeter((message) => sent.push(message))
  let now = 0
  const enter = (step: number | null, cameras = [1, 2]): void => seen.enter(step === null ? null : { run: 7, step, cameras, least }, now)
  /** So many ms of this, in ticks of half a second. */
  const look = (ms: number, sights: Record<number, Sight>): void => {
    for (const end = now + ms; now < end; ) seen.tick(new Map(Object.entries(sights).map(([id, sight]) => [Number(id), sight] as const)), (now += 500))
  }
  const sleep = (ms: number): number => (now += ms)
  return { sent, seen, enter, look, sleep, last: () => sent.at(-1)!.cameras.map(({ camera, seconds, gap }) => [camera, seconds, gap]) }
}

describe('what was really seen of a step', () => {
  it('tells of each camera how long, and what hindered', () => {
    const { enter, look, last, sent } = meter()
    enter(3, [1, 2, 3, 4, 5])
    look(4_000, { 1: 'visible', 2: 'page_hidden', 3: 'covered', 4: 'black' })
    enter(4)
    expect(sent.at(-1)).toMatchObject({ type: 'seen', run: 7, step: 3 })
    expect(last()).toEqual([[1, 4, null], [2, 0, 'page_hidden'], [3, 0, 'covered'], [4, 0, 'black'], [5, 0, 'off_screen']])
  })
  it('calls a stop that was passed over in half a second nothing else', () => {
    const { enter, look, last } = meter()
    for (let step = 0; step < 12; step += 1) {
      enter(step)
      look(500, { 1: 'no_picture', 2: 'still' })
    }
    enter(null)
    expect(last()).toEqual([[1, 0, null], [2, 0, null]])
  })
  it('counts a camera at rest once its picture changes, and one that is frozen never', () => {
    const { enter, look, last } = meter()
    enter(0)
    look(4_000, { 1: 'still', 2: 'still' })
    look(500, { 1: 'visible', 2: 'still' })
    look(FROZEN_AFTER_MS, { 1: 'visible', 2: 'still' })
    look(500, { 1: 'visible', 2: 'visible' })
    enter(null)
    expect(last()).toEqual([[1, 15, null], [2, 0.5, 'frozen']])
  })
  it('sends at once when a camera has been seen for long enough, and growing sums now and then', () => {
    const { enter, look, sent } = meter()
    look(500, { 1: 'visible' })
    enter(0, [1])
    look(3_000 + SEND_EVERY_MS, { 1: 'visible' })
    expect(sent.map((message) => message.cameras[0]!.seconds)).toEqual([3, 8])
  })
  it('says nothing yet of a camera that may still be seen', () => {
    const { enter, look, sent, last } = meter()
    enter(0)
    look(SEND_EVERY_MS, { 1: 'still', 2: 'covered' })
    expect(last()).toEqual([[2, 0, 'covered']])
    enter(1)
    expect(sent).toHaveLength(2)
    expect(last()).toEqual([[1, 0, null], [2, 0, 'covered']])
  })
  it('does not count the time of a page that was frozen, but knows that it was hidden', () => {
    const { enter, look, sleep, seen } = meter()
    enter(0)
    look(500, { 1: 'visible', 2: 'visible' })
    sleep(600_000)
    look(500, { 1: 'visible', 2: 'page_hidden' })
    expect(seen.seen().get(1)!.seconds).toBe(0.5)
    expect(seen.seen().get(2)!.gap).toBe('page_hidden')
  })
})
