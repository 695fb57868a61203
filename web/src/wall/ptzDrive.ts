/**
 * Steers one camera: what is pressed becomes commands to the hub, in time.
 *
 * A pressed control is told to the hub at once, its changes at most ten times a second, and again every 400 ms for as long as it is
 * pressed: the hub stops the camera itself when it hears nothing for a second, or when the page's WebSocket ends. So nothing goes on
 * moving if this page dies; and whatever makes the page uncertain whether something is still pressed lets go of everything.
 */
import { STILL, isStill, same, together, type Motion, type Sign } from './ptzMotion'

export type PtzOrder =
  | { do: 'move'; pan: number; tilt: number; zoom: number }
  | { do: 'stop' }
  | { do: 'point'; x: number; y: number }
  | { do: 'step'; pan: Sign; tilt: Sign; zoom: Sign; size: 1 | 2 | 3 }
  | { do: 'preset'; token: string }
  | { do: 'home' }
  | { do: 'release' }

export type PtzCommand = { type: 'ptz'; serial: number; camera: number } & PtzOrder

export interface DriveParts {
  /** Answers false where there is no connection to the hub. */
  send(command: PtzCommand): boolean
  /** A clock that never goes back, ms. */
  now(): number
  /** Calls once after so many ms; the returned function ends the waiting. */
  later(ms: number, what: () => void): () => void
  onChange(): void
}

export const REPEAT_MS = 400
const CHANGE_MS = 100
/** After that long without a word from us the hub has stopped the camera: a page that was held up must not start it again. */
const HUB_STOPS_MS = 1_000
/** Nobody presses for longer; a book on the keyboard does, and a stick that does not return. */
export const LONGEST_PRESS_MS = 60_000

export class PtzDrive {
  /** What is asked for now. */
  motion: Motion = STILL
  /** The hub has been asked to stop, and has not confirmed it. */
  stopping = false
  private readonly pressed = new Map<string, Motion>()
  /** Controls that must return to rest before they count again. */
  private readonly distrusted = new Set<string>()
  private serial = 0
  private stopSerial = 0
  private sent: Motion = STILL
  private sentAt = -Infinity
  private since = 0
  private cancel: (() => void) | null = null

  constructor(
    readonly camera: number,
    private readonly parts: DriveParts,
  ) {}

  get moving(): boolean {
    return !isStill(this.motion)
  }

  /** A control asks for this; STILL when it is let go of. */
  press(control: string, motion: Motion): void {
    if (isStill(motion)) this.distrusted.delete(control)
    else if (this.distrusted.has(control)) return
    const before = this.pressed.get(control)
    if (isStill(motion) ? !before : before && same(before, motion)) return
    if (isStill(motion)) this.pressed.delete(control)
    else this.pressed.set(control, motion)
    this.update()
  }

  letGo(control: string): void {
    this.press(control, STILL)
  }

  /** Lets go of everything: what is still pressed counts only when it is pressed anew. */
  halt(): void {
    for (const control of this.pressed.keys()) this.distrusted.add(control)
    this.pressed.clear()
    this.update()
  }

  /** A control whose state is not known must be seen at rest first: a joystick that is held while the pad opens. */
  distrust(control: string): void {
    this.distrusted.add(control)
  }

  /** Stops, whether or not this page has moved anything. */
  stop(): void {
    this.forget()
    this.sendStop()
    this.parts.onChange()
  }

  /** Somebody else steers now: lets go of everything without a word, since a stop would be theirs. */
  lost(): void {
    this.cancel?.()
    this.forget()
    this.sent = STILL
    this.stopping = false
    this.parts.onChange()
  }

  /** A single order; whatever is pressed is let go of, since the hub carries out one thing at a time. Answers false without a connection. */
  order(order: Exclude<PtzOrder, { do: 'move' | 'stop' }>): boolean {
    if (this.moving) this.halt()
    return this.send(order)
  }

  /** Leaves the camera to others. */
  end(): void {
    if (this.moving) this.halt()
    this.cancel?.()
    this.send({ do: 'release' })
  }

  /** The hub has said how it stands; `serial` is that of the command that it answers. */
  confirmed(moving: boolean, serial: number): void {
    if (!this.stopping || moving || serial < this.stopSerial) return
    this.stopping = false
    this.parts.onChange()
  }

  private forget(): void {
    for (const control of this.pressed.keys()) this.distrusted.add(control)
    this.pressed.clear()
    this.motion = STILL
  }

  private update(): void {
    const motion = together(this.pressed.values())
    if (same(motion, this.motion)) return
    if (isStill(this.motion)) this.since = this.parts.now()
    this.motion = motion
    if (isStill(motion)) this.sendStop()
    else if (isStill(this.sent) || this.parts.now() - this.sentAt >= CHANGE_MS) this.sendMotion()
    else this.wait()
    this.parts.onChange()
  }

  private sendMotion(): void {
    this.stopping = false
    this.sent = this.motion
    if (this.send({ do: 'move', ...this.motion })) return this.wait()
    this.halt() // without a connection the hub has stopped the camera
  }

  private sendStop(): void {
    this.cancel?.()
    this.sent = STILL
    this.stopping = true
    this.send({ do: 'stop' })
    this.stopSerial = this.serial
  }

  private send(order: PtzOrder): boolean {
    this.serial += 1
    this.sentAt = this.parts.now()
    return this.parts.send({ type: 'ptz', serial: this.serial, camera: this.camera, ...order })
  }

  private wait(): void {
    this.cancel?.()
    const due = this.sentAt + (same(this.motion, this.sent) ? REPEAT_MS : CHANGE_MS)
    this.cancel = this.parts.later(Math.max(0, due - this.parts.now()), () => this.again())
  }

  private again(): void {
    const now = this.parts.now()
    if (now - this.sentAt > HUB_STOPS_MS || now - this.since > LONGEST_PRESS_MS) this.halt()
    else this.sendMotion()
  }
}
