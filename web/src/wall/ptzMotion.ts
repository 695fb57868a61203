/** How fast a camera is to turn and zoom, and how presses, drags, sticks and wheels become that. Pure. */

/** Speeds of the three axes, each -1…1 of the camera's fastest. Pan 1 is right, tilt 1 is up, zoom 1 is in. */
export interface Motion {
  pan: number
  tilt: number
  zoom: number
}

export type Sign = -1 | 0 | 1

export const STILL: Readonly<Motion> = { pan: 0, tilt: 0, zoom: 0 }

/** Below this part of the radius a drag from the centre moves nothing. */
const DRAG_REST = 0.18
/** How far from the centre a press lies on a direction and not on the knob to be dragged. */
export const KNOB = 0.36
/** Sticks that are let go of seldom return to exactly 0. */
const STICK_REST = 0.15
const LEAST_SPEED = 0.05

/** Each number to two places: what the eye does not see is not sent. */
function rounded(value: number): number {
  const cut = Math.min(1, Math.max(-1, Math.round(value * 100) / 100))
  return cut === 0 ? 0 : cut // no -0
}

export function motion(pan: number, tilt: number, zoom: number): Motion {
  return { pan: rounded(pan), tilt: rounded(tilt), zoom: rounded(zoom) }
}

export function isStill({ pan, tilt, zoom }: Motion): boolean {
  return pan === 0 && tilt === 0 && zoom === 0
}

export function same(a: Motion, b: Motion): boolean {
  return a.pan === b.pan && a.tilt === b.tilt && a.zoom === b.zoom
}

/** What several controls ask for together: two arrows are a diagonal, two fingers turn and zoom. */
export function together(all: Iterable<Motion>): Motion {
  let [pan, tilt, zoom] = [0, 0, 0]
  for (const one of all) [pan, tilt, zoom] = [pan + one.pan, tilt + one.tilt, zoom + one.zoom]
  return motion(pan, tilt, zoom)
}

/** Which of the eight directions a place on the pad lies in; x to the right and y down from its centre. */
export function directionAt(x: number, y: number): { pan: Sign; tilt: Sign } {
  const eighth = Math.round(Math.atan2(-y, x) / (Math.PI / 4))
  const angle = (eighth * Math.PI) / 4
  return { pan: sign(Math.cos(angle)), tilt: sign(Math.sin(angle)) }
}

function sign(value: number): Sign {
  return value > 0.5 ? 1 : value < -0.5 ? -1 : 0
}

/** A drag from the centre: its direction is the camera's, its length the speed. x, y in radii, y down. */
export function dragged(x: number, y: number): Motion {
  const length = Math.hypot(x, y)
  const speed = curve(length, DRAG_REST)
  return speed === 0 ? STILL : motion((x / length) * speed, (-y / length) * speed, 0)
}

/** 0 up to `rest`, 1 from 1 on; between them slow at first, so that small corrections are easy. */
export function curve(length: number, rest: number): number {
  if (length <= rest) return 0
  const over = Math.min(1, (length - rest) / (1 - rest))
  return Math.max(LEAST_SPEED, over * over)
}

export interface Stick {
  x: number
  y: number
  /** Positive is in. */
  zoom: number
}

/** A joystick's axes, x to the right and y down as the Gamepad API has them. A stick that is no number stands still. */
export function stickMotion(stick: Stick): Motion {
  const [x, y, zoom] = [stick.x, stick.y, stick.zoom].map((value) => (Number.isFinite(value) ? value : 0)) as [number, number, number]
  const length = Math.hypot(x, y)
  const speed = curve(length, STICK_REST)
  const turn = speed === 0 ? STILL : motion((x / length) * speed, (-y / length) * speed, 0)
  return motion(turn.pan, turn.tilt, Math.sign(zoom) * curve(Math.abs(zoom), STICK_REST))
}

/** The part of a shown picture that was pointed at, 0…1 from its top left corner; null beside the picture. */
export function pointIn(box: { left: number; top: number; width: number; height: number }, ratio: number | null, clientX: number, clientY: number): { x: number; y: number } | null {
  if (box.width <= 0 || box.height <= 0) return null
  // A picture of another ratio than its box stands in the middle of it, with bars at two sides.
  const width = ratio === null ? box.width : Math.min(box.width, box.height * ratio)
  const height = ratio === null ? box.height : Math.min(box.height, box.width / ratio)
  const x = (clientX - box.left - (box.width - width) / 2) / width
  const y = (clientY - box.top - (box.height - height) / 2) / height
  return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : null
}

const NOTCH = 100
const PIXELS_OF = [1, 33, 800] // a wheel counts pixels, lines or pages

/** A mouse wheel as zoom steps: one per notch, several in quick succession joined into a larger one. */
export class WheelSteps {
  private turned = 0
  private sentAt = -Infinity

  constructor(private readonly pauseMs = 200) {}

  /** The step to send now; null: not far enough, or too soon after the last. What is more than the largest step is dropped. */
  step(deltaY: number, deltaMode: number, now: number): { zoom: Sign; size: 1 | 2 | 3 } | null {
    const pixels = deltaY * (PIXELS_OF[deltaMode] ?? 1)
    if (this.turned * pixels < 0) this.turned = 0 // turned back: what has not been sent is void
    this.turned = Math.max(-3 * NOTCH, Math.min(3 * NOTCH, this.turned + pixels))
    const notches = Math.floor(Math.abs(this.turned) / NOTCH)
    if (notches === 0 || now - this.sentAt < this.pauseMs) return null
    const zoom: Sign = this.turned < 0 ? 1 : -1 // away from oneself is closer, as in maps
    this.turned = 0
    this.sentAt = now
    return { zoom, size: Math.min(3, notches) as 1 | 2 | 3 }
  }
}
