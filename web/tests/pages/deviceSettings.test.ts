import { describe, expect, it } from 'vitest'
import { changeOf, EMPTY, idsOf, isEmpty, numberOf, problems, targetsOf } from '@/pages/deviceSettings/change'
import { clockFiltered, clockLines, clockTally, lastChecked } from '@/pages/deviceSettings/clocks'
import { merged, outcome, reach, sections, viaRecorder, type ItemVerdict } from '@/pages/deviceSettings/preview'
import { tripText } from '@/pages/deviceSettings/trip'
import type { ClockRow, ClockVerdict, PreviewItem } from '@/pages/deviceSettings/types'
import { linesOf, offsetText } from '@/pages/deviceSettings/words'
import type { Job } from '@/api/types'
import { village } from '../components/hub'

const item = (key: string, more: Partial<PreviewItem> = {}): PreviewItem => ({ key, device_id: 1, device_name: '', camera_id: null, camera_name: null, part: 'clock', before: {}, after: {}, verdict: 'change', reason: null, detail: '', params: {}, bounded: {}, via_device_id: null, ...more })

describe('the form of a change', () => {
  it('sends only what is ticked', () => {
    expect(isEmpty(EMPTY)).toBe(true)
    expect(changeOf({ ...EMPTY, ntp: true, ntpServer: ' 10.0.0.1 ' }, 'Asia/Shanghai')).toEqual({ clock: { set_now: false, ntp_server: '10.0.0.1' } })
    expect(changeOf({ ...EMPTY, now: true, zone: true }, 'Asia/Shanghai')).toEqual({ clock: { set_now: true, zone: 'Asia/Shanghai' } })
    expect(changeOf({ ...EMPTY, name: true, codec: true, gov: true, govSeconds: '２。５', fps: true }, '')).toEqual({ osd: { name: 'camera_name' }, sub: { codec: 'h264', gov_seconds: 2.5, fps: 15 } })
  })

  it.each([
    [{ ntp: true, ntpServer: 'http://10.0.0.1' }, ['ntpServer']],
    [{ ntp: true, ntpServer: '' }, ['ntpServer']],
    [{ ntp: true, ntpServer: 'ntp.aliyun.com' }, []],
    [{ ntp: true, ntpServer: 'fe80::1' }, []],
    [{ gov: true, govSeconds: '0' }, ['govSeconds']],
    [{ gov: true, govSeconds: '一' }, ['govSeconds']],
    [{ fps: true, fpsValue: '12.5' }, ['fpsValue']],
    [{ fps: true, fpsValue: '61' }, ['fpsValue']],
    [{ fpsValue: 'x' }, []],
  ])('says what is wrong with %j', (more, found) => {
    expect(problems({ ...EMPTY, ...more })).toEqual(found)
  })

  it('asks for devices where only clocks are set, for cameras else', () => {
    const choice = { cameras: new Set([11, 12, 21]), devices: new Set([9]) }
    const deviceOf = (id: number): number => Math.floor(id / 10)
    expect(targetsOf({ ...EMPTY, now: true }, choice, deviceOf)).toEqual({ device_ids: [9, 1, 2] })
    expect(targetsOf({ ...EMPTY, now: true, fps: true }, choice, deviceOf)).toEqual({ camera_ids: [11, 12, 21] })
  })

  it('reads numbers and lists of them, and nothing else', () => {
    expect(idsOf('3,5,5,x,-1,1.5,,9e99')).toEqual([3, 5])
    expect(idsOf(['3'])).toEqual([])
    expect(numberOf('1e3')).toBeNaN()
  })
})

describe('a preview', () => {
  it('keeps villages and devices together, whatever the order', () => {
    const items = [item('a', { device_id: 2 }), item('b', { device_id: 1, verdict: 'cannot' }), item('c', { device_id: 1 }), item('d', { device_id: 2 }), item('e', { verdict: 'same' })]
    const split = sections(items, (one) => one.device_id)
    expect(split.change.map((one) => one.key)).toEqual(['c', 'a', 'd'])
    expect([split.cannot.length, split.same.length]).toEqual([1, 1])
  })

  it('counts devices and cameras, and what a recorder sets', () => {
    const items = [item('a', { camera_id: 1 }), item('b', { camera_id: 1 }), item('c', { camera_id: 2, device_id: 3, via_device_id: 7 }), item('d', { via_device_id: 1 })]
    expect(reach(items)).toEqual({ devices: 2, cameras: 2 })
    expect(viaRecorder(items).map((one) => one.key)).toEqual(['c'])
  })

  it('tells only what changes of a part, all of it where nothing does', () => {
    const sub = { codec: 'h265', width: 640, height: 360, fps: 25, gov_length: 100 }
    expect(linesOf('sub', sub, { ...sub, codec: 'h264', gov_length: 50 }).map((line) => [line.before, line.after])).toEqual([['H.265', 'H.264'], ['4 秒（100 帧）', '2 秒（50 帧）']])
    expect(linesOf('sub', sub, sub)).toHaveLength(5)
    expect(linesOf('clock', { offset_s: 192.4, zone: 'CST-8' }, { offset_s: 0, zone: 'CST-8' })).toEqual([expect.objectContaining({ before: '+3 分 12 秒 快', after: '与平台一致' })])
    expect(linesOf('osd_name', { text: '', shown: false, position: null }, { text: '村口', shown: true, position: 'lower_left' })).toEqual([expect.objectContaining({ before: '不显示', after: '村口' })])
    expect(linesOf('other', { strange: 'x' }, { strange: null })[0]).toMatchObject({ name: 'strange', before: 'x', after: '未读到' })
  })

  it('takes the latest verdict of an item', () => {
    const verdict = (key: string, ok: boolean, reason: string | null = null): ItemVerdict => ({ key, name: '', ok, reason, detail: '', params: {} })
    const job = (verdicts: ItemVerdict[]): Job => ({ verdicts }) as unknown as Job
    const found = merged(merged(new Map(), job([verdict('a', false), verdict('b', true)])), job([verdict('a', true, 'x')]))
    expect(['a', 'b', 'c'].map((key) => outcome(found.get(key), false))).toEqual(['partly', 'done', 'untried'])
    expect(outcome(undefined, true)).toBe('waiting')
  })
})

describe('the drift list', () => {
  const row = (device_id: number, verdict: ClockVerdict, offset_s: number | null, checked_at: string | null = null): ClockRow => ({ device_id, village_id: device_id % 2, name: `球机${device_id}`, host: `10.0.0.${device_id}`, recorder_id: null, check: { verdict, offset_s, checked_at, since: null, source: 'manual', reason: null, set_at: null } })
  const rows = [row(1, 'ok', 0.4), row(2, 'warn', -12, '2026-01-02T00:00:00Z'), row(3, 'wrong', 40, '2026-01-01T00:00:00Z'), row(4, 'unknown', null), row(5, 'wrong', -4_000), row(6, 'lies', 33)]
  const lines = clockLines(rows, new Map([[0, village(0)], [1, village(1)]]))

  it('puts the worst first', () => {
    expect(lines.map((line) => line.row.device_id)).toEqual([6, 5, 3, 2, 4, 1])
    expect([lastChecked(rows), lastChecked([])]).toEqual(['2026-01-02T00:00:00Z', null])
    expect(clockTally(rows)).toEqual({ all: 6, wrong: 4, unread: 1 })
  })
  it('is filtered by verdict, village and words', () => {
    expect(clockFiltered(lines, 'unread', null, '').map((line) => line.row.device_id)).toEqual([4])
    expect(clockFiltered(lines, 'all', 1, '').map((line) => line.row.device_id)).toEqual([5, 3, 1])
    expect(clockFiltered(lines, 'wrong', null, ' 球机 0.6').map((line) => line.row.device_id)).toEqual([6])
  })
  it.each([[2.44, '+2.4 秒'], [-192, '−3 分 12 秒'], [0.01, '±0.0 秒'], [-90_000, '−1 天 1 小时']])('words %f', (seconds, words) => {
    expect(offsetText(seconds)).toBe(words)
  })
})

it('a list for a trip is a table for any sheet', () => {
  const one = { village: '村', device: 'a\tb', host: '', camera: '', part: '', before: '', after: '', why: '', remedy: 'x\ny' }
  expect(tripText(['h'], [one])).toBe('h\n村\ta b\t\t\t\t\t\t\tx y')
})
