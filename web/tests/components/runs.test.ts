import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RunStep } from '@/api/types'
import RecordPage from '@/pages/runs/RecordPage.vue'
import RunsPage from '@/pages/runs/RunsPage.vue'
import { FakeHub, Refusal, flushPromises, run, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
const button = (words: string) => page.findAll('button').find((one) => `${one.text()} ${one.attributes('title') ?? ''}`.includes(words))!
const active = { state: 'running' as const, ended_at: null, end_reason: null }

beforeEach(() => {
  hub = new FakeHub()
})
afterEach(() => {
  page?.unmount()
  signOutAll()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the list of runs', () => {
  const names = () => page.findAll('tbody tr td:nth-child(2)').map((cell) => cell.text())
  const all = [...Array.from({ length: 60 }, (_, i) => run(100 - i)), run(3, { ...active, loop: true, tour_name: '日夜循环' })]
  beforeEach(async () => {
    hub.on('GET /api/runs', ({ query }) => {
      const wanted = all.filter((one) => (query.state !== 'active' || one.state !== 'ended') && (query.before === undefined || one.id < Number(query.before)))
      return wanted.slice(0, Number(query.limit))
    })
    await signIn(hub)
    page = await visit([{ path: '/', component: RunsPage }], '/')
  })

  it('has a tour that is still being repeated on top, after any number of newer runs', () => {
    expect(names()[0]).toBe('日夜循环')
    expect(names()).toHaveLength(51)
  })

  it('skips none when that one moves on between two pages', async () => {
    hub.changed('run', 3, run(3, { ...active, revision: 2, shown: 9, tour_name: '日夜循环' }))
    await flushPromises()
    expect(page.find('tbody tr').text()).toContain('9 站')
    await button('更早的记录').trigger('click')
    await flushPromises()
    expect(hub.to('GET /api/runs').at(-1)!.query.before).toBe('51')
    expect(new Set(names())).toEqual(new Set(all.map((one) => one.tour_name)))
  })

  it('names the end of a tour whose stops were all dead', async () => {
    hub.changed('run', 101, run(101, { end_reason: 'all_dead' }))
    await flushPromises()
    expect(page.find('tbody tr:nth-child(2)').text()).toContain('所有站点都无法显示')
  })
})

const stop = (position: number, cameras: number[]) => ({ position, name: `站${position}`, note: position ? '' : '看水位', layout: '1', dwell_s: 10, cameras: cameras.map((id) => ({ id, name: `点位${id}`, village: '村1' })) })

describe('the record of a run', () => {
  const step = (sequence: number, more: Partial<RunStep> = {}): RunStep => ({
    sequence, times: 1, lap: 0, position: 0, name: `站${sequence}`, cameras: [], outcome: 'shown', reason: null, started_at: '2026-01-01T00:00:00Z', ended_at: '2026-01-01T00:00:10Z', shown_s: 10, ...more,
  })
  const seen = (id: number, more: object = {}) => ({ id, name: `点位${id}`, village: '村1', times: 1, visible_s: 0, seen_from: null, seen_until: null, why: null, ...more })
  const lines = Array.from({ length: 45 }, (_, i) => step(i))
  const sequences = () => page.findAll('tbody tr td:first-child').map((cell) => Number(cell.text()) - 1)
  let state = run(7, { ...active, step: 44, shown: 45 })

  beforeEach(async () => {
    hub.on('GET /api/runs/7', () => state)
    hub.on('GET /api/runs/7/itinerary', () => ({ stops: [stop(0, [1])] }))
    hub.on('GET /api/runs/7/steps', ({ query }) => {
      const found = lines.filter((one) => one.sequence > Number(query.after)).slice(0, 20) // a page need not be full
      return { steps: found, next: found.length === 20 ? found.at(-1)!.sequence : null, rolled_up: 0 }
    })
    await signIn(hub)
  })
  afterEach(() => {
    lines.splice(45)
    state = run(7, { ...active, step: 44, shown: 45 })
  })
  const open = async (): Promise<void> => {
    page = await visit([{ path: '/runs/:id', component: RecordPage }], '/runs/7')
  }

  it('is read page by page, and after a step only what may have changed', async () => {
    await open()
    expect(sequences()).toHaveLength(20)
    hub.changed('run', 7, state)
    await flushPromises()
    expect(hub.to('GET /api/runs/7/steps')).toHaveLength(1)
    await button('显示更多').trigger('click')
    await flushPromises()
    await button('显示更多').trigger('click')
    await flushPromises()
    expect(sequences()).toEqual(lines.map((one) => one.sequence))
    lines.push(step(45, { name: '新的一站', ended_at: null }))
    const before = hub.calls.length
    hub.changed('run', 7, state)
    await flushPromises()
    expect(hub.calls.slice(before).map((call) => [call.path, call.query.after])).toEqual([['/api/runs/7', undefined], ['/api/runs/7/steps', '42']])
    expect(page.find('tbody tr:last-child').text()).toContain('新的一站')
  })

  it('says of each camera how long it was seen, or why not', async () => {
    lines[0] = step(0, { cameras: [seen(1, { visible_s: 8 }), seen(2, { why: 'frozen' }), seen(3, { why: 'no_page' })] })
    await open()
    const row = page.find('tbody tr')
    expect(row.text()).toContain('看到 8 秒')
    expect(row.findAll('small.bad').map((one) => one.text())).toEqual(['画面冻结'])
    expect(row.text()).toContain('当时没有打开的实时预览页面')
    expect(row.text()).toContain('看水位')
    lines[0] = step(0)
  })

  it('says that there is no such record', async () => {
    hub.on('GET /api/runs/7', () => {
      throw new Refusal(404, 'not_found')
    })
    await open()
    expect(page.text()).toContain('没有这条记录')
  })
})
