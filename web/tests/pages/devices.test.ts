import { describe, expect, it } from 'vitest'
import { portOf, splitHost, isStreamUrl } from '@/pages/devices/host'
import { eachLimited } from '@/pages/devices/limited'
import { looksLikeRange, splitRanges } from '@/pages/devices/ranges'
import { filtered, matchesText, NO_FILTERS, registerRows, tally } from '@/pages/devices/register'
import { canRegister, divide, foundKind, mergeSweep, percent, within } from '@/pages/devices/sweep'
import { moved } from '@/pages/parts/reorder'
import type { Camera, Device, FoundDevice, Sweep, Village } from '@/api/types'
import { topsOf, visibleRows } from '@/pages/parts/virtualRows'

function found(key: string, more: Partial<FoundDevice> = {}): FoundDevice {
  return { key, host: '10.0.0.1', port: 80, name: '', manufacturer: '', model: '', mac: '', endpoint: '', source: 'unicast', clock_error_s: null, reason: null, device_id: null, other_village: false, ...more }
}
function sweep(done: number, rows: FoundDevice[], state: Sweep['state'] = 'running', id = 'a'): Sweep {
  return { id, village_id: 1, state, detail: '', started_at: '2026-11-24T08:00:00Z', total: 100, done, found: rows }
}

describe('merging answers of a search', () => {
  it('never takes a found device away or turns the bar back', () => {
    const merged = mergeSweep(sweep(50, [found('x'), found('y')]), sweep(30, [found('x')]))
    expect(merged.done).toBe(50)
    expect(merged.found.map((row) => row.key)).toEqual(['x', 'y'])
  })
  it('keeps rows where they stood, newest state of each, new ones at the end', () => {
    const merged = mergeSweep(sweep(10, [found('y'), found('x')]), sweep(20, [found('x', { name: '门口' }), found('z'), found('y')]))
    expect(merged.found.map((row) => row.key)).toEqual(['y', 'x', 'z'])
    expect(merged.found[1]!.name).toBe('门口')
  })
  it('does not wake a finished search', () => {
    const merged = mergeSweep(sweep(100, [found('x')], 'done'), sweep(100, [found('x')], 'running'))
    expect(merged.state).toBe('done')
    expect(percent(merged)).toBe(100)
  })
  it('starts anew with another search', () => {
    expect(mergeSweep(sweep(90, [found('x')]), sweep(0, [], 'running', 'b')).found).toEqual([])
  })
  it('shows 100 percent only when it is over', () => {
    expect(percent(sweep(100, []))).toBe(99)
    expect(percent({ ...sweep(0, []), total: 0 })).toBe(0)
  })
})

describe('found rows', () => {
  it('offers what is not registered', () => {
    expect(foundKind(found('a', { device_id: 3 }))).toBe('registered')
    expect(foundKind(found('a', { other_village: true }))).toBe('elsewhere')
    expect(foundKind(found('a', { reason: 'onvif_off' }))).toBe('needs_help')
    expect(foundKind(found('a', { reason: 'login_needed' }))).toBe('new')
    expect([found('a'), found('b', { reason: 'onvif_off' }), found('c', { device_id: 1 })].map(canRegister)).toEqual([true, true, false])
  })
})

describe('ranges', () => {
  it('splits as people type', () => {
    expect(splitRanges('192.168.1.0/24，10.0.0.1-20\n\n10.0.0.1-20；172.16.0.5')).toEqual(['192.168.1.0/24', '10.0.0.1-20', '172.16.0.5'])
  })
  it('knows the shape', () => {
    for (const good of ['192.168.1.0/24', '10.0.0.1-20', '10.0.0.1 - 10.0.1.20', '10.0.0.1']) expect(looksLikeRange(good), good).toBe(true)
    for (const bad of ['192.168.1.0/33', '10.0.0.256', 'abc', '10.0.0', '10.0.0.1-', '']) expect(looksLikeRange(bad), bad).toBe(false)
  })
})

describe('addresses', () => {
  it('takes a port apart', () => {
    expect(splitHost(' 192.168.1.20 ')).toEqual({ host: '192.168.1.20', port: null })
    expect(splitHost('192.168.1.20:8000')).toEqual({ host: '192.168.1.20', port: 8000 })
    expect(splitHost('nvr.village.local')).toEqual({ host: 'nvr.village.local', port: null })
    expect(splitHost('[fe80::1]:80')).toEqual({ host: 'fe80::1', port: 80 })
  })
  it('refuses what is none', () => {
    expect(['', ' 8554 ', '0', '65536', 'x'].map(portOf)).toEqual([null, 8554, undefined, undefined, undefined])
    for (const bad of ['', '300.1.1.1', '1.2.3', 'http://10.0.0.1', '10.0.0.1:99999', '-x', '10.0.0.1/24']) expect(splitHost(bad), bad).toBeNull()
  })
  it('takes rtsp and rtsps only', () => {
    expect(isStreamUrl('rtsp://10.0.0.1/live')).toBe(true)
    expect(isStreamUrl('RTSPS://10.0.0.1/live')).toBe(true)
    for (const bad of ['http://10.0.0.1/', 'file:///etc/passwd', 'rtsp://a b', 'rtsp:\\\\x']) expect(isStreamUrl(bad), bad).toBe(false)
  })
})

describe('eachLimited', () => {
  it('runs all, at most three at once', async () => {
    let running = 0
    let most = 0
    const done: number[] = []
    await eachLimited([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      running += 1
      most = Math.max(most, running)
      await Promise.resolve()
      running -= 1
      done.push(item)
    })
    expect(most).toBe(3)
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
  })
})

const village = (id: number): Village => ({ id, name: `${id}号村`, kind: 'village', position: id, pinyin: 'cun', initials: 'hc', ranges: [], counts: { total: 0, ok: 0, fault: 0, unknown: 0, waiting: 0, online: 0, picture_fault: 0, clock_wrong: 0 }, down_since: null })
const camera = (id: number, village_id: number, more: Partial<Camera> = {}): Camera => ({
  id, device_id: village_id, village_id, number: null, ptz: false, name: `桥头${id}`, pinyin: 'qiaotou', initials: 'qt', place_class: 'key_road', importance: 'normal', position: id, state: 'approved', health: 'ok', cause: null, health_since: null, proof_state: 'proved', proof: null, proving: false, picture_at: null, favourite: false, states: [], streams: [], ...more,
})
const device = { id: 1, name: '', host: '192.168.1.64' } as Device

describe('register', () => {
  const cameras = [camera(1, 1), camera(2, 1, { state: 'waiting' }), camera(3, 2, { health: 'fault' }), camera(4, 2, { state: 'retired' })]
  const villages = [village(1), village(2), village(3)]
  const byId = new Map(villages.map((one) => [one.id, one]))
  it('finds by initials, pinyin, address and several words', () => {
    for (const text of ['qt', 'QIAO', '1.64', '1号 桥头']) expect(matchesText(text, cameras[0]!, device, villages[0]), text).toBe(true)
    expect(matchesText('桥头 2号', cameras[0]!, device, villages[0])).toBe(false)
  })
  it('leaves out retired cameras until asked', () => {
    const ids = (state: typeof NO_FILTERS.state) => filtered(cameras, { ...NO_FILTERS, state }, new Map(), byId).map((one) => one.id)
    expect(ids('all')).toEqual([1, 2, 3])
    expect(ids('waiting')).toEqual([2])
    expect(ids('fault')).toEqual([3])
    expect(ids('retired')).toEqual([4])
  })
  it('groups by village, folds, and leaves out empty ones', () => {
    const rows = registerRows(cameras.slice(0, 3), new Map(), villages, 'village', new Set([2]))
    expect(rows.map((row) => row.key)).toEqual(['v1', 'c1', 'c2', 'v2'])
  })
  it('groups by device', () => {
    expect(registerRows(cameras.slice(0, 3), new Map(), villages, 'device', new Set()).map((row) => row.key)).toEqual(['v1', 'd1', 'c1', 'c2', 'v2', 'd2', 'c3'])
  })
  it('counts', () => {
    expect(tally(cameras)).toEqual({ total: 3, ok: 1, fault: 1, unknown: 0, waiting: 1 })
  })
})

describe('rows on the screen', () => {
  const rows = Array.from({ length: 1000 }, (_, index) => index)
  const tops = topsOf(rows, (row) => (row % 10 === 0 ? 44 : 64))
  it('are those that meet the window, and no more', () => {
    const visible = visibleRows(rows, tops, 10_000, 10_800)
    expect(visible[0]!.top).toBeLessThanOrEqual(10_000)
    expect(visible[0]!.top + 64).toBeGreaterThan(10_000)
    expect(visible.at(-1)!.top).toBeLessThan(10_800)
    expect(visible.length).toBeLessThan(16)
  })
  it('can be none', () => {
    expect(visibleRows([], topsOf([], () => 1), 0, 800)).toEqual([])
  })
})

describe('moving a row', () => {
  it('lands before the gap, whichever way it comes', () => {
    expect(moved(['a', 'b', 'c', 'd'], 0, 2)).toEqual(['b', 'a', 'c', 'd'])
    expect(moved(['a', 'b', 'c', 'd'], 3, 1)).toEqual(['a', 'd', 'b', 'c'])
    expect(moved(['a', 'b', 'c'], 0, 3)).toEqual(['b', 'c', 'a'])
    expect(moved(['a', 'b', 'c'], 1, 99)).toEqual(['a', 'c', 'b'])
    expect(moved(['a'], 5, 0)).toEqual(['a'])
  })
})

describe('whose device answered a broadcast', () => {
  const ranges = [{ first: '192.168.1.1', last: '192.168.1.254' }, { first: '10.9.0.20', last: '10.9.1.3' }]
  it('is told by the ranges, compared as numbers', () => {
    expect(['192.168.1.9', '192.168.1.254', '10.9.0.255', '10.9.1.3'].every((host) => within(host, ranges))).toBe(true)
    expect(['192.168.2.9', '192.168.10.1', '10.9.1.4', '10.9.0.3', '1.2.3', 'nvr.village', '192.168.1.999'].some((host) => within(host, ranges))).toBe(false)
    expect(within('fe80::1', [{ first: 'fe80::1', last: 'fe80::1' }])).toBe(true)
  })
  it('keeps other villages behind a fold, and nobody where no range was given', () => {
    const rows = [found('a', { host: '192.168.2.9' }), found('b', { host: '192.168.1.9' })]
    expect(divide(rows, ranges)).toEqual({ own: [rows[1]], others: [rows[0]] })
    expect(divide(rows, [])).toEqual({ own: rows, others: [] })
  })
})
