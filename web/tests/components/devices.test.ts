import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import DevicesPage from '@/pages/devices/DevicesPage.vue'
import { FakeHub, Refusal, camera, flushPromises, person, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
const names = () => page.findAll('.camera-row .what').map((row) => row.text())
const button = (words: string) => page.findAll('button').find((one) => one.text().includes(words))!
const open = async (query = ''): Promise<void> => {
  page = await visit([{ path: '/devices', component: DevicesPage }], `/devices${query}`)
}

beforeEach(async () => {
  hub = new FakeHub()
  hub.on('GET /api/cameras', ({ query }) => (query.state === 'retired' ? [camera(3, { name: '旧桥头', state: 'retired' })] : [camera(1, { name: '村口' }), camera(2, { name: '桥头', state: 'waiting' })]))
  await signIn(hub)
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})

describe('the devices page', () => {
  it('lists the retired cameras that the hub knows, and no others', async () => {
    await open()
    expect(names()).toEqual(['村口', '桥头'])
    await button('已停用').trigger('click')
    await flushPromises()
    expect(names()).toEqual(['旧桥头'])
  })

  it('brings a retired camera back', async () => {
    await open('?state=retired')
    hub.on('POST /api/cameras/approve', () => [camera(3, { name: '旧桥头' })])
    await page.find('.camera-row input[type=checkbox]').setValue(true)
    await button('审核通过 1 个').trigger('click')
    await flushPromises()
    expect(hub.to('POST /api/cameras/approve')[0]!.body).toEqual({ ids: [3], place_class: null, places: {} })
    expect(names()).toEqual([])
    await button('清除条件').trigger('click')
    await flushPromises()
    expect(names()).toContain('旧桥头')
  })

  it('says why one cannot be brought back, and keeps it listed', async () => {
    await open('?state=retired')
    hub.on('POST /api/cameras/approve', () => {
      throw new Refusal(409, 'retired')
    })
    await page.find('.camera-row input[type=checkbox]').setValue(true)
    await button('审核通过 1 个').trigger('click')
    await flushPromises()
    expect(document.querySelector('.el-message')?.textContent).toContain('已停用')
    expect(names()).toEqual(['旧桥头'])
  })

  it('follows cameras that are retired elsewhere', async () => {
    await open('?state=retired')
    hub.changed('camera', 1, camera(1, { name: '村口', state: 'retired' }))
    await flushPromises()
    expect(names()).toEqual(['村口', '旧桥头'])
    hub.changed('camera', 3, camera(3, { name: '旧桥头' }))
    await flushPromises()
    expect(names()).toEqual(['村口'])
  })

  it('shows retired cameras also where none is in service', async () => {
    hub.on('GET /api/cameras', ({ query }) => (query.state === 'retired' ? [camera(3, { name: '旧桥头', state: 'retired' })] : []))
    hub.say({ type: 'reload' })
    await open('?state=retired')
    expect(names()).toEqual(['旧桥头'])
  })

  it('takes a new name back when the hub refuses it', async () => {
    await open()
    hub.on('PATCH /api/cameras/1', () => {
      throw new Refusal(403, 'forbidden')
    })
    await page.find('.camera-row .inline-name').trigger('click')
    await flushPromises()
    await page.find('.inline-input').setValue('新名')
    await page.find('.inline-input').trigger('keydown', { key: 'Enter' })
    expect(names()).toContain('新名')
    await flushPromises()
    expect(names()).toContain('村口')
  })
})

describe('a viewer', () => {
  it('has no button for what would be refused', async () => {
    signOutAll()
    await signIn(hub, person(2, { role: 'leader', actions: ['self', 'view', 'read_health'] }))
    await open()
    expect(page.find('.camera-row input[type=checkbox]').exists()).toBe(false)
    expect(page.find('.inline-name').exists()).toBe(false)
    expect(button('添加设备')).toBeUndefined()
  })
})
