/** The attention prompt: after so long without input the operator of a patrol is asked, and without an answer it pauses. Pure: all times in ms. */

/** How long the answer may take. */
export const ANSWER_S = 60

export interface Attention {
  /** The last input. */
  at: number
  /** Since when the operator is asked; null: not asked. */
  asked: number | null
}

/** Somebody is there. */
export function present(now: number): Attention {
  return { at: now, asked: null }
}

/** A moment later. `minutes`: 0 switches it off; `running`: the patrol goes on and its operator sits here. The answer has its whole time, however late a sleeping page comes to ask. */
export function later(was: Attention, now: number, minutes: number, running: boolean): Attention {
  if (minutes <= 0 || !running) return { at: was.at, asked: null }
  return was.asked === null && now - was.at >= minutes * 60_000 ? { at: was.at, asked: now } : was
}

/** Whole seconds left for the answer, 0 when they are over; null: nobody is asked. */
export function answerLeft(attention: Attention, now: number): number | null {
  return attention.asked === null ? null : Math.max(0, Math.ceil(ANSWER_S - (now - attention.asked) / 1000))
}

export interface Input {
  type: string
  /** A key that is held down, or lies under something. */
  repeat?: boolean
  /** How far a pointer has gone: browsers also tell of one that rests while the page moves below it. */
  movementX?: number
  movementY?: number
}

/** Whether that is a person. While the operator is asked, a pointer that only moves is no answer: somebody may have bumped the desk. */
export function isInput(event: Input, asked: boolean): boolean {
  if (event.type === 'pointermove') return !asked && (Boolean(event.movementX) || Boolean(event.movementY))
  return !event.repeat
}
