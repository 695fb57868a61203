import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import FilePage from '@/pages/ledger/FilePage.vue'
import { fields } from '@/pages/ledger/catalogue'
import { FakeHub, Refusal, flushPromises, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
const FIELD = { english: 'x', group: 'people', kind: 'text', required: true, source: 'typed', settable: true, column: true, max_length: 64, codes: [] }
const file = (values: Record<string, string>, more: object = {}) => ({
  camera_id: 1, village_id: 1, device_id: 1, name: '村口', place_class: 'entrance', state: 'approved', service_state: 'in_use', connected: true,
  percent: 50, missing: ['manager'], filing: { state: 'due', due_on: '2026-12-20', days_left: 20 }, photos: {}, gb_id: '', pole_number: '', landmark: '',
  manager: '', manager_phone: '', maintainer_unit: '', maintainer_phone: '', no_access_reason: '', longitude: null, latitude: null, updated_at: null,
  values, known: ['manufacturer'], filled: 1, asked: 2, ...more,
}) // prettier-ignore

beforeEach(async () => {
  fields.value = []
  hub = new FakeHub()
  hub.on('GET /api/ledger/fields', () => [
    { ...FIELD, key: 'manager', header: '管理员姓名' },
    { ...FIELD, key: 'manager_phone', header: '管理员联系电话', kind: 'phone' },
    { ...FIELD, key: 'manufacturer', header: '设备厂商', source: 'hub' },
  ])
  hub.on('GET /api/ledger/1', () => file({ manufacturer: '海康威视' }))
  hub.on('GET /api/ledger/1/photos', () => [])
  hub.on('GET /api/ledger/1/changes', () => [])
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})
const open = async (): Promise<void> => {
  await signIn(hub)
  page = await visit([{ path: '/ledger/:id(\\d+)', component: FilePage }, { path: '/ledger', component: { template: '<p />' } }], '/ledger/1')
}
const inputs = () => page.findAll<HTMLInputElement>('form[aria-label="单位与人员"] input')

describe('a file', () => {
  it('saves what was typed, and says at the field what is wrong with it', async () => {
    await open()
    expect(page.find('form[aria-label="设备与网络"] output, form[aria-label="单位与人员"] output').text()).toBe('海康威视')
    hub.on('PATCH /api/ledger/1', () => {
      throw new Refusal(422, 'value_phone', { field: 'manager_phone' })
    })
    await inputs()[0]!.setValue('李建国')
    await inputs()[1]!.setValue('123')
    const save = page.findAll('.savebar button').at(-1)!
    await save.trigger('click')
    await flushPromises()
    expect(page.find('.field.bad [role=alert]').text()).toContain('电话号码无效')
    expect(inputs()[0]!.element.value).toBe('李建国') // nothing typed is lost
    hub.on('PATCH /api/ledger/1', () => file({ manager: '李建国', manager_phone: '13812345678' }, { percent: 100, missing: [] }))
    await inputs()[1]!.setValue('138 1234 5678')
    await page.findAll('.savebar button').at(-1)!.trigger('click')
    await flushPromises()
    expect(hub.to('PATCH /api/ledger/1').at(-1)!.body).toEqual({ values: { manager: '李建国', manager_phone: '138 1234 5678' } })
    expect(inputs()[1]!.element.value).toBe('13812345678')
    expect(page.text()).toContain('100%')
  })
})
