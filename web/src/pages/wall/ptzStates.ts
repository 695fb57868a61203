/** Who steers which of the cameras that this page shows, and the tile whose pad is open. */
import { ref, shallowReactive } from 'vue'
import type { PtzState } from '@/api/types'
import { live, onLeave } from '@/stores'

export const ptzStates = shallowReactive(new Map<number, PtzState>())
/** One pad at a time: keys and joystick belong to it. */
export const padAt = ref<number | null>(null)

live.on('ptz', (message) => ptzStates.set(message.camera, message.state))
// What was said before the connection broke may be long past.
live.on('hello', () => ptzStates.clear())
onLeave(() => {
  ptzStates.clear()
  padAt.value = null
})

export function togglePad(index: number): void {
  padAt.value = padAt.value === index ? null : index
}

/** Who steers a camera at this time of the hub; null: nobody. */
export function holderAt(state: PtzState | null | undefined, now: number): NonNullable<PtzState['holder']> | null {
  const holder = state?.holder ?? null
  return holder && Date.parse(holder.until) > now ? holder : null
}

/** Whole seconds until then, at least 0. */
export function secondsUntil(at: string, now: number): number {
  return Math.max(0, Math.floor((Date.parse(at) - now) / 1_000))
}
