/**
 * A joystick or gamepad: asked once per frame, and only while a pad is open and the page is seen.
 *
 * A control-room joystick has X, Y and a twist for the zoom; a gamepad (`mapping` "standard") two sticks and triggers. What is held when
 * the pad opens counts only after it has been at rest.
 */
import { STILL, isStill, stickMotion, type Motion, type Stick } from './ptzMotion'

export interface PadLike {
  readonly id: string
  readonly index: number
  readonly connected: boolean
  readonly mapping: string
  readonly axes: readonly number[]
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[]
}

export interface GamepadParts {
  /** All there are; empty where the browser tells none (it needs a secure connection). */
  pads(): readonly (PadLike | null)[]
  /** Calls before the next frame is drawn; the returned function ends the waiting. Not called while the page is hidden. */
  frame(what: () => void): () => void
  onMotion(motion: Motion): void
  /** Buttons 1 to 9 go to presets. */
  onPreset(number: number): void
  onHome(): void
  /** A pad has come, or the last one is gone. */
  onPresent(name: string | null): void
}

const START = 9 // of a standard gamepad
const STANDARD_PRESETS: readonly number[] = [0, 1, 2, 3, 4, 5] // A B X Y and the two shoulder buttons
const ENTRIES = 16 // a hostile device may claim thousands of buttons

export function stickOf(pad: PadLike): Stick {
  const axis = (number: number): number => pad.axes[number] ?? 0
  if (pad.mapping !== 'standard') return { x: axis(0), y: axis(1), zoom: axis(2) }
  const triggers = (pad.buttons[7]?.value ?? 0) - (pad.buttons[6]?.value ?? 0)
  return { x: axis(0), y: axis(1), zoom: triggers || -axis(3) }
}

export class GamepadPoll {
  private ended = false
  private cancel: () => void
  private name: string | null = null
  private readonly down = new Map<number, ReadonlySet<number>>()

  constructor(private readonly parts: GamepadParts) {
    this.cancel = parts.frame(() => this.look())
  }

  end(): void {
    this.ended = true
    this.cancel()
  }

  private look(): void {
    if (this.ended) return
    const pads = this.parts.pads().filter((pad): pad is PadLike => pad?.connected === true)
    const moved = pads.map((pad) => stickMotion(stickOf(pad)))
    const name = pads[0]?.id ?? null
    if (name !== this.name) this.parts.onPresent((this.name = name))
    this.parts.onMotion(moved.find((one) => !isStill(one)) ?? STILL)
    for (const pad of pads) this.buttons(pad)
    if (!this.ended) this.cancel = this.parts.frame(() => this.look())
  }

  private buttons(pad: PadLike): void {
    const before = this.down.get(pad.index)
    const now = new Set(pad.buttons.slice(0, ENTRIES).flatMap((button, number) => (button.pressed ? [number] : [])))
    this.down.set(pad.index, now)
    if (!before) return // what is held already is no press
    for (const number of now) {
      if (before.has(number)) continue
      const standard = pad.mapping === 'standard'
      const preset = standard ? STANDARD_PRESETS.indexOf(number) + 1 : number + 1
      if (standard && number === START) this.parts.onHome()
      else if (preset >= 1 && preset <= 9) this.parts.onPreset(preset)
    }
  }
}
