/** The sound of a notice. Of several pages of one browser one sounds. */
import { computed, readonly, ref } from 'vue'
import { keepReady, play, possible, running, store, stored, unlock, wake } from './player'

const MUTED_KEY = 'notice sound'
const SOUNDED_KEY = 'notice sounded'
/** Two short tones, Hz. */
const TONES = [880, 660] as const

const mutedRef = ref(stored(MUTED_KEY) === 'off')

export const muted = readonly(mutedRef)
/** The browser would play no sound now. */
export const blocked = computed(() => possible() && !mutedRef.value && !running.value)

/** From now on the first touch of the page unlocks the sound; the returned function ends that. */
export function prepare(): () => void {
  return keepReady(() => !mutedRef.value)
}

export function setMuted(off: boolean): void {
  mutedRef.value = off
  store(MUTED_KEY, off ? 'off' : 'on')
  if (!off) unlock()
}

/** Whether no other page of this browser has sounded for that notice. */
function first(id: number): boolean {
  if (Number(stored(SOUNDED_KEY) ?? 0) >= id) return false
  store(SOUNDED_KEY, String(id))
  return true
}

/** Sounds for a notice, once per browser. Answers false where it is muted, blocked, or another page does. */
export function chime(id: number): boolean {
  const player = mutedRef.value ? null : wake()
  if (!player || player.state !== 'running' || !first(id)) return false
  play(TONES)
  return true
}

/** A sample, to hear whether it is loud enough. */
export function sample(): void {
  if (!mutedRef.value) play(TONES)
}
