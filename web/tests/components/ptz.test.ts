import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { h } from 'vue'
import WallTile from '@/pages/wall/WallTile.vue'
import { padAt, ptzStates } from '@/pages/wall/ptzStates'
import { speed, stepSize } from '@/pages/wall/usePtz'
import { views } from '@/pages/wall/wallEngine'
import { settled, solo } from '@/pages/wall/wallState'
import type { Action, Ptz, PtzState } from '@/api/types'
import { emptyTile, phaseOf, pictureOf, type Tile } from '@/wall/tile'
import { ALL, FakeHub, Refusal, camera, flushPromises, person, signIn, signOutAll, visit } from './hub'

const STEERING: Action[] = [...ALL, 'steer']
const free: PtzState = { moving: false, holder: null, home_at: null, suspended_until: null, last_error: null }
const able: Ptz['capabilities'] = { continuous: true, absolute: true, relative: true, point: true, zoom: true, presets: true, home: true, max_presets: 300, pan: null, tilt: null, zoom_range: null }
const presets: Ptz['presets'] = [
  { token: '1', name: '大门', home: true },
  { token: '2', name: '路口', home: false },
  { token: '3', name: '路口 (2)', home: false },
]

let hub: FakeHub
let page: VueWrapper
let answer: Ptz

const until = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString()
const held = (user_id: number, name: string, priority = 2): NonNullable<PtzState['holder']> => ({ user_id, name, kind: 'person', priority, until: until(12) })
const orders = (): Record<string, unknown>[] => hub.heard.filter((one) => one.type === 'ptz').map(({ type: _, serial: __, camera: ___, ...order }) => order)
const say = async (state: Partial<PtzState>, serial = 1_000): Promise<void> => {
  hub.say({ type: 'ptz', camera: 7, serial, state: { ...free, ...state } })
  await flushPromises()
}
const part = (name: string) => page.find(`[data-ptz="${name}"]`)
const round = () => part('directions').element as HTMLElement
const point = (target: Element, type: string, clientX: number, clientY: number): void => void target.dispatchEvent(new PointerEvent(type, { bubbles: true, cancelable: true, button: 0, pointerId: 1, clientX, clientY }))
const key = (type: 'keydown' | 'keyup', name: string): boolean => document.body.dispatchEvent(new KeyboardEvent(type, { key: name, code: name, bubbles: true, cancelable: true }))

function showCamera(id: number | null): void {
  const tile: Tile = { ...emptyTile(0), camera: id, serial: 1, carried: true, liveAt: 0, frameAt: 100, hubState: id === null ? 'empty' : 'live' }
  views[0] = { tile, phase: phaseOf(tile, 200), picture: pictureOf(tile, 200), age: 0 }
}
async function openPad(): Promise<void> {
  await page.find('[data-tool=ptz]').trigger('click')
  await vi.dynamicImportSettled()
  await flushPromises()
}

beforeEach(async () => {
  hub = new FakeHub()
  answer = { capabilities: able, presets, state: free }
  hub.on('GET /api/cameras', () => [camera(7, { name: '村口', ptz: true }), camera(8, { name: '桥头', ptz: false })])
  hub.on('GET /api/cameras/7/ptz', () => answer)
  await signIn(hub, person(1, { actions: STEERING }))
  vi.spyOn(Element.prototype, 'getBoundingClientRect').mockReturnValue({ left: 0, top: 0, right: 200, bottom: 200, width: 200, height: 200 } as DOMRect)
  vi.spyOn(Element.prototype, 'setPointerCapture').mockReturnValue(undefined)
  settled.value = true
  speed.value = 50
  stepSize.value = 0
  showCamera(7)
  const tile = () => h(WallTile, { index: 0, selected: false, solo: true, fill: false })
  page = await visit([{ path: '/', component: { render: tile } }], '/')
})
afterEach(() => {
  page.unmount()
  showCamera(null)
  padAt.value = null
  settled.value = false
  ptzStates.clear()
  signOutAll()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('the button', () => {
  it('is there for a camera that can be steered, and for who may steer it', async () => {
    expect(page.find('[data-tool=ptz]').exists()).toBe(true)
    showCamera(8)
    await flushPromises()
    expect(page.find('[data-tool=ptz]').exists()).toBe(false)
    signOutAll()
    await signIn(hub, person(2, { actions: ALL }))
    showCamera(7)
    await flushPromises()
    expect(page.find('[data-tool=ptz]').exists()).toBe(false)
  })

  it('is not needed to see who steers', async () => {
    await say({ holder: held(5, '王芳') })
    expect(part('steered').text()).toBe('王芳 正在控制')
    await say({ holder: { ...held(5, '王芳'), until: until(-5) } })
    expect(part('steered').exists()).toBe(false)
  })
})

describe('the pad', () => {
  beforeEach(openPad)

  it('moves while a direction is pressed, and says so until the hub confirms that it stands still', async () => {
    point(round(), 'pointerdown', 190, 100)
    expect(orders()).toEqual([{ do: 'move', pan: 0.5, tilt: 0, zoom: 0 }])
    await flushPromises()
    expect(part('motion').text()).toBe('转动中')
    point(round(), 'pointerup', 190, 100)
    expect(orders().at(-1)).toEqual({ do: 'stop' })
    await flushPromises()
    expect(part('motion').text()).toBe('正在停止')
    await say({ moving: true })
    expect(part('motion').text()).toBe('正在停止')
    await say({ moving: false })
    expect(part('motion').exists()).toBe(false)
  })

  it('turns faster the further the middle is dragged', () => {
    point(round(), 'pointerdown', 100, 100)
    expect(orders()).toEqual([])
    point(round(), 'pointermove', 100, 20)
    const { tilt } = orders().at(-1) as { tilt: number }
    expect(tilt).toBeGreaterThan(0.3)
    point(round(), 'pointercancel', 0, 0)
    expect(orders().at(-1)).toEqual({ do: 'stop' })
  })

  it('stops when the page loses the focus, and does not go on by itself', () => {
    key('keydown', 'ArrowLeft')
    expect(orders()).toEqual([{ do: 'move', pan: -0.5, tilt: 0, zoom: 0 }])
    window.dispatchEvent(new Event('blur'))
    expect(orders().at(-1)).toEqual({ do: 'stop' })
    const said = orders().length
    key('keyup', 'ArrowLeft')
    expect(orders()).toHaveLength(said)
  })

  it('has its own keys, before those of the wall', async () => {
    const wall = vi.fn()
    window.addEventListener('keydown', wall)
    for (const one of ['ArrowUp', 'PageDown', '2', 'Home']) key('keydown', one)
    expect(orders().map((order) => order.do)).toEqual(['move', 'stop', 'preset', 'home'])
    expect(orders()[2]).toEqual({ do: 'preset', token: '2' })
    expect(wall).not.toHaveBeenCalled()
    key('keydown', 's')
    expect(wall).toHaveBeenCalledOnce()
    key('keydown', 'Escape')
    await flushPromises()
    expect([part('pad').exists(), orders().at(-1)]).toEqual([false, { do: 'release' }])
    window.removeEventListener('keydown', wall)
  })

  it('stops and leaves the camera when the tile shows another', async () => {
    point(round(), 'pointerdown', 190, 100)
    showCamera(8)
    await flushPromises()
    expect(orders().map((order) => order.do)).toEqual(['move', 'stop', 'release'])
    expect(part('pad').exists()).toBe(false)
  })

  it('is closed when another tile is enlarged', async () => {
    solo.value = 1
    await flushPromises()
    expect(part('pad').exists()).toBe(false)
    solo.value = null
  })

  it('makes one step per press where steps are chosen', async () => {
    stepSize.value = 2
    await flushPromises()
    point(round(), 'pointerdown', 170, 30)
    point(round(), 'pointermove', 100, 10)
    point(round(), 'pointerup', 100, 10)
    expect(orders()).toEqual([{ do: 'step', pan: 1, tilt: 1, zoom: 0, size: 2 }])
  })

  it('takes the wheel over the picture for the zoom of the camera', () => {
    page.find('.stage').element.dispatchEvent(new WheelEvent('wheel', { deltaY: -100, bubbles: true, cancelable: true }))
    expect(orders()).toEqual([{ do: 'step', pan: 0, tilt: 0, zoom: 1, size: 1 }])
    expect(page.find('.tile').classes()).not.toContain('zoomed')
  })

  it('centres what is clicked, when that is switched on', async () => {
    page.find('.place').element.append(document.createElement('video'))
    const click = (): void => void page.find('.stage').element.dispatchEvent(new MouseEvent('click', { bubbles: true, clientX: 150, clientY: 50 }))
    click()
    expect(orders()).toEqual([])
    await part('centre').trigger('click')
    click()
    expect(orders()).toEqual([{ do: 'point', x: 0.75, y: 0.25 }])
  })

  it('says whose turn it is, and lets only who may take over', async () => {
    await say({ holder: held(5, '王芳', 3) })
    expect(part('holder').text()).toMatch(/^王芳 正在控制，1\d 秒后释放$/)
    expect(part('take').exists()).toBe(false)
    point(round(), 'pointerdown', 190, 100)
    key('keydown', 'ArrowLeft')
    expect(orders()).toEqual([])
    await say({ holder: held(5, '王芳', 2) })
    await part('take').trigger('click')
    point(round(), 'pointerup', 190, 100)
    point(round(), 'pointerdown', 190, 100)
    expect(orders().at(-1)).toEqual({ do: 'move', pan: 0.5, tilt: 0, zoom: 0 })
    await say({ holder: held(1, '用户1', 3) })
    expect(part('holder').text()).toMatch(/^您正在控制/)
  })

  it('says who has taken over, and goes on sending nothing', async () => {
    await say({ holder: held(1, '用户1') })
    point(round(), 'pointerdown', 190, 100)
    await say({ holder: held(5, '李站长', 3), moving: true, last_error: { reason: 'ptz_taken_over', detail: '', params: { name: '李站长' } } })
    expect(part('holder').text()).toMatch(/^李站长 已接管云台/)
    expect(part('failed').exists()).toBe(false) // said once
    point(round(), 'pointermove', 100, 10)
    expect(orders().map((order) => order.do)).toEqual(['move'])
  })

  it('says what is wrong', async () => {
    await say({ last_error: { reason: 'unreachable', detail: '', params: {} } })
    expect(part('failed').text()).toContain('无法连接')
    await say({})
    expect(part('failed').exists()).toBe(false)
  })
})

describe('presets', () => {
  beforeEach(openPad)
  const rows = () => page.findAll('.presets li').map((row) => row.find('.label').text())
  const menu = (n: number) => page.findAll('.presets li .row .icon')[n]!.trigger('click')
  const action = (label: string) => page.findAll('.presets .actions button').find((one) => one.attributes('aria-label') === label || one.text() === label)!.trigger('click')

  it('lead to their place', async () => {
    expect(rows()).toEqual(['大门', '路口', '路口 (2)'])
    await page.findAll('.presets .go')[2]!.trigger('click')
    expect(orders()).toEqual([{ do: 'preset', token: '3' }])
  })

  it('are added, renamed, moved here, removed after a question, and one is the home position', async () => {
    const made = ['POST /api/cameras/7/ptz/presets', 'PUT /api/cameras/7/ptz/presets/2', 'DELETE /api/cameras/7/ptz/presets/2', 'PUT /api/cameras/7/ptz/home']
    for (const call of made) hub.on(call, () => ({}))
    const bodies = (call: string): unknown[] => hub.to(call).map((one) => one.body)
    await part('add').trigger('click')
    await page.find('.presets .naming input').setValue('  学校 ')
    await page.find('.presets .naming').trigger('submit')
    await flushPromises()
    expect(bodies(made[0]!)).toEqual([{ name: '学校' }])
    await menu(1)
    await action('重命名')
    await page.find('.presets .naming input').setValue('东路口')
    await page.find('.presets .naming').trigger('submit')
    await flushPromises()
    await menu(1)
    await action('改为当前位置')
    await action('保存')
    await flushPromises()
    expect(bodies(made[1]!)).toEqual([{ name: '东路口', here: false }, { name: '路口', here: true }])
    await menu(1)
    await action('删除')
    expect(hub.to(made[2]!)).toEqual([])
    await action('删除')
    await flushPromises()
    expect(hub.to(made[2]!)).toHaveLength(1)
    await menu(1)
    await action('设为看守位')
    await flushPromises()
    await menu(0)
    await action('取消看守位')
    await flushPromises()
    expect(bodies(made[3]!)).toEqual([{ token: '2', seconds: null }, { token: null, seconds: null }])
  })

  it('that the device refuses say why, and nothing is closed', async () => {
    hub.on('POST /api/cameras/7/ptz/presets', () => {
      throw new Refusal(502, 'soap_fault')
    })
    await part('add').trigger('click')
    await page.find('.presets .naming').trigger('submit')
    await flushPromises()
    expect(part('failed').text()).toContain('设备拒绝了请求')
    expect(page.find('.presets .naming').exists()).toBe(true)
  })
})

describe('the home position', () => {
  it('can be suspended for a while, and resumed', async () => {
    hub.on('POST /api/cameras/7/ptz/suspend', () => ({}))
    await openPad()
    await page.find('[data-minutes="30"]').trigger('click')
    await flushPromises()
    await say({ suspended_until: until(1_800) })
    await part('resume').trigger('click')
    await flushPromises()
    expect(hub.to('POST /api/cameras/7/ptz/suspend').map((one) => one.body)).toEqual([{ minutes: 30 }, { minutes: 0 }])
    await part('home').trigger('click')
    expect(orders()).toEqual([{ do: 'home' }])
  })
})

describe('a camera that cannot do everything', () => {
  it('is offered only what it can', async () => {
    answer = { capabilities: { ...able, continuous: false, point: false, zoom: false, presets: false, home: false, max_presets: 0 }, presets: [], state: free }
    await openPad()
    expect(['zoom-in', 'centre', 'home', 'add'].map((name) => part(name).exists())).toEqual([false, false, false, false])
    point(round(), 'pointerdown', 190, 100)
    expect(orders()).toEqual([{ do: 'step', pan: 1, tilt: 0, zoom: 0, size: 1 }])
  })

  it('and that cannot be read says why', async () => {
    hub.on('GET /api/cameras/7/ptz', () => {
      throw new Refusal(502, 'unreachable')
    })
    await openPad()
    expect(part('failed').text()).toContain('无法连接')
  })
})
