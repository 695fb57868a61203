import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Candidate, InboxCamera, InboxDevice } from '@/api/types'
import { filtered, neighbour, shownVillage, standing } from '@/pages/inbox/inbox'
import InboxPage from '@/pages/inbox/InboxPage.vue'
import { FakeHub, flushPromises, person, signIn, signOutAll, village, visit } from './hub'

const waits = (id: number, more: Partial<InboxCamera> = {}): InboxCamera =>
  ({ id, name: `点位${id}`, channel: String(id), place_class: 'other', state: 'waiting', proof_state: 'proved', proof: null, picture_at: null, codecs: [], returned_note: '', returned_by: '', returned_at: null, on_behalf_by: '', on_behalf_at: null, ...more })
const recorder = (cameras: InboxCamera[]): InboxDevice =>
  ({ id: 7, village_id: 1, kind: 'recorder', name: '录像机', host: '10.0.0.7', place: '10.0.0.7:80', approved_place: null, moved_at: null, manufacturer: '', model: '', username: '', login_reason: null, login_retry_at: null, added_by: '老李', on_behalf_by: '', on_behalf_at: null, created_at: '2026-01-01T00:00:00Z', approved: 0, cameras })
const candidate: Candidate = {
  id: 3, village_id: 1, host: '10.0.0.9', port: null, rtsp_port: null, name: '', username: 'admin', profile_id: null, has_password: true, shown_url: '', cameras: ['桥头'], source: 'sheet', reason: 'wrong_password', detail: '', params: {},
  attempts: 1, tried_at: '2026-01-01T00:00:00Z', next_try_at: null, added_by: '老李', on_behalf: false, created_at: '2026-01-01T00:00:00Z',
}

describe('what the inbox shows', () => {
  it('sorts cameras by how they stand', () => {
    expect([waits(1), waits(2, { proof_state: 'pending' }), waits(3, { proof_state: 'failed' }), waits(4, { state: 'returned', proof_state: 'failed' })].map(standing)).toEqual(['ready', 'proving', 'failed', 'returned'])
    expect(filtered([recorder([waits(1), waits(3, { proof_state: 'failed' })])], 'failed').flatMap((one) => one.cameras.map((camera) => camera.id))).toEqual([3])
  })
  it('begins where something waits', () => {
    const counts = new Map([[2, { village_id: 2, candidates: 0, waiting: 1, failed: 0, returned: 0 }]])
    expect(shownVillage(undefined, [village(1), village(2)], counts)).toBe(2)
    expect(shownVillage('1', [village(1), village(2)], counts)).toBe(1)
  })
  it.each([
    [0, 'ArrowRight', 1], [0, 'ArrowLeft', 0], [1, 'ArrowDown', 4], [2, 'ArrowDown', 4], [4, 'ArrowUp', 1], [4, 'ArrowRight', 4], [3, 'ArrowDown', 3],
  ])('leads from card %i by %s to %i', (at, key, to) => expect(neighbour([0, 0, 0, 9, 9], at, key)).toBe(to))
})

describe('the inbox page', () => {
  let hub: FakeHub
  let page: VueWrapper
  const button = (words: string) => page.findAll('button').find((one) => one.text().includes(words))!
  const open = async (): Promise<void> => {
    page = await visit([{ path: '/inbox', component: InboxPage }], '/inbox')
  }
  beforeEach(() => {
    hub = new FakeHub()
    hub.on('GET /api/villages', () => [village(1)])
    hub.on('GET /api/inbox', ({ query }) => ({
      villages: [{ village_id: 1, candidates: 1, waiting: 1, failed: 0, returned: 1 }],
      ...(query.village_id ? { candidates: [candidate], devices: [recorder([waits(1), waits(2, { state: 'returned', returned_note: '太暗', returned_by: '王主任' })])] } : { candidates: [], devices: [] }),
    }))
  })
  afterEach(() => {
    page.unmount()
    signOutAll()
    vi.unstubAllGlobals()
  })

  it('approves what was selected, at the addresses that were seen', async () => {
    await signIn(hub)
    await open()
    hub.on('POST /api/cameras/approve', () => [])
    await page.findAll('.waiting .tick')[0]!.setValue(true)
    await button('审核通过 1 个').trigger('click')
    await flushPromises()
    expect(hub.to('POST /api/cameras/approve')[0]!.body).toEqual({ ids: [1], place_class: null, places: { 7: '10.0.0.7:80' } })
  })

  it('tells the village why a camera came back and a device did not come in, and offers no approval', async () => {
    await signIn(hub, person(5, { role: 'village_admin', actions: ['self', 'read_villages', 'view', 'read_health', 'intake', 'register'] }))
    await open()
    expect(page.text()).toContain('太暗')
    expect(page.text()).toContain('密码错误')
    expect(page.text()).not.toContain('审核通过')
    hub.on('POST /api/cameras/submit', () => [])
    await button('改好了，重新提交').trigger('click')
    await flushPromises()
    expect(hub.to('POST /api/cameras/submit')[0]!.body).toEqual({ ids: [2] })
    hub.on('POST /api/candidates/3/try', () => ({ device_id: null, candidate_id: 3, cameras: [], reason: 'wrong_password', detail: '', params: {} }))
    await button('再试一次').trigger('click')
    await flushPromises()
    expect(hub.to('POST /api/candidates/3/try')).toHaveLength(1)
  })

  it('shows what is left once all that a filter showed is dealt with', async () => {
    await signIn(hub, person(5, { role: 'village_admin', actions: ['self', 'read_villages', 'view', 'read_health', 'intake', 'register'] }))
    await open()
    const places = page.findAll('.content section').map((one) => one.classes('last'))
    expect(places[0], 'what came back is first, what did not come in is last').toBe(true)
    await button('已退回 1').trigger('click')
    hub.on('GET /api/inbox', () => ({ villages: [{ village_id: 1, candidates: 1, waiting: 2, failed: 0, returned: 0 }], candidates: [candidate], devices: [recorder([waits(1), waits(2)])] }))
    hub.on('POST /api/cameras/submit', () => [])
    await button('改好了，重新提交').trigger('click')
    await flushPromises()
    await vi.waitFor(() => expect(page.findAll('.waiting')).toHaveLength(2))
  })

  it('offers to try all again once all were tried', async () => {
    await signIn(hub)
    const answer = { villages: [{ village_id: 1, candidates: 2, waiting: 0, failed: 0, returned: 0 }], candidates: [candidate, { ...candidate, id: 4 }], devices: [] }
    hub.on('GET /api/inbox', () => answer)
    const job = { id: 'j1', kind: 'candidates', village_id: 1, state: 'done', total: 2, done: 2, failed: 1, verdicts: [{ key: '3', name: '桥头', ok: false, reason: 'wrong_password', detail: '', params: {} }, { key: '4', name: '桥尾', ok: true, reason: null, detail: '', params: {} }] }
    let started = 0
    hub.on('POST /api/candidates/try', () => ({ ...job, id: `j${(started += 1)}` }))
    for (const id of ['j1', 'j2']) hub.on(`GET /api/jobs/${id}`, () => ({ ...job, id }))
    await open()
    await button('全部再试').trigger('click')
    await vi.waitFor(() => expect(page.text()).toContain('收起结果'))
    await button('全部再试').trigger('click')
    await flushPromises()
    expect(hub.to('POST /api/candidates/try')).toHaveLength(2)
    await vi.waitFor(() => expect(page.text()).toContain('收起结果'))
    await button('收起结果').trigger('click')
    expect(page.find('.job').exists()).toBe(false)
  })
})
