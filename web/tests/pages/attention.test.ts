import { describe, expect, it } from 'vitest'
import { answerLeft, isInput, later, present } from '@/pages/runs/attention'

const MINUTE = 60_000

describe('the attention prompt', () => {
  it('asks after the minutes without input, and leaves the answer its time', () => {
    const quiet = present(0)
    expect(answerLeft(later(quiet, 10 * MINUTE - 1, 10, true), 10 * MINUTE - 1)).toBeNull()
    const asked = later(quiet, 10 * MINUTE, 10, true)
    expect([0, 0.5, 59.1, 60, 90].map((s) => answerLeft(later(asked, 10 * MINUTE + s * 1000, 10, true), 10 * MINUTE + s * 1000))).toEqual([60, 60, 1, 0, 0])
    expect(answerLeft(present(11 * MINUTE), 11 * MINUTE)).toBeNull()
  })
  it('leaves it the whole time after hours of sleep, too', () => {
    expect(answerLeft(later(present(0), 600 * MINUTE, 10, true), 600 * MINUTE)).toBe(60)
  })
  it.each([
    [0, true],
    [10, false],
  ])('asks nothing with %i minutes, running %s, and takes back what it asked', (minutes, running) => {
    const asked = later(present(0), 10 * MINUTE, 10, true)
    expect(later(asked, 11 * MINUTE, minutes, running).asked).toBeNull()
  })
  it.each([
    [{ type: 'keydown', repeat: false }, true, true],
    [{ type: 'keydown', repeat: true }, false, false],
    [{ type: 'touchstart' }, true, true],
    [{ type: 'pointerdown' }, true, true],
    [{ type: 'pointermove', movementX: 2, movementY: 0 }, true, false],
    [{ type: 'pointermove', movementX: 0, movementY: 0 }, false, false],
  ])('takes %o for a person: not asked %s, asked %s', (event, before, asked) => {
    expect([isInput(event, false), isInput(event, true)]).toEqual([before, asked])
  })
})
