import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import EditorPage from '@/pages/tours/EditorPage.vue'
import { FakeHub, Refusal, camera, flushPromises, person, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
const routes = [{ path: '/tours/new', component: EditorPage }, { path: '/tours/:id(\\d+)', component: EditorPage }]
const button = (words: string) => page.findAll('button').find((one) => one.text() === words)!
const rows = () => page.findAll('ol > li .name').map((row) => row.text())
const stop = (position: number, camera_id: number) => ({ position, camera_id, scene_id: null, layout: '1', cameras: [camera_id], title: '', name: '', dwell_s: 20, note: '', presets: [], key: false })
const tour = (more: object = {}) => ({
  id: 5, name: '早巡', note: '', kind: null, roles: [], edit_roles: [], confirm: 'screen', least_s: 3, interrupt: 'none', source: null, owner_id: 1, owner_name: '张三', revision: 1,
  changed_name: '张三', changed_at: '', archived_at: null, stops: [], duration_s: 40, created_at: '', last_run_at: null, ...more,
})

beforeEach(async () => {
  hub = new FakeHub()
  hub.on('GET /api/cameras', () => [camera(1, { name: '村口' }), camera(2, { name: '桥头' })])
  hub.on('GET /api/tours', () => [])
  hub.on('GET /api/scenes', () => [])
  hub.on('GET /api/tour-templates', () => [])
  hub.on('GET /api/tours/5', () => (tour({ stops: [stop(1, 2), stop(0, 1)] })))
  await signIn(hub)
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})

describe('the tour editor', () => {
  it('saves nothing without a name and a stop, and says which is missing', async () => {
    page = await visit(routes, '/tours/new')
    await button('保存').trigger('click')
    expect(page.find('[role=alert]').text()).toContain('名称')
    await page.find('.meta input').setValue('早巡')
    await button('保存').trigger('click')
    expect(page.find('[role=alert]').text()).toContain('一站')
    expect(hub.to('POST /api/tours')).toEqual([])
  })

  it('takes the settings of a template whose places no camera has, says what is missing, and adds what comes', async () => {
    const template = { kind: 'water', place_classes: ['water'], per_stop: 1, dwell_s: 20, confirm: 'camera', least_s: 3, interrupt: 'critical', plan: { times: ['11:00'], every_minutes: null, weekdays: [], seasons: [{ first: '05-01', last: '09-30' }] }, cameras: 0 }
    hub.on('GET /api/tour-templates', () => [template])
    hub.on('POST /api/tours/from-places', () => ({ stops: [], cameras: 0, left: 0, max_stops: 200 }))
    page = await visit(routes, '/tours/new')
    await flushPromises()
    await page.find('button.card').trigger('click')
    await flushPromises()
    expect((page.find('.meta input').element as HTMLInputElement).value).toBe('防溺水水域巡查')
    const missing = page.find('.missing')
    for (const word of ['还没有“水域”的点位', '每站停留 20 秒', '逐个画面确认', '每年5月1日至9月30日 · 11:00']) expect(missing.text()).toContain(word)
    await button('保存').trigger('click')
    expect(page.find('[role=alert]').text()).toContain('一站') // an empty tour is still refused
    expect(hub.to('POST /api/tours')).toEqual([])
    // Somebody sets the place of a camera meanwhile.
    hub.changed('camera', 2, camera(2, { name: '桥头', place_class: 'water' }))
    hub.on('POST /api/tours/from-places', () => ({ stops: [{ camera_id: 2, layout: null, cameras: [], title: '', dwell_s: 20 }], cameras: 1, left: 0, max_stops: 200 }))
    await flushPromises()
    await button('加入这 1 个点位').trigger('click')
    await flushPromises()
    expect(rows()).toEqual(['桥头'])
    // What is added by hand has the template's seconds too.
    await page.find('button[aria-label="加入 村口"]').trigger('click')
    expect(page.findAll('ol li input.dwell').map((one) => (one.element as HTMLInputElement).value)).toEqual(['20', '20'])
    hub.on('POST /api/tours', () => tour({ revision: 1 }))
    await button('保存').trigger('click')
    await flushPromises()
    expect(hub.to('POST /api/tours')[0]!.body).toMatchObject({ kind: 'water', confirm: 'camera', interrupt: 'critical', name: '防溺水水域巡查' })
  })

  it('goes on to another template from one without places, and keeps a name that was typed', async () => {
    const template = (kind: string, place: string) => ({ kind, place_classes: [place], per_stop: 1, dwell_s: 20, confirm: 'screen', least_s: 3, interrupt: 'critical', plan: { times: [], every_minutes: 120, weekdays: [], seasons: [] }, cameras: 0 })
    hub.on('GET /api/tour-templates', () => [template('water', 'water'), template('forest_fire', 'forest')])
    hub.on('POST /api/tours/from-places', () => ({ stops: [], cameras: 0, left: 0, max_stops: 200 }))
    page = await visit(routes, '/tours/new')
    const use = async (nth: number): Promise<string> => {
      await flushPromises()
      await page.findAll('button.card')[nth]!.trigger('click')
      await flushPromises()
      return (page.find('.meta input').element as HTMLInputElement).value
    }
    expect(await use(0)).toBe('防溺水水域巡查')
    await button('换一个模板').trigger('click')
    expect(await use(1)).toBe('森林防火巡查')
    await page.find('.meta input').setValue('南山')
    await button('换一个模板').trigger('click')
    expect(await use(0)).toBe('南山')
  })

  it('saves the stops in the order of the list', async () => {
    page = await visit(routes, '/tours/5')
    expect(rows()).toEqual(['村口', '桥头'])
    await page.find('ol li').trigger('keydown', { key: 'ArrowDown', altKey: true })
    expect(rows()).toEqual(['桥头', '村口'])
    await page.findAll('ol li input.dwell')[0]!.setValue('1')
    await page.findAll('ol li input.dwell')[0]!.trigger('change')
    hub.on('PUT /api/tours/5', () => (tour({ revision: 2 })))
    await button('保存').trigger('click')
    await flushPromises()
    expect((hub.to('PUT /api/tours/5')[0]!.body as { stops: unknown }).stops).toEqual([
      expect.objectContaining({ camera_id: 2, scene_id: null, dwell_s: 3, note: '' }),
      expect.objectContaining({ camera_id: 1, scene_id: null, dwell_s: 20, note: '' }),
    ])
  })

  it('names a stop whose camera was retired, and takes it out in one click', async () => {
    page = await visit(routes, '/tours/5')
    expect(page.findAll('.row.gone')).toHaveLength(0)
    hub.changed('camera', 2, camera(2, { name: '桥头', state: 'retired' }))
    await flushPromises()
    expect(page.find('.row.gone').text()).toContain('桥头')
    await button('移除已停用的 1 站').trigger('click')
    expect(rows()).toEqual(['村口'])
    await page.find('button[aria-label^="撤销"]').trigger('click')
    expect(rows()).toEqual(['村口', '桥头'])
  })

  describe('a scene with domes', () => {
    const presets = (token: string, name: string) => ({ presets: [{ token, name, home: false }, { token: `${token}b`, name: `${name}二`, home: false }] })
    const scene = (cameras: number[], more: object) => ({ ...stop(0, 0), camera_id: null, scene_id: 9, layout: '4', cameras, ...more })
    beforeEach(() => {
      hub.on('GET /api/cameras', () => [camera(1, { name: '村口' }), camera(2, { name: '桥头', ptz: true }), camera(3, { name: '广场', ptz: true }), camera(4, { name: '渡口', ptz: true })])
      hub.on('GET /api/scenes', () => [{ id: 9, name: '大桥', layout: '4', cameras: [1, 2, 3, null], carousels: {}, magnify_s: null, owner_id: 1, created_at: '' }])
      hub.on('GET /api/cameras/2/ptz', () => presets('p', '桥栏杆'))
      hub.on('GET /api/cameras/3/ptz', () => presets('q', '舞台'))
      hub.on('GET /api/cameras/4/ptz', () => presets('r', '码头'))
    })

    it('gives each its own preset, one that has gone is named, one out of the scene waits', async () => {
      hub.on('GET /api/tours/5', () => tour({ stops: [scene([1, 2, 3], { presets: [{ camera_id: 3, token: 'gone', name: '旧位', shown: true }, { camera_id: 4, token: 'r', name: '码头', shown: false }] })] }))
      await signIn(hub, person(1, { actions: [...person(1).actions, 'steer'] }))
      page = await visit(routes, '/tours/5')
      await flushPromises()
      expect(page.find('.chip').text()).toBe('预置位 旧位 · 设备上已没有')
      await page.find('ol li').trigger('click')
      await flushPromises()
      const fields = page.findAll('.panel select')
      expect(fields.map((one) => one.attributes('aria-label'))).toEqual(['桥头 的预置位', '广场 的预置位'])
      expect(page.find('.panel').text()).toContain('渡口 已不在视图中，预置位“码头”暂不使用')
      await fields[0]!.setValue('p')
      await fields[1]!.setValue('qb')
      expect(page.find('.chip').text()).toBe('预置位 2 个')
      hub.on('PUT /api/tours/5', () => tour({ revision: 2 }))
      await button('保存').trigger('click')
      await flushPromises()
      expect((hub.to('PUT /api/tours/5')[0]!.body as { stops: { presets: unknown }[] }).stops[0]!.presets).toEqual([
        { camera_id: 3, token: 'qb', name: '舞台二' },
        { camera_id: 4, token: 'r', name: '码头' },
        { camera_id: 2, token: 'p', name: '桥栏杆' },
      ])
    })
  })

  it('loses nothing when somebody else has saved meanwhile', async () => {
    page = await visit(routes, '/tours/5')
    await page.find('.meta input').setValue('晚巡')
    hub.on('PUT /api/tours/5', () => {
      throw new Refusal(409, 'tour_changed', { name: '李四', tour: tour({ name: '李四的', revision: 2, changed_name: '李四', stops: [stop(0, 2)] }) })
    })
    await button('保存').trigger('click')
    await flushPromises()
    expect(page.find('[role=alert]').text()).toContain('李四')
    hub.on('PUT /api/tours/5', () => tour({ name: '晚巡', revision: 3 }))
    await button('用我的覆盖').trigger('click')
    await flushPromises()
    const [refused, saved] = hub.to('PUT /api/tours/5').map((one) => one.body as { revision: number; name: string })
    expect([refused!.revision, saved!.revision, saved!.name]).toEqual([1, 2, '晚巡'])
  })

  it('keeps the stops and says why when the hub refuses them', async () => {
    page = await visit(routes, '/tours/5')
    hub.on('PUT /api/tours/5', () => {
      throw new Refusal(422, 'no_such_camera')
    })
    await page.find('.meta input').setValue('晚巡')
    await button('保存').trigger('click')
    await flushPromises()
    expect(page.find('[role=alert]').text()).toContain('有点位不存在或未启用')
    expect(rows()).toHaveLength(2)
  })

  it('asks before unsaved changes are lost', async () => {
    page = await visit(routes, '/tours/5')
    await page.find('.meta input').setValue('晚巡')
    void page.vm.$router.push('/tours/new').catch(() => undefined)
    await flushPromises()
    expect(document.querySelector('.el-message-box')!.textContent).toContain('未保存')
  })
})
