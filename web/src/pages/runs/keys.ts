/** The keys of a running patrol. They go before the wall's; while the pad of a camera is open, what it uses is the pad's. Pure. */
import { ptzKey } from '@/wall/ptzKeys'

export type PatrolCommand = 'normal' | 'abnormal' | 'finding' | 'toggle' | 'next' | 'previous' | 'extend' | 'list' | 'help' | 'nothing'

export interface PatrolKey {
  key: string
  code: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}

export interface KeyState {
  /** A patrol with proof; a loop that is only shown has nothing to confirm. */
  proof: boolean
  padOpen: boolean
}

const STEER: Readonly<Record<string, PatrolCommand>> = { ' ': 'toggle', ArrowRight: 'next', ArrowLeft: 'previous' }
/** The wall keeps Enter and F under Z and Shift+F; tiles of a patrol are not to be emptied. */
const PROVE: Readonly<Record<string, PatrolCommand>> = { enter: 'normal', n: 'abnormal', f: 'finding', e: 'extend', l: 'list', '?': 'help', delete: 'nothing', backspace: 'nothing' }

/** What a key means to the patrol; null: nothing, it is the wall's. */
export function patrolCommand(pressed: PatrolKey, state: KeyState): PatrolCommand | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null
  if (state.padOpen && ptzKey(pressed)) return null
  const steer = STEER[pressed.key]
  if (steer) return steer
  if (!state.proof || (pressed.shiftKey && pressed.key !== '?')) return null
  return PROVE[pressed.key.toLowerCase()] ?? null
}
