import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveSocket } from '@/live/socket'
import { collection } from '@/stores/collection'

class FakeWebSocket {
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  sent: string[] = []
  closed = false
  send(text: string): void {
    this.sent.push(text)
  }
  close(): void {
    this.closed = true
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
}

let sockets: FakeWebSocket[]
let refused: number
let live: LiveSocket
const hello = { type: 'hello', epoch: 'e', now: '2026-01-01T00:00:10Z', relays: {}, viewers: [] }

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  sockets = []
  refused = 0
  live = new LiveSocket(
    () => {
      sockets.push(new FakeWebSocket())
      return sockets.at(-1) as unknown as WebSocket
    },
    () => (refused += 1),
  )
})
afterEach(() => {
  live.stop()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('the live connection', () => {
  it('is open from hello on, and knows the hub’s clock', () => {
    live.start()
    expect(live.state).toBe('connecting')
    expect(live.send({ type: 'show', viewer: 'v', track: 0, serial: 1, camera: 1, quality: 'auto' })).toBe(false)
    sockets[0]!.say(hello)
    expect(live.state).toBe('open')
    expect(live.offsetMs).toBe(10_000)
    expect(live.send({ type: 'show', viewer: 'v', track: 0, serial: 1, camera: 1, quality: 'auto' })).toBe(true)
  })

  it('connects again after a loss, under the same page id', () => {
    live.start()
    sockets[0]!.say(hello)
    sockets[0]!.onclose?.({ code: 1006 })
    expect(live.state).toBe('lost')
    vi.advanceTimersByTime(349)
    expect(sockets).toHaveLength(1)
    vi.advanceTimersByTime(2)
    expect(sockets).toHaveLength(2)
    expect(live.state).toBe('lost')
    sockets[1]!.say(hello)
    expect(live.state).toBe('open')
  })

  it('takes two missed time messages for a dead connection', () => {
    live.start()
    sockets[0]!.say(hello)
    vi.advanceTimersByTime(20_000)
    sockets[0]!.say({ type: 'time', now: '2026-01-01T00:00:30Z' })
    vi.advanceTimersByTime(24_000)
    expect(live.state).toBe('open')
    vi.advanceTimersByTime(1_100)
    expect(sockets[0]!.closed).toBe(true)
    expect(live.state).toBe('lost')
  })

  it('asks about the session when the hub refuses it', () => {
    live.start()
    sockets[0]!.onclose?.({ code: 1008 })
    expect(refused).toBe(1)
  })

  it('asks about the session when it is not greeted twice in a row', () => {
    live.start()
    for (let i = 0; i < 3; i += 1) {
      sockets.at(-1)!.onclose?.({ code: 1006 })
      vi.advanceTimersByTime(5_000)
    }
    expect(refused).toBe(1)
    expect(live.state).toBe('lost')
  })

  it('stays closed after stop', () => {
    live.start()
    live.stop()
    vi.advanceTimersByTime(60_000)
    expect(sockets).toHaveLength(1)
    expect(live.state).toBe('closed')
  })
})

describe('a list that events keep', () => {
  interface Thing {
    id: number
    name: string
  }
  const ok = (data: Thing[]) => ({ ok: true as const, data })

  it('is filled by a fetch and kept by changes', async () => {
    const things = collection<Thing>('camera', async () => ok([{ id: 2, name: 'b' }, { id: 1, name: 'a' }]), (a, b) => a.id - b.id)
    things.listen(live)
    live.start()
    await things.load()
    expect(things.list.value.map((thing) => thing.id)).toEqual([1, 2])
    sockets[0]!.say({ type: 'changed', topic: 'camera', id: 2, data: { id: 2, name: 'new' } })
    sockets[0]!.say({ type: 'changed', topic: 'camera', id: 1, data: null })
    sockets[0]!.say({ type: 'changed', topic: 'village', id: 2, data: null })
    expect(things.list.value).toEqual([{ id: 2, name: 'new' }])
  })

  it('lets a change that arrives during a fetch win over what the fetch brings', async () => {
    let answer: (things: Thing[]) => void = () => undefined
    const things = collection<Thing>('camera', async () => ok(await new Promise<Thing[]>((resolve) => (answer = resolve))), (a, b) => a.id - b.id)
    const loading = things.load()
    things.put({ id: 1, name: 'newer' })
    things.remove(2)
    answer([{ id: 1, name: 'old' }, { id: 2, name: 'gone' }, { id: 3, name: 'c' }])
    await loading
    expect(things.list.value).toEqual([{ id: 1, name: 'newer' }, { id: 3, name: 'c' }])
  })

  it('keeps what it has when a fetch fails, and says so', async () => {
    let fail = false
    const error = { status: 0, kind: 'network', reason: 'network', detail: '', params: {} }
    const things = collection<Thing>('camera', async () => (fail ? { ok: false as const, aborted: false as const, error } : ok([{ id: 1, name: 'a' }])), (a, b) => a.id - b.id)
    await things.load()
    fail = true
    await things.load()
    expect(things.list.value).toHaveLength(1)
    expect(things.error.value).toEqual(error)
  })
})
