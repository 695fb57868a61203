/** What is begun before the application is there. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { closeEarly, openEarly } from '@/early'
import { FakeHub, Refusal, camera, flushPromises, person } from './hub'

class FakeConnection {
  connectionState = 'new'
  onconnectionstatechange: (() => void) | null = null
  addTransceiver(): object {
    return { receiver: { track: { id: 'track' } }, setCodecPreferences: () => undefined }
  }
  createOffer = async (): Promise<object> => ({ type: 'offer', sdp: 'our offer' })
  setLocalDescription = async (): Promise<void> => undefined
  setRemoteDescription = async (): Promise<void> => undefined
  close(): void {}
}

const MEDIA = { ice_servers: [], relays: [0], tracks: 16, audio: false }
const VIEWER = { viewer: 'v1', relay: 0, epoch: 1, sdp: 'answer', tracks: 16, codecs: ['h264'] }
const hello = { type: 'hello', epoch: 'e', now: '2026-01-01T00:00:00Z', relays: { 0: 1 }, viewers: ['v1'] }

let hub: FakeHub
let early: typeof openEarly
let close: typeof closeEarly

beforeEach(async () => {
  vi.resetModules() // each page asks once who is signed in
  hub = new FakeHub()
  hub.on('GET /api/session', () => person(1))
  hub.on('GET /api/media', () => MEDIA)
  hub.on('POST /api/viewers', () => VIEWER)
  vi.stubGlobal('RTCPeerConnection', FakeConnection)
  vi.stubGlobal('MediaStream', class {})
  HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0
  Object.defineProperty(HTMLVideoElement.prototype, 'srcObject', { configurable: true, writable: true, value: null })
  HTMLVideoElement.prototype.play = async () => undefined
  ;({ openEarly: early, closeEarly: close } = await import('@/early'))
})
afterEach(async () => {
  ;(await import('@/stores')).leave()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function ended(promise: Promise<void>): Promise<() => boolean> {
  let done = false
  void promise.then(() => (done = true))
  await flushPromises()
  return () => done
}

describe('a page that is opened', () => {
  it('at the wall asks for session and media together, and lets the application wait until the hub has heard what is shown', async () => {
    const opened = await ended(early({ pathname: '/wall', search: '?layout=4&cams=7,,9' }))
    expect(hub.calls.slice(0, 2).map((call) => call.path)).toEqual(['/api/session', '/api/media'])
    expect(hub.to('GET /api/media')).toHaveLength(1)
    expect(hub.to('POST /api/viewers')).toHaveLength(1)
    expect(opened()).toBe(false)
    hub.say(hello)
    await flushPromises()
    expect(opened()).toBe(true)
    expect(hub.heard.map((one) => [one.type, one.viewer, one.track, one.camera])).toEqual([
      ['show', 'v1', 0, 7],
      ['show', 'v1', 2, 9],
    ])
  })

  it('shows the stored picture of a camera as soon as it knows the cameras', async () => {
    let answer: (all: object[]) => void = () => undefined
    hub.on('GET /api/cameras', () => new Promise((resolve) => (answer = resolve)))
    await ended(early({ pathname: '/wall', search: '?layout=1&cams=7' }))
    const { screenOf } = await import('@/pages/wall/wallEngine')
    const poster = screenOf(0)!.element.querySelector('img')!
    expect(poster.hasAttribute('src')).toBe(false)
    answer([camera(7, { picture_at: '2026-01-01T00:00:00Z' })])
    await flushPromises()
    expect(poster.src).toContain('/api/cameras/7/picture')
  })

  it('at a run connects, but shows nothing: the run says what', async () => {
    await ended(early({ pathname: '/wall', search: '?run=3&cams=7' }))
    hub.say(hello)
    await flushPromises()
    expect(hub.to('POST /api/viewers')).toHaveLength(1)
    expect(hub.heard).toEqual([])
  })

  it.each([['/alarms'], ['/devices/add']])('at %s asks who is signed in, and nothing else', async (pathname) => {
    const opened = await ended(early({ pathname, search: '' }))
    expect(opened()).toBe(true)
    expect(hub.calls[0]!.path).toBe('/api/session')
    expect(hub.to('GET /api/media')).toHaveLength(0)
    expect(hub.to('POST /api/viewers')).toHaveLength(0)
  })

  it('at the first set-up asks nothing', async () => {
    expect((await ended(early({ pathname: '/setup', search: '' })))()).toBe(true)
    expect(hub.calls).toEqual([])
  })

  it('by nobody goes on to the sign-in at once', async () => {
    const nobody = (): never => {
      throw new Refusal(401, 'signed_out')
    }
    hub.on('GET /api/session', nobody)
    hub.on('GET /api/media', nobody)
    expect((await ended(early({ pathname: '/', search: '' })))()).toBe(true)
    expect(hub.to('POST /api/viewers')).toHaveLength(0)
  })

  it('by somebody who may not watch makes no connection', async () => {
    hub.on('GET /api/session', () => person(1, { actions: ['self'] }))
    expect((await ended(early({ pathname: '/wall', search: '' })))()).toBe(true)
    expect(hub.to('POST /api/viewers')).toHaveLength(0)
  })

  it('pulls no stream any more when its application cannot be loaded', async () => {
    await ended(early({ pathname: '/wall', search: '?layout=4&cams=7' }))
    hub.say(hello)
    await flushPromises()
    close()
    expect(hub.heard.map((one) => [one.track, one.camera])).toEqual([
      [0, 7],
      [0, null],
    ])
  })

  it('opens no wall after its application could not be loaded', async () => {
    let answer: (who: object) => void = () => undefined
    hub.on('GET /api/session', () => new Promise((resolve) => (answer = resolve)))
    await ended(early({ pathname: '/wall', search: '?cams=7' }))
    close()
    answer(person(1))
    await flushPromises()
    expect(hub.to('POST /api/viewers')).toHaveLength(0)
  })

  it('does not wait for a hub that does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    hub.on('POST /api/viewers', () => new Promise(() => undefined))
    const opened = await ended(early({ pathname: '/wall', search: '?cams=7' }))
    expect(opened()).toBe(false)
    await vi.advanceTimersByTimeAsync(1_600)
    expect(opened()).toBe(true)
  })

  it.each([['GET /api/media'], ['POST /api/viewers']])('does not wait when %s fails', async (call) => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    hub.on(call, () => {
      throw new Refusal(503, 'busy')
    })
    const opened = await ended(early({ pathname: '/wall', search: '?cams=7' }))
    hub.say(hello)
    await flushPromises()
    expect(opened()).toBe(true)
  })
})
