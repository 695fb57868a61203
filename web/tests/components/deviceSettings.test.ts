import { mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '@/api/types'
import { i18n } from '@/i18n'
import OneDevice from '@/pages/deviceSettings/OneDevice.vue'
import routes from '@/pages/deviceSettings/routes'
import type { ClockRow, PreviewItem } from '@/pages/deviceSettings/types'
import { ALL, camera, FakeHub, flushPromises, person, signIn, signOutAll, visit } from './hub'

const SETTER = person(1, { actions: [...ALL, 'set_devices'], time_zone: 'Asia/Shanghai' })
const device = (id: number, more: object = {}): object => ({ id, name: `设备${id}`, model: '', host: `10.0.0.${id}`, village_id: 1, streams: [], logins: [], disks: [], peculiarities: [], ...more })
const item = (key: string, more: Partial<PreviewItem> = {}): PreviewItem => ({ key, device_id: 1, device_name: `设备${key[0]}`, camera_id: null, camera_name: null, part: 'clock', before: { offset_s: 60 }, after: { offset_s: 0 }, verdict: 'change', reason: null, detail: '', params: {}, bounded: {}, via_device_id: null, ...more })
const job = (id: string, more: Partial<Job> = {}): Job => ({ id, kind: 'device_settings', village_id: null, state: 'done', started_at: '2026-01-01T00:00:00Z', total: 2, done: 2, failed: 0, verdicts: [], ...more })
const verdict = (key: string, reason: string | null = null): Job['verdicts'][number] => ({ key, name: key, ok: reason === null, reason, detail: '', params: {} })

let hub: FakeHub
let page: VueWrapper
beforeEach(async () => {
  hub = new FakeHub()
  hub.on('GET /api/devices', () => [device(1), device(2), device(3)])
  hub.on('GET /api/cameras', () => [camera(11, { device_id: 1 }), camera(12, { device_id: 1 }), camera(21, { device_id: 2 })])
  await signIn(hub, SETTER)
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})
const button = (words: string) => [...document.querySelectorAll<HTMLElement>('button')].find((one) => one.textContent?.includes(words))!
async function press(words: string): Promise<void> {
  button(words).click()
  await flushPromises()
}

/** A hub that has read two devices: one clock can be set, another not; and what becomes of it. */
function previews(items: PreviewItem[], verdicts: Job['verdicts'], apply = 'a'): void {
  hub.on('POST /api/device-settings/preview', () => job('p'))
  hub.on('GET /api/jobs/p', () => job('p', { verdicts: [verdict('1'), verdict('2')] }))
  hub.on('GET /api/device-settings/previews/p', () => ({ id: 'p', items }))
  hub.on('POST /api/device-settings/previews/p/apply', () => job(apply, { verdicts }))
  hub.on(`GET /api/jobs/${apply}`, () => job(apply, { total: verdicts.length, done: verdicts.length, failed: verdicts.filter((one) => !one.ok).length, verdicts }))
}

describe('one change of many', () => {
  it('is previewed, set but for what is unticked, and tried again where it failed', async () => {
    page = await visit(routes, '/device-settings/change?cameras=11,21,99')
    expect(page.text()).toContain('请勾选要设置的项目')
    await page.find('fieldset input[type=checkbox]').setValue(true)
    previews(
      [item('1:clock'), item('2:clock', { device_id: 2 }), item('3:clock', { device_id: 3, verdict: 'cannot', before: {}, after: {}, reason: 'unreachable' }), item('4', { verdict: 'same', after: { offset_s: 60 } })],
      [verdict('1:clock', 'timed_out')],
    )
    await page.find('form').trigger('submit')
    await flushPromises()
    expect(hub.to('POST /api/device-settings/preview')[0]!.body).toEqual({ device_ids: [1, 2], camera_ids: [], change: { clock: { set_now: true } } })
    expect(page.text()).toContain('+1 分钟 快')
    expect(page.text()).toContain('无法连接')
    expect(page.findAll('table')).toHaveLength(2) // what is the same is folded
    await page.find('input[aria-label="设置 设备2 的时钟"]').setValue(false)
    await press('修改 1 项')
    expect(hub.to('POST /api/device-settings/previews/p/apply')[0]!.body).toEqual({ only: ['1:clock'] })
    expect(page.text()).toContain('响应超时')
    expect(page.text()).toContain('1 项未选')
    previews([], [{ ...verdict('1:clock'), params: { offset_s: 0.3 } }], 'b')
    await press('只重试未成功的 1 项')
    expect(page.find('tbody').text()).toContain('已设好回读偏差 +0.3 秒')
    expect(button('只重试')).toBeUndefined()
  })

  it('leaves everything as it is when the asking is stopped', async () => {
    page = await visit(routes, '/device-settings/change?devices=2')
    expect(page.text()).toContain('只看已选 1')
    await page.find('fieldset input[type=checkbox]').setValue(true)
    previews([], [])
    hub.on('GET /api/jobs/p', () => job('p', { state: 'cancelled', done: 1, verdicts: [verdict('1')] }))
    await page.find('form').trigger('submit')
    await flushPromises()
    expect(page.text()).toContain('没有做任何修改')
    expect(hub.to('GET /api/device-settings/previews/p')).toHaveLength(0)
    await press('返回')
    expect(page.find('fieldset').exists()).toBe(true)
  })
})

describe('the clocks', () => {
  const row = (device_id: number, more: Partial<ClockRow['check']> = {}): ClockRow => ({ device_id, village_id: 1, name: `设备${device_id}`, host: `10.0.0.${device_id}`, recorder_id: null, check: { offset_s: 0.2, since: null, source: 'ntp', checked_at: '2026-01-01T18:30:00Z', verdict: 'ok', reason: null, set_at: null, ...more } })
  const list = (clocks: ClockRow[]): object => ({ next_at: '2026-01-01T18:30:00Z', warn_s: 5, fail_s: 30, clocks })

  it('show those that are wrong first, with sign and word, and are set after a preview', async () => {
    hub.on('GET /api/device-settings/clocks', () => list([row(1), row(2, { offset_s: -70, verdict: 'wrong', source: 'manual' }), row(3, { verdict: 'unknown', offset_s: null, reason: 'unreachable' })]))
    page = await visit(routes, '/device-settings')
    expect(page.findAll('[data-clock]').map((one) => one.text())).toEqual([expect.stringMatching(/设备2.*超差.*−1 分 10 秒 慢/)])
    expect(page.text()).toContain('每天 02:30 自动核对')
    await press('读不到或未核对 1')
    expect(page.find('[data-clock]').text()).toContain('无法连接')
    await press('全部 3')
    previews([item('2:clock', { device_id: 2 })], [verdict('2:clock')])
    await press('全部校时（3 台）')
    expect(hub.to('POST /api/device-settings/preview')[0]!.body).toMatchObject({ device_ids: [2, 3, 1] })
    expect(document.body.textContent).toContain('校时：3 台设备')
    await press('修改 1 项')
    await press('关闭')
    expect(hub.to('GET /api/device-settings/clocks')).toHaveLength(2)
  })

  it('say so where none is wrong, and where they cannot be read', async () => {
    page = await visit(routes, '/device-settings')
    expect(page.text()).toContain('校时清单读取失败')
    hub.on('GET /api/device-settings/clocks', () => list([]))
    await press('重试')
    expect(page.find('[data-clock]').text()).toContain('未核对')
    hub.on('GET /api/devices', () => [])
    hub.say({ type: 'reload' })
    await flushPromises()
    expect(page.text()).toContain('还没有可核对的设备')
  })
})

it('one device tells what was read, and what could not be', async () => {
  const settings = {
    device_id: 1,
    read_at: '2026-01-01T00:00:00Z',
    clock: { source: 'manual', device_time: null, offset_s: 31, zone: 'CST-8', daylight: false, ntp_server: '', from_dhcp: false },
    cameras: [{ camera_id: 13, osd: [], sub: null, can: [] }, { camera_id: 11, can: ['osd_name', 'osd_time'], osd: [{ token: 'a', kind: 'name', text: '村口', position: 'lower_left', shown: true }], sub: { codec: 'h265', codecs: [], width: 640, height: 360, fps: 25, gov_length: 50, bitrate_kbit: null } }],
    recorder_id: null,
    check: null,
    problems: [{ part: 'sub', camera_id: 12, reason: 'timed_out', params: {} }],
  }
  hub.on('GET /api/devices/1/settings', ({ query }) => (query.fresh === 'true' ? settings : { ...settings, read_at: null }))
  page = mount(OneDevice, { props: { deviceId: 1, name: '设备1' }, attachTo: document.body, global: { plugins: [i18n] } })
  await flushPromises()
  expect(page.text()).toContain('还没有读取过')
  await press('读取')
  for (const words of ['+31 秒 快', '手动设置', '村口', '不显示', 'H.265 · 640×360', '2 秒（50 帧）', '点位12 子码流：响应超时']) expect(page.text()).toContain(words)
  expect(page.text()).toContain('画面名称未读到画面时间未读到') // of a camera whose clock alone was read, nothing is known
  await page.findAll('.link')[1]!.trigger('click')
  await flushPromises()
  expect(document.querySelectorAll('.el-dialog fieldset')).toHaveLength(2)
})
