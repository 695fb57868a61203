/** The presets of cameras, asked of their devices, two at a time. */
import { reactive } from 'vue'
import type { ApiError } from '@/api/client'
import type { Preset } from '@/api/types'
import { readPtz } from '../wall/ptzCalls'

export type PresetAnswer = { state: 'asking' } | { state: 'told'; presets: readonly Preset[] } | { state: 'failed'; error: ApiError }

export interface PresetReader {
  readonly of: ReadonlyMap<number, PresetAnswer>
  /** Asks the camera's device, unless it has answered already; `again`: in any case. */
  ask(camera: number, again?: boolean): void
  /** Drops what waits and ignores what is still to come. */
  close(): void
}

const AT_ONCE = 2

export function usePresets(): PresetReader {
  const answers = reactive(new Map<number, PresetAnswer>())
  let waiting: number[] = []
  let running = 0
  let closed = false

  async function next(): Promise<void> {
    const camera = waiting.shift()
    if (camera === undefined || closed) return
    running += 1
    const answer = await readPtz(camera)
    running -= 1
    if (closed) return
    if (answer.ok) answers.set(camera, { state: 'told', presets: answer.data.presets })
    else if (!answer.aborted) answers.set(camera, { state: 'failed', error: answer.error })
    void next()
  }
  return {
    of: answers,
    ask(camera, again = false) {
      const known = answers.get(camera)
      if (known && (!again || known.state === 'asking')) return
      answers.set(camera, { state: 'asking' })
      waiting.push(camera)
      if (running < AT_ONCE) void next()
    },
    close() {
      closed = true
      waiting = []
    },
  }
}

/** What is to be said of a camera's preset: nothing, it has gone, or its device does not answer. */
export function presetTrouble(preset: string | null, answer: PresetAnswer | undefined): 'gone' | 'unreachable' | null {
  if (preset === null || !answer || answer.state === 'asking') return null
  if (answer.state === 'failed') return 'unreachable'
  return answer.presets.some((one) => one.token === preset) ? null : 'gone'
}
