import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { useNarrow } from '@/pages/parts/useNarrow'
import RecordPage from '@/pages/runs/RecordPage.vue'
import RecordPrint from '@/pages/runs/RecordPrint.vue'
import { FakeHub, flushPromises, run, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper

beforeEach(async () => {
  hub = new FakeHub()
  hub.on('GET /api/runs/7', () => run(7, { end_reason: 'submitted' }))
  hub.on('GET /api/runs/7/itinerary', () => ({ stops: [] }))
  hub.on('GET /api/runs/7/results', () => [])
  hub.on('GET /api/runs/7/record', () => ({ run_id: 7, plan_name: null, due_at: null, seal: null, reviews: [], may_sign: false, may_note: false, sign_why: null, unreadable: [], unreadable_count: 0, seal_missing: [] }))
  hub.on('GET /api/runs/7/events', () => [])
  hub.on('GET /api/runs/7/steps', () => ({ steps: [], next: null, rolled_up: 0 }))
  hub.on('GET /api/findings', () => ({ findings: [], next: null }))
  hub.on('GET /api/findings/categories', () => [])
  await signIn(hub)
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

const press = (more: KeyboardEventInit): KeyboardEvent => {
  const event = new KeyboardEvent('keydown', { key: 'p', cancelable: true, bubbles: true, ...more })
  window.dispatchEvent(event)
  return event
}

describe('printing', () => {
  it('leads from the page of a record to its paper, which prints itself once when it is complete', async () => {
    const print = vi.fn()
    vi.stubGlobal('print', print)
    page = await visit(
      [
        { path: '/runs/:id', component: RecordPage },
        { path: '/runs/:id/print', component: RecordPrint },
      ],
      '/runs/7',
    )
    await flushPromises()
    expect(press({}).defaultPrevented).toBe(false) // a letter that somebody writes
    expect(press({ ctrlKey: true }).defaultPrevented).toBe(true)
    await vi.waitFor(() => expect(print).toHaveBeenCalledTimes(1))
    expect(page.find('.paper').attributes('data-complete')).toBe('true')
    await flushPromises()
    hub.changed('run', 7, run(7))
    await flushPromises()
    expect(print).toHaveBeenCalledTimes(1)
    expect(press({ ctrlKey: true }).defaultPrevented).toBe(false) // there the browser’s own
  })

  it('prints what is on the screen: paper is narrow, but no phone', async () => {
    let tell: ((event: { matches: boolean }) => void) | undefined
    let paper = false
    vi.stubGlobal('matchMedia', (query: string) => ({ matches: query === 'print' && paper, addEventListener: (_: string, listener: typeof tell) => (tell = listener), removeEventListener: () => undefined }))
    page = await visit([{ path: '/', component: defineComponent(() => { const narrow = useNarrow(900); return () => h('p', String(narrow.value)) }) }], '/')
    paper = true
    tell!({ matches: true })
    await flushPromises()
    expect(page.text()).toContain('false')
    paper = false
    tell!({ matches: true })
    await flushPromises()
    expect(page.text()).toContain('true')
  })
})
