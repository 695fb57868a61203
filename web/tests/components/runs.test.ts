import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Run, RunStep } from '@/api/types'
import { setLanguage } from '@/i18n'
import type { RecordRow } from '@/pages/runs/patrolRecord'
import RecordPage from '@/pages/runs/RecordPage.vue'
import RecordPrint from '@/pages/runs/RecordPrint.vue'
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

describe('the list of patrols', () => {
  const names = () => page.findAll('tbody tr td:nth-child(3)').map((cell) => cell.text())
  const row = (id: number, more: Partial<RecordRow> = {}): RecordRow => ({
    id, tour_id: 1, tour_name: `巡查${id}`, state: 'ended', loop: false, end_reason: 'submitted', started_name: '王芳', operator_name: '王芳', started_at: '2026-01-01T00:00:00Z', ended_at: '2026-01-01T00:10:00Z',
    plan_name: null, due_at: null, turns: [], results: { open: 0, normal: 3, abnormal: 0, excused: 0 }, findings: 0, presets_missed: 0, presets_unknown: 0, unreadable: 0, seal: null, opinion: null, signed_name: null, signed_at: null, own: false, to_be_signed: false, all_normal: false, reviews: 0, shown: 3, skipped: 0, unseen: 0, ...more,
  })
  const all = Array.from({ length: 60 }, (_, i) => row(100 - i, i === 1 ? { end_reason: 'stopped' } : {}))
  const open = async (toSign: number): Promise<void> => {
    hub.on('GET /api/records', ({ query }) => ({ records: all.filter((one) => query.before === undefined || one.id < Number(query.before)).slice(0, Number(query.limit)), next: null }))
    hub.on('GET /api/records/counts', () => ({ to_sign: toSign, unsigned: toSign, returned: 0, operators: [], tours: [{ id: 1, name: '重点路段', retired: false }, { id: 9, name: '旧路线', retired: true }] }))
    await signIn(hub)
    page = await visit([{ path: '/', component: RunsPage }], '/')
    await flushPromises()
  }

  it('goes on to older ones and skips none', async () => {
    await open(0)
    expect(names()).toHaveLength(50)
    await button('更早的记录').trigger('click')
    await flushPromises()
    expect(hub.to('GET /api/records').at(-1)!.query.before).toBe('51')
    expect(names()).toEqual(all.map((one) => one.tour_name))
    expect(page.find('tbody tr:nth-child(2)').text()).toContain('已放弃')
  })

  it('shows a supervisor first what waits for a signature', async () => {
    await open(2)
    expect(page.find('[role=radio][aria-checked=true]').text()).toContain('待签审')
    expect(hub.to('GET /api/records').at(-1)!.query.signed).toBe('unsigned')
  })

  it('offers to sign together what was all normal, by name, each in its turn, and says which could not be signed', async () => {
    all.splice(0, 3, row(100, { all_normal: true, to_be_signed: true }), row(99, { all_normal: true, to_be_signed: true, own: true }), row(98, { all_normal: true, to_be_signed: true, started_name: '李四' }))
    hub.on('POST /api/runs/100/sign', () => ({}))
    hub.on('POST /api/runs/98/sign', () => {
      throw new Refusal(409, 'not_as_sealed', { faults: 2 })
    })
    await open(2)
    await button('一并签审全部正常的 2 份').trigger('click')
    await flushPromises()
    const dialog = document.querySelector('[role=dialog]')!
    expect([...dialog.querySelectorAll('li')].map((one) => one.textContent)).toEqual([expect.stringContaining('巡查100'), expect.stringContaining('李四')])
    ;[...dialog.querySelectorAll('button')].find((one) => one.textContent?.includes('签审同意 2 份'))!.click()
    await flushPromises()
    expect(hub.calls.filter((one) => one.method === 'POST').map((one) => [one.path, one.body])).toEqual([100, 98].map((id) => [`/api/runs/${id}/sign`, { opinion: 'approved', words: '', reviews: 0 }]))
    const lines = [...dialog.querySelectorAll('li')].map((one) => one.textContent)
    expect(lines[0]).toContain('同意')
    expect(lines[1]).toContain('查看')
    expect(dialog.querySelector('li.red p')!.textContent).not.toBe('')
    expect(dialog.querySelector('[role=status]')!.textContent).toBe('已签 1 / 1 份')
  })

  it('is narrowed down to a tour that was deleted since', async () => {
    await open(0)
    const tours = page.find('select')
    expect(tours.findAll('option').map((one) => one.text())).toEqual(['全部路线', '重点路段', '旧路线（已删除）'])
    await tours.findAll('option')[2]!.setValue()
    await flushPromises()
    expect(hub.to('GET /api/records').at(-1)!.query.tour_id).toBe('9')
  })

  it('names all who had a patrol, and when, and asks for a sheet in its own language', async () => {
    all.splice(0, 1, row(100, { operator_name: '李四', turns: [{ name: '李四', since: '2026-01-01T00:05:00Z', position: 4 }], end_reason: 'expired', results: { open: 2, normal: 1, abnormal: 0, excused: 0 } }))
    await open(0)
    const people = page.find('tbody tr:nth-child(1) td:nth-child(4)')
    expect([people.text(), people.attributes('title')]).toEqual(['王芳 → 李四', '王芳 → 李四（00:05:00 第 5 站起）'])
    expect(page.find('tbody tr:nth-child(1)').text()).toContain('未确认 2')
    expect(page.find('a[download]').attributes('href')).toBe('/api/records/records.xlsx?loop=false&language=zh')
    await setLanguage('en')
    await flushPromises()
    expect(page.find('a[download]').attributes('href')).toBe('/api/records/records.xlsx?loop=false&language=en')
    expect(page.find('tbody tr:nth-child(1)').text()).toContain('2 not confirmed')
    await setLanguage('zh-CN')
  })

  it('asks for no signature of what was given up, though it is sealed', async () => {
    const seal = { sequence: 4, at: '2026-01-01T00:10:00Z', hash: 'a'.repeat(64) }
    all.splice(0, 2, row(100, { seal, to_be_signed: true }), row(99, { seal, end_reason: 'stopped' }))
    await open(0)
    expect([1, 2].map((n) => page.find(`tbody tr:nth-child(${n}) td:last-child`).text())).toEqual(['未签审', '无需签审'])
  })
})

const stop = (position: number, cameras: number[]) => ({ position, name: `站${position}`, note: position ? '' : '看水位', layout: '1', dwell_s: 10, cameras: cameras.map((id) => ({ id, name: `点位${id}`, village: '村1' })) })

describe('the record of a presentation', () => {
  const step = (sequence: number, more: Partial<RunStep> = {}): RunStep => ({
    sequence, times: 1, lap: 0, position: 0, name: `站${sequence}`, cameras: [], outcome: 'shown', reason: null, started_at: '2026-01-01T00:00:00Z', ended_at: '2026-01-01T00:00:10Z', shown_s: 10, ...more,
  })
  const seen = (id: number, more: object = {}) => ({ id, name: `点位${id}`, village: '村1', times: 1, visible_s: 0, seen_from: null, seen_until: null, why: null, preset: null, preset_state: null, ...more })
  const lines = Array.from({ length: 45 }, (_, i) => step(i))
  const sequences = () => page.findAll('tbody tr td:first-child').map((cell) => Number(cell.text()) - 1)
  const presentation = () => run(7, { ...active, loop: true, step: 44, shown: 45 })
  let state = presentation()

  beforeEach(async () => {
    hub.on('GET /api/runs/7', () => state)
    hub.on('GET /api/runs/7/itinerary', () => ({ stops: [stop(0, [1])] }))
    hub.on('GET /api/runs/7/results', () => [])
    hub.on('GET /api/runs/7/record', () => ({ run_id: 7, plan_name: null, due_at: null, seal: null, reviews: [], may_sign: false, may_note: false, sign_why: null, unreadable: [], unreadable_count: 0, seal_missing: [] }))
    hub.on('GET /api/runs/7/events', () => [])
    hub.on('GET /api/findings', () => ({ findings: [], next: null }))
    hub.on('GET /api/runs/7/steps', ({ query }) => {
      const found = lines.filter((one) => one.sequence > Number(query.after)).slice(0, 20) // a page need not be full
      return { steps: found, next: found.length === 20 ? found.at(-1)!.sequence : null, rolled_up: 0 }
    })
    await signIn(hub)
  })
  afterEach(() => {
    lines.splice(45)
    state = presentation()
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
    expect(hub.calls.slice(before).filter((call) => call.path.endsWith('/steps')).map((call) => call.query.after)).toEqual(['42'])
    expect(page.find('tbody tr:last-child').text()).toContain('新的一站')
  })

  it('lets whoever runs a patrol withdraw a finding until it is over, and nobody afterwards', async () => {
    hub.on('GET /api/findings', () => ({ findings: [{ id: 5, run_id: 7, tour_name: '重点', position: 0, camera_id: 1, camera: '点位1', village_id: 1, village: '村1', category: 'flood', words: '桥下积水', at: '2026-11-29T04:00:00Z', user_name: '王芳', picture_url: null, picture_at: null, picture_why: null, photo_url: null }], next: null }))
    hub.on('GET /api/runs/7/results', () => [{ position: 0, camera: { id: 1, name: '点位1', village: '村1' }, key: false, result: 'open', seen_s: 0, seen: false, seen_at: null, why: 'no_page', visits: 1, picture_url: null, picture_at: null, picture_why: null, words: '', findings: 0, cause: null, reference: null, confirmed_name: null, confirmed_at: null }])
    const buttons = async (more: Partial<Run>): Promise<number> => {
      state = run(7, { ...active, ...more })
      await open()
      const found = page.findAll('[data-finding=withdraw]').length
      if (more.state !== 'ended') {
        expect(page.text()).toContain('待确认')
        page.unmount()
      }
      return found
    }
    expect(await buttons({ operator: { id: 1, name: '用户1' } })).toBe(1)
    expect(await buttons({ operator: { id: 2, name: '李四' } })).toBe(0)
    expect(await buttons({ state: 'ended', end_reason: 'stopped', operator: { id: 1, name: '用户1' } })).toBe(0)
    expect(page.text()).toContain('未确认')
    expect(page.text()).not.toContain('待确认')
    expect(page.text()).toContain('已放弃')
    expect(page.text()).toContain('未看：巡查人没有打开巡查页面')
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

describe('the printed record', () => {
  const result = (position: number, id: number) => ({ position, camera: { id, name: `点位${id}`, village: '村1' }, key: false, result: 'normal', seen_s: 5, seen: true, seen_at: null, why: null, visits: 1, picture_url: null, picture_at: null, picture_why: null, words: '', findings: 0, cause: null, reference: null, confirmed_name: '王芳', confirmed_at: '2026-01-01T00:01:00Z' })
  const print = async (end_reason: string): Promise<void> => {
    hub.on('GET /api/runs/7', () => run(7, { end_reason }))
    hub.on('GET /api/runs/7/itinerary', () => ({ stops: [stop(0, [1, 2]), stop(1, [3])] }))
    hub.on('GET /api/runs/7/results', () => [result(0, 1), result(0, 2), result(1, 3)])
    hub.on('GET /api/runs/7/record', () => ({ run_id: 7, plan_name: null, due_at: null, seal: { sequence: 12, at: '2026-01-01T00:10:00Z', hash: 'abcd'.repeat(16) }, reviews: [], may_sign: false, may_note: false, sign_why: null, unreadable: [], unreadable_count: 0, seal_missing: [] }))
    hub.on('GET /api/runs/7/events', () => [{ id: 1, at: '2026-01-01T00:00:00Z', kind: 'started', position: 0, user_id: 1, user_name: '王芳', detail: {} }])
    hub.on('GET /api/runs/7/steps', () => ({ steps: [], next: null, rolled_up: 0 }))
    hub.on('GET /api/findings', () => ({ findings: [], next: null }))
    hub.on('GET /api/findings/categories', () => [])
    await signIn(hub)
    page = await visit([{ path: '/runs/:id/print', component: RecordPrint }], '/runs/7/print')
    await flushPromises()
  }

  it('has its number and seal beneath each page, heads over each table, and the stop in each row', async () => {
    await print('submitted')
    expect(page.find('style').text()).toContain('content: "视频巡查记录 7 · 封存第 12 号 abcd abcd abcd abcd"')
    expect(page.findAll('.paper table').map((table) => table.findAll('thead th').length)).toEqual([5, 5])
    expect(page.findAll('td.no').map((cell) => cell.text())).toEqual(['1', '1', '2'])
    expect(page.find('.hand').text()).toContain('签审人签字')
  })

  it('says of what was given up that it was sealed as it was, and asks for no signature', async () => {
    await print('stopped')
    expect(page.find('.hand').exists()).toBe(false)
    expect(page.find('.end').text()).toContain('无需签审')
    expect(page.find('.hash').text()).toContain('没有提交，已按现状封存（已放弃），审计链第 12 号')
  })
})
