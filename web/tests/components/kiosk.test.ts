/** The screen's own page: what its tiles show in turn, and that it comes back when its machine wakes up. */
import { mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OwnScreen } from '@/api/types'
import { FakeHub, flushPromises } from './hub'

const T0 = Date.UTC(2026, 0, 1)

class FakeConnection {
  static readonly made: FakeConnection[] = []
  connectionState = 'new'
  onconnectionstatechange: (() => void) | null = null
  closed = false
  constructor() {
    FakeConnection.made.push(this)
  }
  addTransceiver(): object {
    return { receiver: { track: { id: 'track' } }, setCodecPreferences: () => undefined }
  }
  createOffer = async (): Promise<object> => ({ type: 'offer', sdp: 'our offer' })
  setLocalDescription = async (): Promise<void> => undefined
  setRemoteDescription = async (): Promise<void> => {
    this.connectionState = 'connected'
    this.onconnectionstatechange?.()
  }
  getStats = async (): Promise<Map<string, object>> => new Map()
  close(): void {
    this.closed = true
  }
}

function camera(id: number, more: object = {}) {
  return { id, name: `点位${id}`, village: '东沟村', state: 'approved', picture_at: null, fault: null, ...more } as NonNullable<OwnScreen['picture']['tiles'][number]>
}
function screen(picture: Partial<OwnScreen['picture']>, more: Partial<OwnScreen> = {}): OwnScreen {
  return {
    id: 1, name: '左一屏', place: '', portrait: false, streams: 9, captions: true, clock: false, revision: 1, time_zone: 'Asia/Shanghai',
    picture: { layout: '4', tiles: [camera(1), camera(2), null, null], carousels: [], magnify_s: null, run: null, ...picture }, ...more,
  }
}

let hub: FakeHub
let page: VueWrapper
let viewers = 0

async function opened(shown: OwnScreen): Promise<void> {
  hub.on('GET /api/screen', () => shown)
  const { i18n, setLanguage } = await import('@/i18n')
  await setLanguage('zh-CN')
  const state = await import('@/pages/screens/kiosk/screenState')
  const { default: KioskPage } = await import('@/pages/screens/kiosk/KioskPage.vue')
  page = mount(KioskPage, { global: { plugins: [i18n] }, attachTo: document.body })
  state.openScreen()
  await flushPromises()
  hub.say({ type: 'hello', epoch: 'e', now: new Date(Date.now()).toISOString(), relays: { 0: 1 }, viewers: ['v1'] })
  await flushPromises()
}
/** Each camera that is asked for now, by tile. */
function asked(): Record<number, number | null> {
  return Object.fromEntries(hub.heard.filter(({ type }) => type === 'show').map(({ track, camera }) => [track, camera]))
}
function names(): (string | null)[] {
  return page.findAll('[data-tile]').map((tile) => tile.attributes('data-camera') ?? null)
}
/** The hub tells the time each five seconds. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    await vi.advanceTimersByTimeAsync(Math.min(left, 5_000))
    hub.say({ type: 'time', now: new Date(Date.now()).toISOString() })
  }
  await flushPromises()
}

beforeEach(() => {
  vi.resetModules()
  vi.useFakeTimers({ now: T0, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
  localStorage.clear()
  FakeConnection.made.length = viewers = 0
  hub = new FakeHub()
  hub.on('GET /api/screen/media', () => ({ ice_servers: [], relays: [0], tracks: 16, audio: false }))
  hub.on('POST /api/screen/viewers', () => ({ viewer: `v${(viewers += 1)}`, relay: 0, epoch: 1, sdp: 'answer', tracks: 16, codecs: ['h264'] }))
  vi.stubGlobal('RTCPeerConnection', FakeConnection)
  vi.stubGlobal('MediaStream', class {})
  HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0
  Object.defineProperty(HTMLVideoElement.prototype, 'srcObject', { configurable: true, writable: true, value: null })
  HTMLVideoElement.prototype.play = async () => undefined
})
afterEach(() => {
  page.unmount()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a screen', () => {
  it('shows each small tile large in turn beside the others, by the time of the hub', async () => {
    await opened(screen({ magnify_s: 10 }))
    expect(names()).toEqual(['1', '2', '1'])
    expect(asked()).toEqual({ 0: 1, 1: 2, 4: 1 })
    expect(page.find('.enlarged').attributes('data-tile')).toBe('0')
    await pass(10_000)
    expect(names()).toEqual(['1', '2', '2'])
    expect(asked()).toEqual({ 0: 1, 1: 2, 4: 2 })
    expect(page.find('.enlarged').attributes('data-tile')).toBe('1')
    await pass(10_000)
    expect(asked()[4]).toBe(1)
  })

  it('has the layout’s own large tile show the others, and plays no more than its machine can', async () => {
    await opened(screen({ layout: '1+5', tiles: [camera(9), camera(1), camera(2), camera(3), null, null], magnify_s: 10 }, { streams: 3 }))
    expect(names()).toEqual(['1', '1', '2', '3'])
    expect(asked()).toEqual({ 0: 1, 2: 2, 3: 3 }) // the small one of what is large gives up its player first
    expect(page.find('.enlarged').text()).toContain('正在大格显示')
  })

  it('turns a carousel past what the rounds know to be dead, and has the next feed run by then', async () => {
    const members = [camera(5), camera(6, { fault: 'offline' }), camera(7)]
    await opened(screen({ tiles: [camera(1), null, null, null], carousels: [{ tile: 1, seconds: 10, cameras: members }] }))
    expect(asked()).toEqual({ 0: 1, 1: 5 })
    await pass(6_000)
    expect(hub.heard.filter(({ type }) => type === 'warm')).toEqual([{ type: 'warm', cameras: [7] }])
    await pass(4_000)
    expect(asked()[1]).toBe(7)
    await pass(10_000)
    expect(asked()[1]).toBe(5)
  })

  it('is back after its machine slept: it connects anew at once, and asks for its pictures again', async () => {
    await opened(screen({}))
    expect(FakeConnection.made).toHaveLength(1)
    const socket = hub.heard
    vi.setSystemTime(Date.now() + 3_600_000)
    await pass(2_000)
    expect(hub.heard).not.toBe(socket) // another WebSocket
    hub.say({ type: 'hello', epoch: 'e', now: new Date(Date.now()).toISOString(), relays: { 0: 1 }, viewers: [] })
    await pass(3_000)
    expect(FakeConnection.made).toHaveLength(2)
    expect(FakeConnection.made[0]!.closed).toBe(true)
    expect(asked()).toEqual({ 0: 1, 1: 2 })
  })

  it('gives up a request of before it slept', async () => {
    await opened(screen({}))
    const before = hub.to('GET /api/screen').length
    let release = (): void => undefined
    hub.on('GET /api/screen', () => new Promise((settle) => (release = () => settle(screen({})))))
    hub.say({ type: 'reload' })
    await flushPromises()
    expect(hub.to('GET /api/screen')).toHaveLength(before + 1)
    window.dispatchEvent(new Event('online'))
    await pass(500)
    hub.on('GET /api/screen', () => screen({ tiles: [camera(8), null, null, null] }, { revision: 2 }))
    hub.say({ type: 'hello', epoch: 'e', now: new Date(Date.now()).toISOString(), relays: { 0: 1 }, viewers: ['v1'] })
    await pass(500)
    expect(names()).toEqual(['8'])
    release()
  })
})
