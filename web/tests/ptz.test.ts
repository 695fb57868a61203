import { beforeEach, describe, expect, it } from 'vitest'
import { LONGEST_PRESS_MS, PtzDrive, REPEAT_MS, type PtzCommand } from '@/wall/ptzDrive'
import { GamepadPoll, type PadLike } from '@/wall/ptzGamepad'
import { guard } from '@/wall/ptzGuard'
import { endsKeys, ptzKey } from '@/wall/ptzKeys'
import { STILL, WheelSteps, curve, directionAt, dragged, motion, pointIn, stickMotion, together } from '@/wall/ptzMotion'
import { WallKeys } from '@/wall/keys'

const RIGHT = motion(0.5, 0, 0)
const UP = motion(0, 0.5, 0)
const IN = motion(0, 0, 0.5)

/** A clock that tests move, with what is due called in order. */
class Time {
  now = 0
  private waiting: { at: number; what: () => void }[] = []
  later = (ms: number, what: () => void): (() => void) => {
    const one = { at: this.now + ms, what }
    this.waiting.push(one)
    return () => (this.waiting = this.waiting.filter((other) => other !== one))
  }
  pass(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const next = this.waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.waiting = this.waiting.filter((one) => one !== next)
      this.now = Math.max(this.now, next.at)
      next.what()
    }
    this.now = end
  }
  /** The page is held up: what was due in between is called once, late. */
  stand(ms: number): void {
    this.now += ms
    this.pass(0)
  }
}

describe('the drive', () => {
  let time: Time
  let sent: [number, PtzCommand][]
  let connected: boolean
  let drive: PtzDrive
  const orders = (): string[] => sent.map(([, { do: what }]) => what)
  const last = (): PtzCommand => sent.at(-1)![1]

  beforeEach(() => {
    time = new Time()
    sent = []
    connected = true
    drive = new PtzDrive(7, {
      send: (command) => {
        if (connected) sent.push([time.now, command])
        return connected
      },
      now: () => time.now,
      later: time.later,
      onChange: () => undefined,
    })
  })

  it('sends a press at once, and again every 400 ms until it is let go of', () => {
    drive.press('pad', RIGHT)
    expect(sent).toEqual([[0, { type: 'ptz', serial: 1, camera: 7, do: 'move', pan: 0.5, tilt: 0, zoom: 0 }]])
    time.pass(1_000)
    expect(sent.map(([at]) => at)).toEqual([0, REPEAT_MS, 2 * REPEAT_MS])
    drive.letGo('pad')
    expect([last().do, last().serial, drive.moving]).toEqual(['stop', 4, false])
    time.pass(60_000)
    expect(sent).toHaveLength(4)
  })

  it('passes on changes at most ten times a second, and the last one for certain', () => {
    drive.press('pad', motion(0.1, 0, 0))
    for (let n = 2; n <= 9; n += 1) {
      time.pass(10)
      drive.press('pad', motion(n / 10, 0, 0))
    }
    expect(sent).toHaveLength(1)
    time.pass(40)
    expect(sent.map(([at, one]) => [at, (one as { pan: number }).pan])).toEqual([[0, 0.1], [100, 0.9]])
    time.pass(REPEAT_MS)
    expect(sent.at(-1)![0]).toBe(100 + REPEAT_MS)
  })

  it('adds up what several controls ask for', () => {
    drive.press('key ArrowRight', RIGHT)
    drive.press('key ArrowUp', UP)
    drive.press('zoom', IN)
    time.pass(100)
    expect(last()).toMatchObject({ pan: 0.5, tilt: 0.5, zoom: 0.5 })
    drive.letGo('key ArrowRight')
    time.pass(100)
    expect(last()).toMatchObject({ do: 'move', pan: 0, tilt: 0.5 })
    drive.press('key ArrowLeft', motion(-0.5, 0, 0))
    drive.press('key ArrowRight', RIGHT)
    time.pass(100)
    expect(last()).toMatchObject({ pan: 0, tilt: 0.5, zoom: 0.5 })
  })

  it('stops when opposite controls are all that is pressed', () => {
    drive.press('a', RIGHT)
    drive.press('b', motion(-0.5, 0, 0))
    expect(last().do).toBe('stop')
    drive.letGo('a')
    expect(last()).toMatchObject({ do: 'move', pan: -0.5 })
  })

  it('once halted counts a held control only when it is pressed anew', () => {
    drive.press('stick', RIGHT)
    drive.halt()
    expect(last().do).toBe('stop')
    drive.press('stick', UP)
    expect(last().do).toBe('stop')
    drive.press('stick', STILL)
    drive.press('stick', UP)
    expect(last().do).toBe('move')
  })

  it('sends nothing when it is halted while nothing is pressed', () => {
    drive.halt()
    drive.letGo('pad')
    expect(sent).toEqual([])
  })

  it('does not begin again after it was held up longer than the hub waits', () => {
    drive.press('pad', RIGHT)
    time.stand(1_500)
    expect(orders()).toEqual(['move', 'stop'])
    time.pass(10_000)
    expect(orders()).toEqual(['move', 'stop'])
    drive.press('pad', RIGHT)
    expect(orders()).toEqual(['move', 'stop'])
  })

  it('lets go of everything without a connection, and does not begin again with the next', () => {
    drive.press('pad', RIGHT)
    connected = false
    time.pass(REPEAT_MS)
    expect(drive.moving).toBe(false)
    connected = true
    time.pass(10_000)
    expect(orders()).toEqual(['move'])
  })

  it('believes no press that lasts a minute', () => {
    drive.press('key ArrowRight', RIGHT)
    time.pass(LONGEST_PRESS_MS + REPEAT_MS)
    expect(last().do).toBe('stop')
    expect(drive.moving).toBe(false)
  })

  it('is stopping until the hub confirms the stop, not an earlier command', () => {
    drive.press('pad', RIGHT)
    drive.letGo('pad')
    expect(drive.stopping).toBe(true)
    drive.confirmed(false, 1)
    drive.confirmed(true, 2)
    expect(drive.stopping).toBe(true)
    drive.confirmed(false, 2)
    expect(drive.stopping).toBe(false)
  })

  it('lets go before a single order, and leaves the camera at its end', () => {
    drive.press('pad', RIGHT)
    drive.order({ do: 'preset', token: 'p1' })
    drive.press('zoom', IN)
    drive.end()
    expect(orders()).toEqual(['move', 'stop', 'preset', 'move', 'stop', 'release'])
    time.pass(10_000)
    expect(orders()).toHaveLength(6)
    expect(sent.map(([, { serial }]) => serial)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('says no more once somebody else steers', () => {
    drive.press('pad', RIGHT)
    drive.lost()
    time.pass(10_000)
    expect(orders()).toEqual(['move'])
    drive.press('pad', UP)
    expect(orders()).toEqual(['move'])
    drive.letGo('pad')
    drive.press('pad', UP)
    expect(orders()).toEqual(['move', 'move'])
  })
})

describe('motion', () => {
  it.each([
    [1, 0, 1, 0], [1, -1, 1, 1], [0, -1, 0, 1], [-1, -1, -1, 1], [-1, 0, -1, 0], [-1, 1, -1, -1], [0, 1, 0, -1], [1, 1, 1, -1], [1, 0.3, 1, 0], [1, 0.5, 1, -1],
  ])('at %d, %d of the pad is the direction %d, %d', (x, y, pan, tilt) => {
    expect(directionAt(x, y)).toEqual({ pan, tilt })
  })

  it('of a drag grows with its distance, and keeps its direction', () => {
    expect(dragged(0.1, 0.1)).toEqual(STILL)
    expect(dragged(0, 0)).toEqual(STILL)
    const [near, far] = [dragged(0.4, 0), dragged(0.8, 0)]
    expect(near.pan).toBeGreaterThan(0)
    expect(far.pan).toBeGreaterThan(near.pan)
    expect(dragged(5, 0)).toEqual(motion(1, 0, 0))
    expect(dragged(0, -1)).toEqual(motion(0, 1, 0))
    const diagonal = dragged(-3, 3)
    expect(diagonal).toEqual(motion(-Math.SQRT1_2, -Math.SQRT1_2, 0))
  })

  it('of a stick has a dead zone, a gentle beginning, and bears nonsense', () => {
    expect(stickMotion({ x: 0.1, y: -0.1, zoom: 0.1 })).toEqual(STILL)
    expect(stickMotion({ x: NaN, y: Infinity, zoom: NaN })).toEqual(STILL)
    expect(stickMotion({ x: 1, y: 0, zoom: -1 })).toEqual(motion(1, 0, -1))
    expect(stickMotion({ x: 0.5, y: 0, zoom: 0 }).pan).toBeLessThan(0.3)
    expect(curve(0.16, 0.15)).toBeGreaterThan(0)
  })

  it('of several controls together stays within the fastest', () => {
    expect(together([motion(0.8, 0, 0), motion(0.8, -0.2, 0)])).toEqual(motion(1, -0.2, 0))
    expect(together([])).toEqual(STILL)
  })
})

describe('a point in the picture', () => {
  const wide = { left: 100, top: 50, width: 400, height: 200 }
  it.each([
    ['the middle', wide, 2, 300, 150, { x: 0.5, y: 0.5 }],
    ['a corner', wide, 2, 100, 50, { x: 0, y: 0 }],
    ['a narrower picture between bars', wide, 1, 200, 50, { x: 0, y: 0 }],
    ['a flatter picture between bars', wide, 4, 300, 150, { x: 0.5, y: 0.5 }],
    ['stretched to its box', wide, null, 500, 250, { x: 1, y: 1 }],
    ['a bar', wide, 1, 150, 100, null],
    ['outside', wide, 2, 501, 100, null],
    ['no box', { left: 0, top: 0, width: 0, height: 0 }, 2, 0, 0, null],
  ])('%s', (_, box, ratio, x, y, at) => {
    expect(pointIn(box, ratio, x, y)).toEqual(at)
  })
})

describe('the wheel', () => {
  it('is one step per notch, joined while they come quickly', () => {
    const wheel = new WheelSteps(200)
    expect(wheel.step(-100, 0, 0)).toEqual({ zoom: 1, size: 1 })
    expect(wheel.step(-100, 0, 50)).toBeNull()
    expect(wheel.step(-100, 0, 210)).toEqual({ zoom: 1, size: 2 })
    expect(wheel.step(-100_000, 0, 500)).toEqual({ zoom: 1, size: 3 })
    expect(wheel.step(-10, 0, 900)).toBeNull() // what was more than the largest step is gone
    expect(wheel.step(3, 1, 1_200)).toBeNull() // lines: turned back, and not yet a notch
    expect(wheel.step(1, 1, 1_300)).toEqual({ zoom: -1, size: 1 })
  })
})

describe('keys of an open pad', () => {
  const plain = { ctrlKey: false, metaKey: false, altKey: false }
  it.each([
    ['ArrowLeft', { do: 'hold', control: 'key ArrowLeft', motion: motion(-1, 0, 0) }],
    ['ArrowUp', { do: 'hold', control: 'key ArrowUp', motion: motion(0, 1, 0) }],
    ['PageUp', { do: 'hold', control: 'key PageUp', motion: motion(0, 0, 1) }],
    ['PageDown', { do: 'hold', control: 'key PageDown', motion: motion(0, 0, -1) }],
    ['9', { do: 'preset', number: 9 }],
    ['0', null],
    ['Home', { do: 'home' }],
    ['Escape', { do: 'close' }],
    ['f', null],
    [' ', null],
  ])('%s', (key, means) => {
    expect(ptzKey({ ...plain, key, code: key })).toEqual(means)
    expect(ptzKey({ ...plain, ctrlKey: true, key, code: key })).toBeNull()
  })

  it('know a key by its place: + and = are the same one', () => {
    const [plus, equals] = ['+', '='].map((key) => ptzKey({ ...plain, key, code: 'Equal' }))
    expect(plus).toEqual(equals)
  })

  it('end with a key that may take the page its focus', () => {
    expect(['Meta', 'Alt', 'Shift', 'ArrowUp'].map(endsKeys)).toEqual([true, true, false, false])
  })

  it('are opened by a key of the wall', () => {
    expect(new WallKeys().command({ ...plain, key: 'p' }, 4, 0)).toEqual({ do: 'steer' })
  })
})

describe('the guard', () => {
  it('halts whenever the page may not see a key come up, until it is ended', () => {
    let halts = 0
    const [page, within] = [new EventTarget(), new EventTarget()]
    const end = guard(() => (halts += 1), page, within)
    for (const event of ['blur', 'pagehide', 'beforeunload']) page.dispatchEvent(new Event(event))
    for (const event of ['visibilitychange', 'freeze']) within.dispatchEvent(new Event(event))
    expect(halts).toBe(5)
    end()
    page.dispatchEvent(new Event('blur'))
    within.dispatchEvent(new Event('freeze'))
    expect(halts).toBe(5)
  })
})

describe('a joystick', () => {
  let pads: (PadLike | null)[]
  let next: (() => void) | null
  let log: string[]
  const frame = (): void => {
    const due = next
    next = null
    due?.()
  }
  const pad = (axes: number[], down: number[] = [], mapping = ''): PadLike => ({
    id: 'Joystick', index: 0, connected: true, mapping, axes, buttons: Array.from({ length: 12 }, (_, n) => ({ pressed: down.includes(n), value: down.includes(n) ? 1 : 0 })),
  })
  const start = (): GamepadPoll =>
    new GamepadPoll({
      pads: () => pads,
      frame: (what) => {
        next = what
        return () => (next = null)
      },
      onMotion: ({ pan, tilt, zoom }) => log.push(`${pan} ${tilt} ${zoom}`),
      onPreset: (number) => log.push(`preset ${number}`),
      onHome: () => log.push('home'),
      onPresent: (name) => log.push(`name ${name}`),
    })

  beforeEach(() => {
    pads = [null]
    log = []
    next = null
  })

  it('turns by its axes, zooms by its twist, and stands still when it is unplugged', () => {
    start()
    frame()
    pads = [null, pad([1, 0, 0])]
    frame()
    pads = [null, pad([0, -1, 1])]
    frame()
    pads = [null, { ...pad([0, -1, 1]), connected: false }]
    frame()
    expect(log).toEqual(['0 0 0', 'name Joystick', '1 0 0', '0 1 1', 'name null', '0 0 0'])
  })

  it('zooms by triggers or the second stick where it is a gamepad', () => {
    start()
    for (const one of [pad([0, 0, 1, -1], [], 'standard'), pad([0, 0, 0, 0], [6], 'standard'), pad([], [7], 'standard')]) {
      pads = [one]
      frame()
    }
    expect(log.slice(1)).toEqual(['0 0 1', '0 0 -1', '0 0 1'])
  })

  it('goes to presets by buttons that are pressed, not by those that were held already', () => {
    start()
    pads = [pad([0, 0, 0], [2])]
    frame()
    pads = [pad([0, 0, 0], [2, 8])]
    frame()
    pads = [pad([0, 0, 0], [8, 11])]
    frame()
    pads = [pad([0, 0, 0], [2], 'standard')]
    frame()
    pads = [pad([0, 0, 0], [9], 'standard')]
    frame()
    expect(log.filter((one) => !one.startsWith('0'))).toEqual(['name Joystick', 'preset 9', 'preset 3', 'home'])
  })

  it('is asked no more once the pad is closed', () => {
    const poll = start()
    frame()
    poll.end()
    expect(next).toBeNull()
  })
})
