import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import ScreenStrip from '@/pages/screens/ScreenStrip.vue'
import VillageTree from '@/pages/wall/VillageTree.vue'
import { CARRIED } from '@/pages/screens/screens'
import { FakeHub, camera, run, signIn, signOutAll, visit } from './hub'

let page: VueWrapper

beforeEach(async () => {
  const hub = new FakeHub()
  hub.on('GET /api/screens', () => [])
  hub.on('GET /api/scenes', () => [{ id: 4, name: '各村村口', layout: '4', cameras: [1, null, null, null], carousels: {} }])
  hub.on('GET /api/runs', () => [run(7, { tour_name: '早巡', state: 'running' })])
  hub.on('GET /api/cameras', () => [camera(1, { name: '村口' })])
  await signIn(hub)
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})

describe('the screens along the wall', () => {
  it('have scenes and running patrols to be dragged onto them', async () => {
    page = await visit([{ path: '/', component: ScreenStrip }], '/')
    expect(page.findAll('.chip').map((one) => one.text())).toEqual(['巡查：早巡', '视图：各村村口'])
    const setData = vi.fn()
    await page.find('[data-scene="4"]').trigger('dragstart', { dataTransfer: { setData } })
    expect(setData).toHaveBeenCalledWith(CARRIED.content, JSON.stringify({ kind: 'scene', scene_id: 4 }))
  })
})

describe('the list of cameras beside the wall', () => {
  it('leaves the keys to the wall after a click, and keeps them for who came by keyboard', async () => {
    page = await visit([{ path: '/', component: VillageTree }], '/')
    const row = page.find<HTMLElement>('button.camera')
    row.element.focus()
    await row.trigger('click', { detail: 0 }) // Enter
    expect(document.activeElement).toBe(row.element)
    await row.trigger('click', { detail: 1 })
    expect(document.activeElement).toBe(document.body)
    expect(page.findComponent(VillageTree).emitted('pick')).toEqual([[1], [1]])
  })
})
