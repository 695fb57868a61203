/**
 * The sound of a notice. Browsers play nothing before the person has touched the page: then it is blocked, and the page says so.
 * Of several pages of one browser one sounds.
 */
import { computed, readonly, ref } from 'vue'

const MUTED_KEY = 'notice sound'
const SOUNDED_KEY = 'notice sounded'
/** Two short tones, Hz. */
const TONES = [880, 660] as const
const TONE_S = 0.22
const LOUDNESS = 0.25
const UNLOCKING = ['pointerdown', 'keydown'] as const

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    /* private window: kept for this page only */
  }
}

const mutedRef = ref(stored(MUTED_KEY) === 'off')
const running = ref(false)
/** Whether the browser has sound at all. */
const possible = (): boolean => typeof AudioContext !== 'undefined'
let audio: AudioContext | null = null

export const muted = readonly(mutedRef)
/** The browser would play no sound now. */
export const blocked = computed(() => possible() && !mutedRef.value && !running.value)

function context(): AudioContext | null {
  if (!possible()) return null
  if (!audio) {
    audio = new AudioContext()
    audio.onstatechange = () => (running.value = audio?.state === 'running')
    running.value = audio.state === 'running'
  }
  return audio
}

function unlock(): void {
  if (mutedRef.value) return
  void context()?.resume().catch(() => undefined)
}

/** From now on the first touch of the page unlocks the sound; the returned function ends that, and all sound. */
export function prepare(): () => void {
  if (!mutedRef.value) context()
  for (const kind of UNLOCKING) window.addEventListener(kind, unlock, true)
  return () => {
    for (const kind of UNLOCKING) window.removeEventListener(kind, unlock, true)
    void audio?.close().catch(() => undefined)
    audio = null
    running.value = false
  }
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

function tone(player: AudioContext, frequency: number, at: number): void {
  const [source, gain] = [player.createOscillator(), player.createGain()]
  source.frequency.value = frequency
  gain.gain.setValueAtTime(0, at)
  gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02)
  gain.gain.linearRampToValueAtTime(0, at + TONE_S)
  source.connect(gain).connect(player.destination)
  source.start(at)
  source.stop(at + TONE_S)
}

/** Sounds for a notice, once per browser. Answers false where it is muted, blocked, or another page does. */
export function chime(id: number): boolean {
  const player = mutedRef.value ? null : context()
  if (!player || player.state !== 'running' || !first(id)) return false
  TONES.forEach((frequency, index) => tone(player, frequency, player.currentTime + index * TONE_S))
  return true
}

/** A sample, to hear whether it is loud enough. */
export function sample(): void {
  const player = mutedRef.value ? null : context()
  if (player) TONES.forEach((frequency, index) => tone(player, frequency, player.currentTime + index * TONE_S))
}
