import { describe, expect, it } from 'vitest'
import type { Seen } from '@/api/types'
import { SEND_EVERY_MS, SeenMeter } from '@/pages/runs/seen'

function meter() {
  const sent: Seen[] = []
  return { sent, meter: new SeenMeter((message) => sent.push(message)) }
}
const both = { run: 7, step: 3, cameras: [1, 2] }
const last = (sent: Seen[]) => sent.at(-1)!.cameras.map(({ camera, seconds, gap }) => [camera, seconds, gap])

describe('what was really seen of a step', () => {
  it('counts moving pictures on a visible page alone', () => {
    const { sent, meter: seen } = meter()
    seen.enter(both, 0)
    for (let now = 500; now <= 2_000; now += 500) seen.tick(new Set([1, 9]), true, now)
    for (let now = 2_500; now <= 4_000; now += 500) seen.tick(new Set([1, 2]), false, now)
    seen.enter({ ...both, step: 4 }, 4_000)
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({ type: 'seen', run: 7, step: 3 })
    expect(last(sent)).toEqual([[1, 2, null], [2, 0, 'no_picture']])
  })
  it('says that the page was in the background all the time', () => {
    const { sent, meter: seen } = meter()
    seen.enter(both, 0)
    seen.tick(new Set([1, 2]), false, 500)
    seen.enter(null, 1_000)
    expect(last(sent)).toEqual([[1, 0, 'page_hidden'], [2, 0, 'page_hidden']])
  })
  it('sends growing sums now and then, and nothing without a step', () => {
    const { sent, meter: seen } = meter()
    seen.tick(new Set([1]), true, 500)
    seen.enter(both, 1_000)
    for (let now = 1_500; now <= 1_000 + 2 * SEND_EVERY_MS; now += 500) seen.tick(new Set([1]), true, now)
    expect(sent.map((message) => message.cameras[0]!.seconds)).toEqual([5, 10])
  })
  it('does not count the time of a page that was frozen', () => {
    const { sent, meter: seen } = meter()
    seen.enter(both, 0)
    seen.tick(new Set([1]), true, 500)
    seen.tick(new Set([1]), true, 600_000)
    seen.flush(600_000)
    expect(last(sent)[0]).toEqual([1, 0.5, null])
  })
})
