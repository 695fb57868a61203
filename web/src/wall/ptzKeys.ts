/** The keys of an open pad. They go before those of the wall; all other keys stay the wall's. */
import { motion, type Motion } from './ptzMotion'
import type { Pressed } from './keys'

export type PtzKey =
  | { do: 'hold'; control: string; motion: Motion }
  | { do: 'preset'; number: number }
  | { do: 'home' }
  | { do: 'close' }

const HELD: Readonly<Record<string, Motion>> = {
  ArrowLeft: motion(-1, 0, 0),
  ArrowRight: motion(1, 0, 0),
  ArrowUp: motion(0, 1, 0),
  ArrowDown: motion(0, -1, 0),
  '+': motion(0, 0, 1),
  '=': motion(0, 0, 1), // the same key without Shift
  PageUp: motion(0, 0, 1),
  '-': motion(0, 0, -1),
  _: motion(0, 0, -1),
  PageDown: motion(0, 0, -1),
}

/** What a pressed key means to the pad; null: nothing. */
export function ptzKey(pressed: Pressed & { code: string }): PtzKey | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null
  const held = HELD[pressed.key]
  // By its place on the keyboard: with Shift let go of first, the same key comes up under another name.
  if (held) return { do: 'hold', control: keyControl(pressed.code || pressed.key), motion: held }
  if (/^[1-9]$/.test(pressed.key)) return { do: 'preset', number: Number(pressed.key) }
  if (pressed.key === 'Home') return { do: 'home' }
  if (pressed.key === 'Escape') return { do: 'close' }
  return null
}

export function keyControl(code: string): string {
  return `key ${code}`
}

/** Keys that take the window away from the page before it sees others come up. */
export function endsKeys(key: string): boolean {
  return key === 'Meta' || key === 'Alt' || key === 'Control' || key === 'ContextMenu'
}
