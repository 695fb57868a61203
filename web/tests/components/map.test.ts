import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import MapPage from '@/pages/map/MapPage.vue'
import type { Action } from '@/api/types'
import { ALL, camera, FakeHub, flushPromises, person, Refusal, signIn, signOutAll, village, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
const POSITION = { id: 1, village_id: 1, longitude: 117.25, latitude: 31.8, direction_deg: 90, angle_deg: null, reach_m: null, place_class: 'other', state: 'approved', service_state: 'in_use' }
const LIVE = [{ aspect: 'media', state: 'ok', cause: null, since: '2026-01-01T00:00:00Z' }]
const MAP = { base: null, bounds: [[117.2, 31.7], [117.3, 31.9]], villages: [], places: [], reach_m: 50, angle_deg: 80 }

beforeEach(() => {
  hub = new FakeHub()
  hub.on('GET /api/cameras', () => [camera(1, { name: '村口' }), camera(2, { name: '小学' })])
  hub.on('GET /api/map', () => MAP)
  hub.on('GET /api/map/cameras', () => [POSITION])
})
afterEach(() => {
  page?.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})
async function open(actions: Action[] = ALL, path = '/map'): Promise<void> {
  await signIn(hub, person(1, { actions }))
  page = await visit([{ path: '/map', component: MapPage }, { path: '/wall', component: { template: '<p />' } }], path)
  await flushPromises()
}
const badge = () => page.find('.map-badge[data-village="1"]')
const group = (key: string) => page.find(`[data-group="${key}"]`)

describe('the map', () => {
  it('tells a village’s faults by shape and words, and follows the cameras', async () => {
    await open()
    expect(badge().classes()).toContain('is-live')
    expect(badge().attributes('aria-label')).toBe('村1：正常 2，故障 0，共 2')
    hub.changed('camera', 1, camera(1, { name: '村口', health: 'fault', cause: 'frozen', states: LIVE as never }))
    await flushPromises()
    expect(badge().classes()).toContain('is-degraded')
    hub.changed('village', 1, { ...village(1), down_since: '2026-01-01T00:00:00Z' })
    await flushPromises()
    expect(badge().classes()).toContain('is-lost')
    expect(badge().attributes('aria-label')).toBe('村1：村网络中断，共 2')
    hub.changed('camera_position', 1, null)
    await flushPromises()
    expect(badge().exists()).toBe(false) // nobody knows any more where it is
    expect(group('unplaced').find('.count').text()).toBe('2')
  })

  it('opens a camera of the list beside the map', async () => {
    await open()
    await group('v1').find('.head').trigger('click')
    await page.findAll('[data-group="v1"] .camera')[0]!.trigger('click')
    await flushPromises()
    const card = page.find('[data-card="1"]')
    expect(card.text()).toContain('村口')
    expect(card.text()).toContain('朝东')
    expect(card.findAll('a').map((one) => one.attributes('href'))).toEqual(['/wall?show=1', '/devices?camera=1', '/alarms?camera=1'])
  })

  it('places a camera, and loses nothing when that is refused', async () => {
    await open()
    await group('unplaced').find('.head').trigger('click')
    await group('unplaced').find('.camera').trigger('click')
    await flushPromises()
    const [longitude, latitude] = page.findAll<HTMLInputElement>('.panel .mono')
    await longitude!.setValue('117.5')
    await latitude!.setValue('31.8')
    expect(page.find('.panel').text()).toContain('本镇范围之外')
    await longitude!.setValue('117.26')
    expect(page.find('.panel').text()).not.toContain('本镇范围之外')
    hub.on('PUT /api/map/cameras/2', () => {
      throw new Refusal(422, 'map_position')
    })
    await page.find('.panel').trigger('submit')
    await flushPromises()
    expect(page.find('.panel [role=alert]').exists()).toBe(true)
    expect(longitude!.element.value).toBe('117.26')
    hub.on('PUT /api/map/cameras/2', ({ body }) => ({ position: { ...POSITION, ...(body as object), id: 2 }, warning: null }))
    await page.find('.panel').trigger('submit')
    await flushPromises()
    expect(hub.to('PUT /api/map/cameras/2').at(-1)!.body).toEqual({ longitude: 117.26, latitude: 31.8, direction_deg: null, angle_deg: null, reach_m: null })
    expect(group('unplaced').exists()).toBe(false)
    expect(page.find('.panel').exists()).toBe(false)
  })

  it('says what to do where nothing has a place, to those who may do it', async () => {
    hub.on('GET /api/map/cameras', () => [])
    await open()
    expect(page.find('.empty').text()).toContain('上传底图')
    expect(page.find('.empty').text()).toContain('开始标注 (2)')
    page.unmount()
    signOutAll()
    await open(['self', 'view', 'read_health'])
    expect(page.find('.empty').text()).toContain('请镇管理员')
    expect(page.text()).not.toContain('编辑地图')
  })

  it('shows what is not covered, and sorts it', async () => {
    const places = [1, 2].map((id) => ({ id, village_id: null, name: `部位${id}`, place_class: id === 1 ? 'school' : 'water', kind: 'point', geometry: [[117.25, 31.8]], reach_m: null }))
    const count = (covered: number) => ({ covered, partly: 0, uncovered: 1 - covered, share: covered })
    hub.on('GET /api/map', () => ({ ...MAP, places }))
    hub.on('GET /api/map/coverage', () => ({
      rows: [1, 0].map((covered, i) => ({ place_class: i ? 'water' : 'school', kind: 'point', count: 1, total: 1, installed: count(covered), working: count(0) })),
      places: [1, 0].map((share, i) => ({ id: i + 1, total: 1, covered: share, working: 0, share, working_share: 0, camera_ids: share ? [1] : [], gaps: share ? [] : [[[117.25, 31.8]]] })),
      cameras: 1, cameras_without_position: 1, cameras_without_direction: 0, gaps_left_out: 0,
      formula: { reach_m: 50, angle_deg: 80, covered_from: 0.995, uncovered_until: 0.005, area_error: 0.01 },
    })) // prettier-ignore
    await open(ALL, '/map?panel=coverage')
    const classes = () => page.findAll('tbody th').map((one) => one.text())
    expect(classes()).toEqual(['水域点', '学校点'])
    await page.find('thead th.covered button').trigger('click')
    expect(classes()).toEqual(['学校点', '水域点'])
    expect(page.findAll('[data-place]').map((one) => one.attributes('data-place'))).toEqual(['2', '1'])
    expect(page.find('.coverage').text()).toContain('1 个点位没有位置')
  })
})
