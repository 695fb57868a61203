/**
 * The page's one audio device, for short tones. Browsers play nothing before the person has touched the page: until then it is
 * blocked, and whoever would sound says so.
 */
import { readonly, ref } from 'vue'

const TONE_S = 0.22
const LOUDNESS = 0.25
const UNLOCKING = ['pointerdown', 'keydown'] as const

const runningRef = ref(false)
let audio: AudioContext | null = null
/** Those who may want to sound. */
let users = 0

/** Whether the browser would play now. */
export const running = readonly(runningRef)

/** Whether the browser has sound at all. */
export const possible = (): boolean => typeof AudioContext !== 'undefined'

/** Creates the device where there is none yet. */
export function wake(): AudioContext | null {
  if (!possible()) return null
  if (!audio) {
    audio = new AudioContext()
    audio.onstatechange = () => (runningRef.value = audio?.state === 'running')
    runningRef.value = audio.state === 'running'
  }
  return audio
}

/** To be called while the person touches the page. */
export function unlock(): void {
  void wake()?.resume().catch(() => undefined)
}

/** From now on a touch of the page unlocks the sound where `wanted` says so; the returned function ends that, and with the last one all sound. */
export function keepReady(wanted: () => boolean): () => void {
  const touched = (): void => {
    if (wanted()) unlock()
  }
  users += 1
  if (wanted()) wake()
  for (const kind of UNLOCKING) window.addEventListener(kind, touched, true)
  return () => {
    for (const kind of UNLOCKING) window.removeEventListener(kind, touched, true)
    users -= 1
    if (users) return
    void audio?.close().catch(() => undefined)
    audio = null
    runningRef.value = false
  }
}

/** Tones one after the other, in Hz. */
export function play(tones: readonly number[]): void {
  const player = wake()
  if (!player) return
  tones.forEach((frequency, index) => {
    const at = player.currentTime + index * TONE_S
    const [source, gain] = [player.createOscillator(), player.createGain()]
    source.frequency.value = frequency
    gain.gain.setValueAtTime(0, at)
    gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02)
    gain.gain.linearRampToValueAtTime(0, at + TONE_S)
    source.connect(gain).connect(player.destination)
    source.start(at)
    source.stop(at + TONE_S)
  })
}

/** What this browser remembers; null where it remembers nothing. */
export function stored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
export function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    /* private window: kept for this page only */
  }
}
