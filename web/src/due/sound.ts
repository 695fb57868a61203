/**
 * The sound of what is due: once when a patrol falls due and once when it is late, for those who are prompted, in one page of a
 * browser. On by default: who watches pictures, or has turned away from them, sees no card, and a patrol that nobody starts is
 * counted as late. It never repeats, also not after a reload, and each browser can switch it off.
 */
import { computed, onScopeDispose, readonly, ref, watch } from 'vue'
import { keepReady, play, possible, running, store, stored, unlock } from '@/notices/player'
import type { DueOccurrence } from './due'

const OFF_KEY = 'due sound'
const SOUNDED_KEY = 'due sounded'
/** So many are remembered: a day of many dense plans. */
const REMEMBERED = 500
/** Hz; other than those of a notice. Late sounds once more, and higher. */
const TONES = { due: [523, 659], late: [659, 784, 659] } as const

const offRef = ref(stored(OFF_KEY) === 'off')

export const soundOff = readonly(offRef)
/** It is wanted, and the browser would not play it now. */
export const soundBlocked = computed(() => possible() && !offRef.value && !running.value)

export function setSoundOff(off: boolean): void {
  offRef.value = off
  store(OFF_KEY, off ? 'off' : 'on')
  if (off) return
  unlock()
  play(TONES.due)
}

/** For which of them it has not sounded yet: `12 due`, `12 late`. Pure. */
export function unheard(prompts: readonly DueOccurrence[], sounded: readonly string[]): string[] {
  return prompts.map((one) => `${one.id} ${one.state === 'late' ? 'late' : 'due'}`).filter((one) => !sounded.includes(one))
}

/** What has sounded, kept for this page where the browser remembers nothing. */
let sounded: string[] = []

function known(): string[] {
  try {
    const list: unknown = JSON.parse(stored(SOUNDED_KEY) ?? '[]')
    const kept = Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : []
    return [...kept, ...sounded]
  } catch {
    return sounded
  }
}

/** Sounds for these prompts where it has not yet; many that fall due together sound once. */
function soundFor(prompts: readonly DueOccurrence[]): void {
  const fresh = unheard(prompts, known())
  if (!fresh.length || (!offRef.value && !running.value)) return
  sounded = [...new Set([...known(), ...fresh])].slice(-REMEMBERED)
  store(SOUNDED_KEY, JSON.stringify(sounded))
  if (!offRef.value) play(fresh.some((one) => one.endsWith('late')) ? TONES.late : TONES.due)
}

/** While its component is there, what the person is prompted for sounds; what was blocked does so as soon as it may. */
export function useDueSound(prompts: () => readonly DueOccurrence[]): void {
  const end = keepReady(() => !offRef.value)
  watch([prompts, running], () => soundFor(prompts()), { immediate: true })
  onScopeDispose(end)
}
