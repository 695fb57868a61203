import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { h } from 'vue'
import type { RecordRow, RecordState } from '@/pages/runs/patrolRecord'
import RecordPage from '@/pages/runs/RecordPage.vue'
import RecordReviews from '@/pages/runs/RecordReviews.vue'
import SignAllDialog from '@/pages/runs/SignAllDialog.vue'
import { FakeHub, Refusal, flushPromises, run, signIn, signOutAll, visit, type Call } from './hub'

let hub: FakeHub
let page: VueWrapper

beforeEach(async () => {
  hub = new FakeHub()
  await signIn(hub)
})
afterEach(() => {
  page.unmount()
  signOutAll()
})
const go = async (path: string): Promise<void> => {
  void page.vm.$router.push(path)
  await flushPromises()
}

describe('words for a record that are not sent yet', () => {
  const record = (more: Partial<RecordState>): RecordState => ({ run_id: 7, plan_name: null, due_at: null, seal: null, reviews: [], may_sign: true, may_note: false, sign_why: null, unreadable: [], unreadable_count: 0, seal_missing: [], ...more })
  const box = (): HTMLElement | null => document.querySelector('.el-message-box')
  const answer = async (yes: boolean): Promise<void> => {
    box()!.querySelector<HTMLElement>(`.el-message-box__btns ${yes ? '.el-button--primary' : '.el-button:not(.el-button--primary)'}`)!.click()
    await flushPromises()
  }
  const open = async (more: Partial<RecordState> = {}): Promise<void> => {
    page = await visit([{ path: '/runs/:id', component: { render: () => h(RecordReviews, { submitted: true, next: 6, left: 1, record: record(more) }) } }], '/runs/7')
  }
  const path = (): string => page.vm.$router.currentRoute.value.fullPath

  it.each(['/runs/6', '/elsewhere'])('are not lost by going on to %s before it was asked', async (to) => {
    await open()
    await page.find('textarea').setValue('大门画面偏了')
    await go(to)
    await go(to) // the key once more
    expect(document.querySelectorAll('.el-message-box')).toHaveLength(1)
    await answer(false)
    expect([path(), page.find('textarea').element.value]).toEqual(['/runs/7', '大门画面偏了'])
  })

  it('are given up when that is meant', async () => {
    await open()
    await page.find('textarea').setValue('大门画面偏了')
    await go('/runs/6')
    await answer(true)
    expect(path()).toBe('/runs/6')
  })

  it('keep nobody on the page where there are none, or they can no more be sent', async () => {
    await open({ may_sign: false })
    await go('/runs/6')
    expect([path(), box()]).toEqual(['/runs/6', null])
  })
})

describe('signing together', () => {
  const row = (id: number): RecordRow => ({ ...run(id), turns: [], results: { normal: 2 }, reviews: 0 }) as unknown as RecordRow
  const button = (): HTMLElement => document.querySelector('.el-dialog__footer .el-button--primary')!
  let answers: (() => void)[]

  beforeEach(async () => {
    answers = []
    for (const id of [9, 8, 7]) hub.on(`POST /api/runs/${id}/sign`, () => new Promise((done) => answers.push(() => done({}))))
    page = await visit([{ path: '/runs', component: { render: () => h(SignAllDialog, { rows: [9, 8, 7].map(row) }) } }], '/runs')
  })
  const signed = (): Call[] => [9, 8, 7].flatMap((id) => hub.to(`POST /api/runs/${id}/sign`))

  it('begins no other record once the page is left', async () => {
    button().click()
    await flushPromises()
    await go('/elsewhere')
    answers[0]!()
    await flushPromises()
    expect(signed().map((one) => one.path)).toEqual(['/api/runs/9/sign'])
  })

  it('keeps what was unticked while one is looked at', () => {
    const links = [...document.querySelectorAll<HTMLAnchorElement>('.el-dialog li a')]
    expect(links.map((one) => [one.getAttribute('href'), one.target])).toEqual([['/runs/9', '_blank'], ['/runs/8', '_blank'], ['/runs/7', '_blank']])
  })

  it('leaves out what somebody else has reviewed meanwhile, says who, and offers nothing of it again', async () => {
    const theirs = (run_id: number) => ({ run_id, reviews: [{ id: 1, kind: 'approved', words: '', user_name: '李四', at: '2026-11-30T00:00:00Z' }] })
    for (const id of [9, 8, 7]) hub.on(`POST /api/runs/${id}/sign`, () => (id === 8 ? {} : Promise.reject(new Refusal(409, 'record_reviewed', { record: theirs(id) }))))
    button().click()
    await flushPromises()
    const rows = [...document.querySelectorAll<HTMLElement>('.el-dialog li')]
    expect(rows.map((one) => one.textContent.includes('同意 · 李四'))).toEqual([true, false, true])
    expect(rows.map((one) => one.querySelector('input')!.disabled)).toEqual([true, true, true])
    expect(document.querySelector('.el-dialog__footer .progress')!.textContent).toBe('已签 1 / 1 份')
    expect(button()).toBeNull()
  })

  it('unticks what was tampered with, says why, and goes on with the others', async () => {
    for (const id of [9, 8, 7]) hub.on(`POST /api/runs/${id}/sign`, () => (id === 8 ? Promise.reject(new Refusal(409, 'not_as_sealed', { faults: 2 })) : {}))
    button().click()
    await flushPromises()
    const rows = [...document.querySelectorAll<HTMLElement>('.el-dialog li')]
    const boxes = rows.map((one) => one.querySelector('input')!)
    expect(boxes.map((one) => [one.checked, one.disabled])).toEqual([[true, true], [false, true], [true, true]])
    expect(rows[1]!.querySelector('p')!.textContent).toContain('封存')
    expect(signed().map((one) => one.path)).toEqual(['/api/runs/9/sign', '/api/runs/8/sign', '/api/runs/7/sign'])
    expect(document.querySelector('.el-dialog__footer .progress')!.textContent).toBe('已签 2 / 2 份')
    expect(button()).toBeNull()
  })

  it('tries again what could only not be signed now', async () => {
    for (const id of [9, 8, 7]) hub.on(`POST /api/runs/${id}/sign`, () => (id === 8 ? Promise.reject(new Refusal(503, 'database_busy')) : {}))
    button().click()
    await flushPromises()
    expect([...document.querySelectorAll<HTMLInputElement>('.el-dialog li input')].map((one) => one.checked)).toEqual([true, true, true])
    expect(button().textContent).toContain('1')
  })
})

describe('a record that was tampered with', () => {
  const open = async (more: Partial<RecordState>): Promise<void> => {
    hub.on('GET /api/runs/7', () => run(7, { state: 'ended', end_reason: 'submitted', loop: false }))
    hub.on('GET /api/runs/7/itinerary', () => ({ stops: [] }))
    hub.on('GET /api/runs/7/results', () => [{ position: 0, camera: { id: 1, name: '#1', village: '' }, key: false, result: 'unreadable', seen_s: 0, seen: true, seen_at: '0001-01-03T00:00:00Z', why: null, visits: 1, picture_url: null, picture_at: null, picture_why: null, words: '', findings: 0, cause: null, reference: null, confirmed_name: null, confirmed_at: null }])
    hub.on('GET /api/runs/7/steps', () => ({ steps: [], next: null, rolled_up: 0 }))
    hub.on('GET /api/runs/7/events', () => [])
    hub.on('GET /api/findings', () => ({ findings: [], total: 0, next: null }))
    hub.on('GET /api/runs/7/record', () => ({ run_id: 7, plan_name: null, due_at: null, seal: null, reviews: [], may_sign: false, may_note: false, sign_why: null, unreadable: [], unreadable_count: 0, seal_missing: [], ...more }))
    page = await visit([{ path: '/runs/:id', component: RecordPage }], '/runs/7')
    await flushPromises()
  }

  it('is shown as far as it can be read, and names what cannot', async () => {
    await open({ unreadable: [{ zh: '第 1 站的结果无法读取', en: 'the result' }], unreadable_count: 3 })
    expect(page.find('[data-record=unreadable]').text()).toContain('3 处')
    expect(page.findAll('[data-record=unreadable] li').map((one) => one.text())).toEqual(['第 1 站的结果无法读取', '另有 2 处'])
    expect(page.find('.mark.unreadable').text()).toBe('无法读取')
  })

  it('without a seal says what has become of it', async () => {
    await open({ seal_missing: [{ zh: '审计链第 3 号被删除', en: 'link 3 was deleted' }] })
    expect(page.find('[data-record=unsealed]').text()).toContain('审计链第 3 号被删除')
  })
})

describe('a record that cannot be read any more', () => {
  it('is verified all the same, and what was done to it is told', async () => {
    hub.on('GET /api/runs/7', () => run(7))
    hub.on('GET /api/runs/7/record', () => ({ run_id: 7, plan_name: null, due_at: null, seal: { sequence: 3, at: '2026-11-30T00:00:00Z', hash: 'ab' }, reviews: [], may_sign: false, may_note: false, sign_why: null, unreadable: [], unreadable_count: 0, seal_missing: [] }))
    hub.on('GET /api/runs/7/results', () => Promise.reject(new Refusal(500, 'internal')))
    hub.on('POST /api/runs/7/verify', () => ({ sequence: 3, at: '2026-11-30T00:00:00Z', hash: 'ab', faults: [{ reason: 'rows_unreadable', detail: '', params: { zh: '结果被改成无法读取的内容' } }] }))
    page = await visit([{ path: '/runs/:id', component: RecordPage }], '/runs/7')
    await page.findAll('button').find((one) => one.text() === '核验封存')!.trigger('click')
    await flushPromises()
    expect(page.find('.note.red').text()).toContain('结果被改成无法读取的内容')
    expect(page.find('.filters').exists()).toBe(false)
  })
})
