import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveSocket } from '@/live/socket'
import { clearCollections, collection } from '@/stores/collection'

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
    sockets[0]!.say(hello)
    expect(live.state).toBe('open')
    expect(live.offsetMs).toBe(10_000)
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
    vi.advanceTimersByTime(10_000)
    sockets[0]!.say({ type: 'time', now: '2026-01-01T00:00:30Z' })
    vi.advanceTimersByTime(12_000)
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

  it('says that there are too many pages, and tries again much later', () => {
    live.start()
    sockets[0]!.onclose?.({ code: 4429 })
    expect(live.state).toBe('crowded')
    vi.advanceTimersByTime(29_000)
    expect(sockets).toHaveLength(1)
    vi.advanceTimersByTime(1_100)
    expect(sockets).toHaveLength(2)
    expect(live.state).toBe('crowded')
    sockets[1]!.say(hello)
    expect(live.state).toBe('open')
  })

  it('asks about the session when it is not greeted twice in a row, and at every try after that', () => {
    live.start()
    const asked: number[] = []
    for (let i = 0; i < 5; i += 1) {
      sockets.at(-1)!.onclose?.({ code: 1006 })
      vi.advanceTimersByTime(5_000)
      asked.push(refused)
    }
    expect(asked).toEqual([0, 0, 1, 2, 3])
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

describe('what a page wants', () => {
  const show = (track: number, serial: number, camera: number | null = 42) => ({ type: 'show' as const, viewer: 'v', track, serial, camera, quality: 'auto' as const })
  const tile = (track: number, serial: number) => ({ type: 'tile', viewer: 'v', track, serial, camera: 42, state: 'connecting', detail: '' })
  const heard = (serial: number, state: string) => ({ type: 'heard', serial, camera: 7, state })
  const sent = (socket: number) => sockets[socket]!.sent.map((text) => JSON.parse(text) as { type: string; track?: number; serial: number })
  const reconnect = (more: object = {}): void => {
    vi.advanceTimersByTime(13_001) // silence, and the socket is given up
    vi.advanceTimersByTime(5_000)
    sockets.at(-1)!.say({ ...hello, viewers: ['v'], ...more })
  }

  it('is sent as soon as there is a connection', () => {
    live.start()
    live.want(show(0, 1))
    expect(sent(0)).toEqual([])
    sockets[0]!.say(hello)
    expect(sent(0)).toEqual([show(0, 1)])
  })

  it('is sent again after a reconnect when it was written into a connection that was dead already', () => {
    live.start()
    sockets[0]!.say({ ...hello, viewers: ['v'] })
    live.want(show(0, 1))
    live.want(show(1, 1))
    sockets[0]!.say(tile(1, 1))
    expect(sent(0)).toHaveLength(2)
    reconnect()
    expect(sent(1)).toEqual([show(0, 1)])
    reconnect()
    expect(sent(2)).toEqual([show(0, 1)])
    sockets[2]!.say(tile(0, 1))
    reconnect()
    expect(sent(3)).toEqual([])
  })

  it('is the newest wish of a tile alone, and a word about an older one confirms nothing', () => {
    live.start()
    sockets[0]!.say({ ...hello, viewers: ['v'] })
    live.want(show(0, 1))
    live.want(show(0, 2, null))
    sockets[0]!.say(tile(0, 1))
    reconnect()
    expect(sent(1)).toEqual([show(0, 2, null)])
  })

  it('is forgotten with the tile’s viewer, and at sign-out', () => {
    live.start()
    sockets[0]!.say({ ...hello, viewers: ['v'] })
    live.want(show(0, 1))
    live.want(show(1, 1))
    live.dropTile(0)
    reconnect()
    expect(sent(1)).toEqual([show(1, 1)])
    live.stop()
    live.start()
    sockets.at(-1)!.say(hello)
    expect(sent(sockets.length - 1)).toEqual([])
  })

  it('lets the wall drop wishes before they are sent to a viewer that is gone', () => {
    live.start()
    sockets[0]!.say({ ...hello, viewers: ['v'] })
    live.want(show(0, 1))
    live.on('hello', () => live.dropTile(0))
    reconnect({ viewers: [] })
    expect(sent(1)).toEqual([])
  })

  it('to hear is told again to a hub that has forgotten it, but not once it has ended', () => {
    const listen = (serial: number) => ({ type: 'listen' as const, serial, camera: 7 })
    live.start()
    sockets[0]!.say({ ...hello, viewers: ['v'] })
    live.want(listen(1))
    sockets[0]!.say(heard(1, 'live'))
    reconnect()
    expect(sent(1)).toEqual([])
    reconnect({ viewers: [] })
    expect(sent(2)).toEqual([listen(1)])
    sockets[2]!.say(heard(1, 'live'))
    reconnect({ epoch: 'other' })
    expect(sent(3)).toEqual([listen(1)])
    sockets[3]!.say(heard(1, 'off'))
    reconnect({ epoch: 'third' })
    expect(sent(4)).toEqual([])
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

  it('gives the next person nothing of a load that was under way for the former one', async () => {
    const answers: ((things: Thing[]) => void)[] = []
    const things = collection<Thing>('camera', async () => ok(await new Promise<Thing[]>((resolve) => answers.push(resolve))), (a, b) => a.id - b.id)
    const former = things.load()
    clearCollections()
    const own = things.load()
    answers[0]!([{ id: 1, name: 'the former one’s' }])
    await former
    expect([things.list.value, things.loaded.value]).toEqual([[], false])
    answers[1]!([{ id: 2, name: 'own' }])
    await own
    expect(things.list.value).toEqual([{ id: 2, name: 'own' }])
  })

  it('holds only what belongs into it', async () => {
    const things = collection<Thing>('camera', async () => ok([{ id: 1, name: 'in' }, { id: 2, name: 'out' }]), (a, b) => a.id - b.id, { belongs: (thing) => thing.name === 'in' })
    await things.load()
    expect(things.list.value.map((thing) => thing.id)).toEqual([1])
    things.put({ id: 3, name: 'in' })
    things.put({ id: 1, name: 'out' })
    expect(things.list.value.map((thing) => thing.id)).toEqual([3])
  })
})
