import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import { muted, setMuted } from '@/notices/chime'
import { useNotices, titleWith } from '@/notices/useNotices'
import NoticeBell from '@/shell/NoticeBell.vue'
import { FakeHub, flushPromises, signIn, signOutAll, visit } from './hub'

/** Counts what is played; `state` is what the browser allows. */
class FakeAudio {
  static state = 'running'
  static tones = 0
  state = FakeAudio.state
  currentTime = 0
  destination = {}
  onstatechange: (() => void) | null = null
  resume(): Promise<void> {
    return Promise.resolve()
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
  createOscillator(): object {
    return { frequency: { value: 0 }, connect: (to: object) => to, start: () => (FakeAudio.tones += 1), stop: () => undefined }
  }
  createGain(): object {
    return { gain: { setValueAtTime: () => undefined, linearRampToValueAtTime: () => undefined }, connect: (to: object) => to }
  }
}

await import('@/shell/NoticeList.vue') // there at once when the bell is clicked

let hub: FakeHub
let page: VueWrapper
let next = 100
const Shell = defineComponent({
  setup() {
    useNotices()
    return () => h(NoticeBell)
  },
})
function notice(id: number, more: object = {}): object {
  return { id, alarm_id: 7, alarm_ids: [7], kind: 'opened', title: '董家村整村断线', text: '40 个点位', severity: 'critical', sound: true, at: '2026-01-01T00:00:00Z', read_at: null, ...more }
}

beforeEach(async () => {
  vi.stubGlobal('AudioContext', FakeAudio)
  FakeAudio.state = 'running'
  FakeAudio.tones = 0
  next += 10
  hub = new FakeHub()
  hub.on('GET /api/notices/unread', () => ({ unread: 2, newest: next }))
  await signIn(hub)
})
afterEach(() => {
  setMuted(false)
  page.unmount()
  signOutAll()
})

describe('the bell', () => {
  it('counts what is unread, in the tab’s title too', async () => {
    page = await visit([{ path: '/', component: Shell }], '/')
    expect(page.find('.count').text()).toBe('2')
    expect(document.title).toBe('(2) 村村通视频联网平台')
    expect([titleWith(0, 'x'), titleWith(null, 'x'), titleWith(120, 'x')]).toEqual(['x', 'x', '(99+) x'])
  })

  it('sounds once, only for a new notice that says so, and not when it is muted', async () => {
    page = await visit([{ path: '/', component: Shell }], '/')
    hub.changed('notice', next, notice(next)) // known
    hub.changed('notice', next + 1, notice(next + 1, { sound: false }))
    hub.changed('notice', next + 2, notice(next + 2, { read_at: '2026-01-01T00:00:00Z' })) // read on another page
    expect(FakeAudio.tones).toBe(0)
    hub.changed('notice', next + 3, notice(next + 3))
    hub.changed('notice', next + 3, notice(next + 3))
    expect(FakeAudio.tones).toBe(2) // two tones
    setMuted(true)
    expect(muted.value).toBe(true)
    hub.changed('notice', next + 4, notice(next + 4))
    expect(FakeAudio.tones).toBe(2)
  })

  it('says that the browser blocks the sound', async () => {
    FakeAudio.state = 'suspended'
    page = await visit([{ path: '/', component: Shell }], '/')
    await nextTick()
    hub.changed('notice', next + 1, notice(next + 1))
    expect(FakeAudio.tones).toBe(0)
    expect(page.find('[data-bell]').text()).toContain('提示音未启用')
  })

  it('lists notices, and has read what was on the screen once it is closed', async () => {
    hub.on('GET /api/notices', () => [notice(next), notice(next - 1, { kind: 'closed', read_at: '2026-01-01T00:00:00Z' })])
    hub.on('POST /api/notices/read', () => ({ unread: 0, newest: next }))
    page = await visit([{ path: '/', component: Shell }], '/')
    await page.find('[data-bell]').trigger('click')
    await vi.waitFor(() => expect(document.querySelectorAll('[data-notice]')).toHaveLength(2), { timeout: 10_000 })
    expect([...document.querySelectorAll('[data-notice]')].map((one) => one.classList.contains('unread'))).toEqual([true, false])
    ;(document.querySelector('[data-notice]') as HTMLElement).click()
    await flushPromises()
    expect(hub.to('POST /api/notices/read').at(-1)!.body).toEqual({ up_to: next })
    expect(page.find('.count').exists()).toBe(false)
    expect(document.title).toBe('村村通视频联网平台')
  })
})
