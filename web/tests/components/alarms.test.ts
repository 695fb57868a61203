import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import AlarmsPage from '@/pages/alarms/AlarmsPage.vue'
import CameraFile from '@/pages/alarms/CameraFile.vue'
import TopBar from '@/shell/TopBar.vue'
import { FakeHub, Refusal, alarm, camera, flushPromises, signIn, signOutAll, visit } from './hub'

vi.mock('@/pages/alarms/charts', () => ({ init: () => ({ setOption: () => undefined, resize: () => undefined, dispose: () => undefined }) }))

let hub: FakeHub
let page: VueWrapper
const routes = [{ path: '/alarms', component: AlarmsPage }]
const ids = () => page.findAll('[data-alarm]').map((row) => Number(row.attributes('data-alarm')))
const button = (words: string) => page.findAll('button').find((one) => one.text().includes(words))!

/** 120 alarms, the even ones open, given the newest first as the hub does. */
const alarms = Array.from({ length: 120 }, (_, i) => alarm(120 - i, i % 2 ? { closed_at: '2026-01-02T00:00:00Z' } : {}))

beforeEach(async () => {
  hub = new FakeHub()
  hub.on('GET /api/alarms', ({ query }) =>
    alarms.filter((one) => (query.open === undefined || one.closed_at === null) && (query.before === undefined || one.id < Number(query.before))).slice(0, Number(query.limit)),
  )
  await signIn(hub)
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})

describe('the alarms page', () => {
  it('skips no row when an old alarm closes between two pages', async () => {
    page = await visit(routes, '/alarms')
    await button('全部').trigger('click')
    await flushPromises()
    expect(ids()).toHaveLength(50)
    hub.changed('alarm', 3, alarm(3, { closed_at: '2026-01-03T00:00:00Z' }))
    hub.changed('alarm', 200, alarm(200))
    await flushPromises()
    expect(ids()).toContain(3)
    expect(ids()).toContain(200)
    await button('更早的告警').trigger('click')
    await flushPromises()
    expect(hub.to('GET /api/alarms').at(-1)!.query.before).toBe('71')
    await button('更早的告警').trigger('click')
    await flushPromises()
    expect(new Set(ids())).toEqual(new Set([200, ...alarms.map((one) => one.id)]))
    expect(page.text()).toContain('没有更早的告警')
  })

  it('takes an event for newer than the page that is on its way', async () => {
    let answer: (rows: unknown) => void = () => undefined
    hub.on('GET /api/alarms', () => new Promise((resolve) => (answer = resolve)))
    page = await visit(routes, '/alarms')
    hub.changed('alarm', 120, alarm(120, { acknowledged_at: '2026-01-03T00:00:00Z', acknowledged_name: '李四' }))
    answer([alarm(120)])
    await flushPromises()
    expect(page.find('[data-alarm="120"]').text()).toContain('李四')
  })

  it('shows open alarms beyond the first page, and how many the hub counts', async () => {
    hub.on('GET /api/alarms/count', () => ({ open: 260 }))
    hub.say({ type: 'reload' })
    await flushPromises()
    page = await visit(routes, '/alarms')
    expect(page.find('.filters').text()).toContain('260')
    expect(ids()).toHaveLength(50)
    await button('更早的告警').trigger('click')
    await flushPromises()
    expect(ids()).toHaveLength(60)
  })

  it('leaves an alarm as it was when the hub refuses the acknowledgement, and says why', async () => {
    hub.on('POST /api/alarms/120/acknowledge', () => {
      throw new Refusal(409, 'acknowledged_already')
    })
    page = await visit(routes, '/alarms')
    const row = () => page.find('[data-alarm="120"]')
    await row().find('.el-button').trigger('click')
    await flushPromises()
    expect(document.body.textContent).toContain('已由他人确认')
    expect(document.body.textContent).not.toContain('English detail')
    expect(row().find('.el-button').exists()).toBe(true)
    expect(row().find('.el-button').classes()).not.toContain('is-loading')
    hub.on('POST /api/alarms/120/acknowledge', () => alarm(120, { acknowledged_at: '2026-01-03T00:00:00Z', acknowledged_name: '张三' }))
    await row().find('.el-button').trigger('click')
    await flushPromises()
    expect(row().text()).toContain('张三')
    expect(row().find('.el-button').exists()).toBe(false)
  })

  it('says that a failed page failed, and reads the same one again', async () => {
    page = await visit(routes, '/alarms')
    const good = hub.to('GET /api/alarms').length
    hub.on('GET /api/alarms', () => {
      throw new Refusal(503, 'database_busy')
    })
    await button('更早的告警').trigger('click')
    await flushPromises()
    expect(page.text()).toContain('数据库繁忙')
    expect(ids()).toHaveLength(50)
    await button('重试').trigger('click')
    await flushPromises()
    expect(hub.to('GET /api/alarms').slice(good).map((call) => call.query.before)).toEqual(['22', '22'])
  })
})

describe('the number of open alarms', () => {
  it('is the hub’s, asked for once after many events', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    page = await visit([{ path: '/', component: TopBar }], '/')
    expect(page.find('.count').exists()).toBe(false)
    hub.on('GET /api/alarms/count', () => ({ open: 40 }))
    const before = hub.to('GET /api/alarms/count').length
    for (let id = 1; id <= 40; id += 1) hub.changed('alarm', id, alarm(id))
    await vi.advanceTimersByTimeAsync(1_000)
    vi.useRealTimers()
    await flushPromises()
    expect(page.find('.count').text()).toBe('40')
    expect(hub.to('GET /api/alarms/count').length - before).toBe(1)
  })
})

describe('the health file', () => {
  const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString()
  const state = (aspect: string, from: number, to: number | null, cause: string | null) => ({ aspect, since: minute(from), until: to === null ? null : minute(to), state: cause ? 'fault' : 'ok', cause })
  const look = (id: number, reason: string | null, picture: string | null) => ({
    id, at: minute(id), reason, media: 'ok', picture, clock: null, detail: 'English detail', params: {}, signalling_ms: 10, stream_ms: 20, key_frame_ms: 30, clock_error_s: null, scores: picture ? { frozen: 3 } : {},
  })

  it('draws a frozen camera as frozen throughout, whatever other looks say, over the whole seven days', async () => {
    hub.on('GET /api/cameras', () => [camera(7)])
    hub.say({ type: 'reload' })
    const states = [state('media', 0, 20, 'stalled'), state('media', 20, null, null), state('picture', 0, null, 'frozen')]
    const excluded = { id: 1, level: 'village', kind: 'power_cut', reason: '线路检修停电', since: minute(10), until: minute(20) }
    hub.on('GET /api/cameras/7/health', () => ({
      camera_id: 7, since: minute(-600), until: minute(60), verdicts: states.slice(1), states, cut: false, excluded: null, exclusions: [excluded], alarms: [],
      measured: { at: minute(3), signalling_ms: 10, stream_ms: 20, key_frame_ms: 30, clock_error_s: null, fps: 25, bitrate_kbit: 1800.4, gop_seconds: 2, scores_at: minute(3), profile: 'day', scores: { black: 98, frozen: 3 } },
    }))
    hub.on('GET /api/cameras/7/history', () => ({ since: minute(-600), until: minute(60), looks: 10_080, bad: 2_016, key_frame_median_ms: 30, spans: [], points: [] }))
    hub.on('GET /api/cameras/7/observations', () => [look(3, 'frozen', 'frozen'), look(2, null, null)])
    hub.on('GET /api/cameras/7/events', () => [])
    page = await visit([{ path: '/', component: CameraFile, props: { cameraId: 7 } }], '/')
    const seven = [...document.querySelectorAll('button')].find((one) => one.textContent === '7 天')!
    seven.click()
    await flushPromises()
    for (const part of ['health', 'history']) expect(hub.to(`GET /api/cameras/7/${part}`).at(-1)!.query).toEqual({ hours: '168' })
    expect(hub.to('GET /api/cameras/7/observations').at(-1)!.query.limit).toBe('100')
    const lane = (aspect: string) => [...document.querySelectorAll(`[data-lane=${aspect}] svg > rect`)].map((bar) => [bar.classList.contains('fault'), bar.classList.contains('shade'), Math.round(Number(bar.getAttribute('x')))])
    expect(lane('picture')).toEqual([[true, false, 0], [false, true, 167]])
    expect(lane('media')).toEqual([[false, false, 333], [true, false, 0], [false, true, 167]])
    expect(document.querySelector('.spells')!.textContent).toContain('画面：画面冻结')
    expect([...document.querySelectorAll('[data-score]')].map((one) => [one.getAttribute('data-score'), one.classList.contains('bad')])).toEqual([['frozen', true], ['black', false]])
    expect(document.body.textContent).toContain('码率 1800 kbit/s')
    expect(document.body.textContent).toContain('巡检 10080 次')
    const results = [...document.querySelectorAll('.log tbody tr td:nth-child(2)')]
    expect(results.map((cell) => cell.textContent)).toEqual(['画面冻结', '应答正常（未检查画面）'])
    expect(results.map((cell) => cell.getAttribute('title'))).toEqual(['重启摄像机，检查编码器。', null]) // an English sentence in a Chinese page
  })
})
