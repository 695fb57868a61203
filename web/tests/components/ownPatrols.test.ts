import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { h } from 'vue'
import type { Run } from '@/api/types'
import OwnPatrols from '@/due/OwnPatrols.vue'
import { FakeHub, Refusal, flushPromises, run, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
const soon = (): string => new Date(Date.now() + 3_600_000).toISOString()
const mine = (more: Partial<Run> = {}): Run =>
  run(7, { state: 'running', ended_at: null, end_reason: null, position: 4, stop_count: 12, operator: { id: 1, name: '用户1' }, counts: { open: 3, normal: 5, abnormal: 0, excused: 0 }, ...more })
const handed = (more: Partial<Run> = {}): Run =>
  mine({ handover: { id: 50, at: new Date().toISOString(), by_id: 2, by_name: '李强', position: 4, stop: '桥面', stop_more: 1, note: '桥头有施工', received_at: null }, ...more })
/** The page as somebody who signs in finds it, with the card and the strip in their places. */
async function open(state: Run[], path = '/alarms'): Promise<void> {
  hub.on('GET /api/runs', () => state)
  await signIn(hub)
  const both = { render: () => [h(OwnPatrols), h(OwnPatrols, { strip: true })] }
  page = await visit([{ path: '/alarms', component: both }, { path: '/wall', component: both }], path)
}
const cards = (): string[] => page.findAll('[data-own]').map((one) => `${one.classes()[1]} ${one.text()}`)
const posts = (what: string) => hub.calls.filter((call) => call.method === 'POST' && call.path.endsWith(what))

beforeEach(() => (hub = new FakeHub()))
afterEach(() => {
  page.unmount()
  signOutAll()
})

it('tells who is handed a patrol at once, by whom, at which stop, and the note; opened, it leads to the wall', async () => {
  await open([mine({ operator: { id: 2, name: '李强' } })])
  expect(cards()).toEqual([])
  hub.changed('run', 7, handed({ revision: 2 }))
  await flushPromises()
  for (const words of ['card', '交接给您', '李强', '路线7', '第 5 / 12 站 桥面等 2 路', '还有 3 路待确认', '桥头有施工']) expect(cards()[0]).toContain(words)
  await page.find('[data-own-go]').trigger('click')
  await flushPromises()
  expect(cards()).toEqual([])
  expect(page.vm.$router.currentRoute.value.fullPath).toBe('/wall?run=7')
  expect(posts('/resume')).toEqual([])
})

it.each([
  ['handed on', { operator: { id: 3, name: '赵六' } }],
  ['over', { state: 'ended', end_reason: 'stopped', handover: null }],
] as const)('is gone when the patrol is %s', async (_, more) => {
  await open([handed()])
  expect(cards()).toHaveLength(1)
  hub.changed('run', 7, handed({ revision: 2, ...more }))
  await flushPromises()
  expect(cards()).toEqual([])
})

it('put away, the hub knows that the hand-over is received, and nothing else stands there for now', async () => {
  await open([handed()])
  hub.on('POST /api/runs/7/receive', () => mine({ now: soon(), handover: { ...handed().handover!, received_at: soon() } }))
  await page.findAll('button').find((one) => one.text() === '知道了')!.trigger('click')
  await flushPromises()
  expect(posts('/receive')).toHaveLength(1)
  expect(cards()).toEqual([])
})

it('goes on with a paused patrol in one press, and names when it expires', async () => {
  hub.on('POST /api/runs/7/resume', () => mine({ revision: 2 }))
  await open([mine({ state: 'paused', pause_reason: 'attention', expires_at: soon() })])
  expect(cards()[0]).toContain('您的巡查已暂停')
  expect(cards()[0]).toContain('不继续即过期')
  await page.find('[data-own-go]').trigger('click')
  await flushPromises()
  expect(posts('/resume')[0]!.body).toMatchObject({ revision: 1 })
  expect(page.vm.$router.currentRoute.value.fullPath).toBe('/wall?run=7')
})

it('leads to the patrol all the same when somebody else has gone on with it', async () => {
  hub.on('POST /api/runs/7/resume', () => {
    throw new Refusal(409, 'run_moved', { run: mine({ revision: 3 }) })
  })
  await open([mine({ state: 'paused', pause_reason: 'operator', expires_at: soon() })])
  await page.find('[data-own-go]').trigger('click')
  await flushPromises()
  expect(page.vm.$router.currentRoute.value.fullPath).toBe('/wall?run=7')
})

it('says what is left of a patrol that waits to be submitted; put off, it comes back when that changes', async () => {
  await open([mine({ state: 'closing', expires_at: soon(), counts: { open: 2, normal: 6, abnormal: 0, excused: 0 } })])
  for (const words of ['您的巡查待提交', '还有 2 路待确认', '不提交即过期', '去完成']) expect(cards()[0]).toContain(words)
  await page.findAll('button').find((one) => one.text() === '稍后提醒')!.trigger('click')
  expect(cards()).toEqual([])
  hub.changed('run', 7, mine({ revision: 2 }))
  await flushPromises()
  expect(cards()[0]).toContain('您的巡查正在进行')
})

it('above the pictures of another patrol it is a line that covers none of them', async () => {
  await open([handed(), run(8, { state: 'running', operator: { id: 1, name: '用户1' } })], '/wall?run=8')
  expect(cards()).toHaveLength(1)
  expect(cards()[0]).toMatch(/^strip 李强 .*交接给您/u)
})
