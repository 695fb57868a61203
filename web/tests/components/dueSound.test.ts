import { mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, shallowRef } from 'vue'
import { i18n } from '@/i18n'
import type { DueOccurrence } from '@/due/due'
import DueSound from '@/due/DueSound.vue'
import { setSoundOff, useDueSound } from '@/due/sound'

/** Counts what is played; `state` is what the browser allows. */
class FakeAudio {
  static allowed = true
  static last: FakeAudio
  static tones: number[] = []
  state = FakeAudio.allowed ? 'running' : 'suspended'
  currentTime = 0
  destination = {}
  onstatechange: (() => void) | null = null
  constructor() {
    FakeAudio.last = this
  }
  createOscillator() {
    const frequency = { value: 0 }
    return { frequency, connect: (to: object) => to, start: () => void FakeAudio.tones.push(frequency.value), stop: () => undefined }
  }
  createGain() {
    const gain = { setValueAtTime: () => undefined, linearRampToValueAtTime: () => undefined }
    return { gain, connect: (to: object) => to }
  }
  resume(): Promise<void> {
    this.state = 'running'
    this.onstatechange?.()
    return Promise.resolve()
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

const prompts = shallowRef<DueOccurrence[]>([])
let page: VueWrapper | null = null

function open(): void {
  page = mount(
    defineComponent({
      setup() {
        useDueSound(() => prompts.value)
        return () => h(DueSound)
      },
    }),
    { global: { plugins: [i18n] } },
  )
}
function close(): void {
  page?.unmount()
  page = null
}
let id = 0
function due(state: 'due' | 'late' = 'due', of = (id += 1)): DueOccurrence {
  return { id: of, state } as DueOccurrence
}
async function prompted(...list: DueOccurrence[]): Promise<number> {
  const before = FakeAudio.tones.length
  prompts.value = list
  await nextTick()
  return FakeAudio.tones.length - before
}

beforeEach(() => {
  vi.stubGlobal('AudioContext', FakeAudio)
  FakeAudio.allowed = true
  FakeAudio.tones = []
  prompts.value = []
})
afterEach(() => {
  setSoundOff(false)
  close()
})

describe('the sound of what is due', () => {
  it('comes once when a patrol is due and once when it is late, and never again', async () => {
    open()
    const one = due()
    expect(await prompted(one)).toBe(2)
    expect(await prompted({ ...one })).toBe(0)
    expect(await prompted()).toBe(0) // put off
    expect(await prompted(one)).toBe(0) // and back
    const late = due('late', one.id)
    expect(await prompted(late)).toBe(3)
    expect(await prompted({ ...late })).toBe(0)
    close() // the page is read again
    open()
    await nextTick()
    expect(await prompted({ ...late })).toBe(0)
  })

  it('comes once for many that fall due together, and for one that is late already', async () => {
    open()
    expect(await prompted(due(), due(), due())).toBe(2)
    expect(await prompted(due('late'), due())).toBe(3)
  })

  it('says that the browser blocks it, and comes once as soon as the person touches the page', async () => {
    FakeAudio.allowed = false
    open()
    expect(await prompted(due())).toBe(0)
    expect(page!.find('.blocked').exists()).toBe(true)
    window.dispatchEvent(new Event('pointerdown'))
    await nextTick()
    expect([FakeAudio.tones.length, page!.find('.blocked').exists()]).toEqual([2, false])
    window.dispatchEvent(new Event('pointerdown'))
    await nextTick()
    expect(FakeAudio.tones.length).toBe(2)
  })

  it('can be switched off in this browser, and stays silent about what came meanwhile', async () => {
    open()
    await page!.find('[data-due-sound]').trigger('click')
    expect(localStorage.getItem('due sound')).toBe('off')
    expect([await prompted(due()), page!.find('.blocked').exists()]).toEqual([0, false])
    await page!.find('[data-due-sound]').trigger('click')
    await nextTick()
    expect(FakeAudio.tones.length).toBe(2) // the sample of the switch alone
  })
})
