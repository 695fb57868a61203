import { beforeEach, describe, expect, it } from 'vitest'
import type { Hello, Show, TileMessage } from '@/api/types'
import type { Peer, PeerState } from '@/wall/peer'
import type { Screen } from '@/wall/screen'
import { Wall } from '@/wall/wall'

class FakeSocket {
  sent: Show[] = []
  since = 100
  dropped: number[] = []
  private handlers = new Map<string, ((message: never) => void)[]>()
  want(message: Show): void {
    this.sent.push(message)
  }
  dropTile(track: number): void {
    this.dropped.push(track)
  }
  on(kind: string, handler: (message: never) => void): () => void {
    this.handlers.set(kind, [...(this.handlers.get(kind) ?? []), handler])
    return () => undefined
  }
  say(kind: string, message: object): void {
    for (const handler of this.handlers.get(kind) ?? []) handler({ type: kind, ...message } as never)
  }
  hello(more: Partial<Hello> = {}): void {
    this.say('hello', { epoch: 'hub-1', now: '2026-01-01T00:00:00Z', relays: { 0: 1 }, viewers: ['v1'], ...more })
  }
}

class FakePeer {
  state: PeerState = 'offering'
  viewer: string | null = null
  answeredAt = 0
  epoch: number | null = null
  counts = [0, 0, 0, 0]
  heard = 0
  gaveUp = false
  closed = false
  readonly tracks: MediaStreamTrack[]
  constructor(
    readonly relay: number,
    readonly first: number,
    readonly number: number,
    private readonly onState: (peer: Peer) => void,
  ) {
    this.tracks = [0, 1, 2, 3].map((i) => ({ id: `${number}/${i}` }) as MediaStreamTrack)
  }
  offer(): Promise<void> {
    return Promise.resolve()
  }
  answered(viewer: string, epoch = 1): void {
    this.viewer = viewer
    this.epoch = epoch
    this.enter('connecting')
    this.enter('connected')
  }
  enter(state: PeerState): void {
    this.state = state
    this.onState(this as unknown as Peer)
  }
  framesDecoded(): Promise<number[]> {
    return Promise.resolve(this.counts)
  }
  giveUp(): void {
    this.gaveUp = true
    this.enter('failed')
  }
  close(): void {
    this.closed = true
  }
}

class FakeScreen implements Screen {
  element = null
  onFrame: Screen['onFrame'] = null
  log: string[] = []
  attach(track: MediaStreamTrack): void {
    this.log.push(`attach ${track.id}`)
  }
  cover(poster: string | null): void {
    this.log.push(`cover ${poster}`)
  }
  reveal(): void {
    this.log.push('reveal')
  }
  forget(): void {
    this.log.push('forget')
  }
  still(image: ImageBitmap): void {
    this.log.push(`still ${image.width}`)
  }
  freeze(): void {
    this.log.push('freeze')
  }
}

let socket: FakeSocket
let peers: FakePeer[]
let screens: FakeScreen[]
let laters: (() => void)[]
let stills: { asked: string; done: (got: { image: ImageBitmap; age: number } | null) => void }[]
let now: number
/** Whether the cameras are known. */
let listed: boolean
let wall: Wall

function build(relays = [0]): void {
  socket = new FakeSocket()
  peers = []
  laters = []
  stills = []
  now = 0
  listed = true
  screens = [0, 1, 2, 3, 4, 5].map(() => new FakeScreen())
  wall = new Wall({
    socket: socket,
    tiles: 6,
    relays,
    firsts: [0, 4],
    connect: (relay, first, onState) => {
      const peer = new FakePeer(relay, first, peers.length + 1, onState)
      peers.push(peer)
      return peer as unknown as Peer
    },
    screen: (index) => screens[index]!,
    poster: (camera) => (listed ? `poster-${camera}` : null),
    still: (camera, stream, number) => new Promise((done) => stills.push({ asked: `${camera} ${stream} ${number}`, done })),
    now: () => now,
    later: (_, what) => laters.push(what),
  })
}
function tell(index: number, state: TileMessage['state'], more: Partial<TileMessage> = {}): void {
  const tile = wall.snapshot().tiles[index]!
  socket.say('tile', { viewer: 'v1', track: index, serial: tile.serial, camera: tile.camera, state, reason: null, detail: '', since: null, stream: 'sub', codec: 'H264', ...more })
}
function play(index: number): void {
  tell(index, 'live')
  screens[index]!.onFrame?.({ receivedAt: now + 1 })
}
const phase = (index: number) => wall.snapshot().tiles[index]!.phase

describe('the wall', () => {
  beforeEach(() => {
    build()
    socket.hello({ viewers: [] })
  })

  it('offers once and asks for what was wanted as soon as the hub has answered', () => {
    wall.show(1, 42)
    expect(socket.sent).toEqual([])
    peers[0]!.answered('v1')
    expect(socket.sent).toEqual([{ type: 'show', viewer: 'v1', track: 1, serial: 2, camera: 42, quality: 'auto' }])
    expect(peers).toHaveLength(1)
  })

  it('puts in the stored pictures that it did not know when it asked, where nothing is shown yet', () => {
    listed = false
    peers[0]!.answered('v1')
    for (const index of [0, 1]) wall.show(index, 42 + index)
    play(1)
    listed = true
    wall.show(2, 44)
    socket.sent = []
    wall.postersKnown()
    wall.postersKnown()
    const covers = screens.slice(0, 4).map((screen) => screen.log.filter((line) => line.startsWith('cover')))
    expect(covers).toEqual([['cover null', 'cover poster-42'], ['cover null'], ['cover poster-44'], []])
    expect(socket.sent).toEqual([])
  })

  it('switches a camera by one message, without another connection, and covers the old picture at once', () => {
    peers[0]!.answered('v1')
    wall.show(0, 42)
    play(0)
    socket.sent = []
    wall.show(0, 43)
    expect(socket.sent).toHaveLength(1)
    expect(screens[0]!.log.at(-1)).toBe('cover poster-43')
    screens[0]!.onFrame?.({ receivedAt: 1_000 })
    expect(screens[0]!.log.at(-1)).toBe('cover poster-43')
    play(0)
    expect(screens[0]!.log.at(-1)).toBe('reveal')
    expect(peers).toHaveLength(1)
  })

  it('shows at once a picture that overtook the word of the hub', () => {
    peers[0]!.answered('v1')
    wall.show(0, 42)
    play(0)
    wall.show(0, 43)
    screens[0]!.onFrame?.({ receivedAt: 1_000, rtp: 500 })
    tell(0, 'live', { first_rtp: 501 })
    expect(screens[0]!.log.at(-1)).toBe('cover poster-43')
    wall.show(0, 44)
    screens[0]!.onFrame?.({ receivedAt: 1_000, rtp: 900 })
    tell(0, 'live', { first_rtp: 900 })
    expect(screens[0]!.log.at(-1)).toBe('reveal')
  })

  it('does not ask again for what is shown already', () => {
    peers[0]!.answered('v1')
    wall.show(0, 42)
    socket.sent = []
    wall.show(0, 42)
    expect(socket.sent).toEqual([])
    wall.show(0, 42, 'main')
    expect(socket.sent).toHaveLength(1)
    expect(screens[0]!.log.filter((line) => line.startsWith('cover'))).toHaveLength(1)
  })

  it('offers anew when the relay was restarted, keeps the last picture meanwhile, and asks for every tile', () => {
    peers[0]!.answered('v1')
    wall.show(0, 42)
    wall.show(2, 44)
    play(0)
    const serial = wall.tile(0).serial
    socket.sent = []
    socket.say('relay', { relay: 0, epoch: 2 })
    expect(peers).toHaveLength(2)
    expect(peers[0]!.closed).toBe(true)
    expect(screens[0]!.log.at(-1)).toBe('freeze')
    peers[1]!.answered('v2', 2)
    expect(socket.sent.map((show) => [show.viewer, show.track, show.camera])).toEqual([['v2', 0, 42], ['v2', 2, 44]])
    expect(wall.tile(0).serial).toBeGreaterThan(serial)
    expect(screens[0]!.log.at(-1)).toBe('attach 2/0')
    now = 5_000
    expect(wall.snapshot().tiles[0]!.framesShown).toBe(true)
  })

  it('does not offer twice for the relay it has joined already', () => {
    peers[0]!.answered('v1', 2)
    socket.say('relay', { relay: 0, epoch: 2 })
    expect(peers).toHaveLength(1)
  })

  it('offers anew when its viewer is gone, and ignores the end of another', () => {
    peers[0]!.answered('v1')
    socket.say('viewer_gone', { viewer: 'other', reason: 'x' })
    expect(peers).toHaveLength(1)
    socket.say('viewer_gone', { viewer: 'v1', reason: 'x' })
    expect(peers).toHaveLength(2)
  })

  it('keeps its connection when the same hub still knows its viewer', () => {
    peers[0]!.answered('v1')
    wall.show(0, 42)
    socket.dropped = []
    socket.hello()
    expect(peers).toHaveLength(1)
    expect(socket.dropped).toEqual([])
  })

  it('drops what it wanted of a viewer that is gone, for the tiles of that connection alone', () => {
    peers[0]!.answered('v1')
    wall.reach(6)
    peers[1]!.answered('v2')
    socket.dropped = []
    socket.say('viewer_gone', { viewer: 'v2', reason: 'x' })
    expect(socket.dropped).toEqual([4, 5])
  })

  it('does not offer again when a greeting was written before the viewer was made', () => {
    peers[0]!.answered('v1')
    peers[0]!.answeredAt = 150
    socket.hello({ viewers: [] })
    expect(peers).toHaveLength(1)
    socket.since = 200 // another connection, which the viewer was older than
    socket.hello({ viewers: [] })
    expect(peers).toHaveLength(2)
  })

  it('offers anew to a new hub, to a hub that forgot the viewer, and to a relay of another epoch', () => {
    peers[0]!.answered('v1')
    socket.hello({ epoch: 'hub-2' })
    expect(peers).toHaveLength(2)
    peers[1]!.answered('v1')
    socket.hello({ epoch: 'hub-2', viewers: [] })
    expect(peers).toHaveLength(3)
    peers[2]!.answered('v1')
    socket.hello({ epoch: 'hub-2', relays: { 0: 9 } })
    expect(peers).toHaveLength(4)
  })

  it('tries again later when a connection fails', () => {
    peers[0]!.answered('v1')
    peers[0]!.enter('failed')
    expect(peers).toHaveLength(1)
    laters[0]!()
    expect(peers).toHaveLength(2)
    laters[0]!() // an old try of a peer that was replaced does nothing
    expect(peers).toHaveLength(2)
  })

  it('waits no longer to try again when the hub has greeted', () => {
    peers[0]!.enter('failed')
    socket.hello({ viewers: [] })
    expect(peers).toHaveLength(2)
    laters[0]!()
    socket.hello({ viewers: [] }) // its offer is under way
    expect(peers).toHaveLength(2)
  })

  it('notices frames that stop though the hub says live, and asks once more after a while', async () => {
    peers[0]!.answered('v1')
    wall.show(0, 42)
    play(0)
    peers[0]!.counts = [25, 0, 0, 0]
    now = 1_000
    await wall.tick()
    expect(phase(0)).toBe('live')
    now = 6_000
    await wall.tick()
    expect(phase(0)).toBe('stalled')
    socket.sent = []
    now = 16_000
    await wall.tick()
    expect(socket.sent.map((show) => show.camera)).toEqual([42])
    now = 17_000
    await wall.tick()
    expect(socket.sent).toHaveLength(1)
  })

  it('takes a count of frames for life only after a frame of this camera was seen', async () => {
    peers[0]!.answered('v1')
    wall.show(0, 42)
    play(0)
    wall.show(0, 43)
    peers[0]!.counts = [30, 0, 0, 0]
    await wall.tick()
    expect(wall.snapshot().tiles[0]!.framesShown).toBe(false)
  })

  it('makes another connection for the tiles of a larger layout, once, and leaves the first ones alone', async () => {
    peers[0]!.answered('v1')
    wall.show(0, 42)
    wall.reach(4)
    expect(peers).toHaveLength(1)
    wall.reach(6)
    wall.show(5, 47)
    expect(peers.map((peer) => peer.first)).toEqual([0, 4])
    expect(socket.sent.map((show) => show.camera)).toEqual([42])
    peers[1]!.answered('v2')
    expect(socket.sent.slice(1).map((show) => [show.viewer, show.track, show.camera])).toEqual([['v2', 5, 47]])
    tell(5, 'live', { viewer: 'v2' })
    expect(screens[5]!.log.at(-1)).toBe('attach 2/1')
    screens[5]!.onFrame?.({ receivedAt: now + 1 })
    peers[1]!.counts = [0, 9]
    await wall.tick()
    expect(wall.snapshot().tiles[5]!.framesDecoded).toBe(9)
    wall.reach(1)
    wall.reach(6)
    expect(peers).toHaveLength(2)
    socket.say('viewer_gone', { viewer: 'v2', reason: 'x' })
    expect(peers.map((peer) => peer.first)).toEqual([0, 4, 4])
    peers[2]!.answered('v3')
    expect(socket.sent.at(-1)).toMatchObject({ viewer: 'v3', track: 5, camera: 47 })
    expect(wall.snapshot().tiles[0]!.viewer).toBe('v1')
  })

  it('shows key-frame pictures one after the other, and passes over those that came meanwhile', async () => {
    const got = (width: number) => ({ image: { width, close: () => undefined } as ImageBitmap, age: 100 })
    const settled = () => new Promise((done) => setTimeout(done))
    peers[0]!.answered('v1')
    wall.show(0, 42)
    now = 1_000
    tell(0, 'pictures', { picture: 5, stream: 'main' })
    tell(0, 'pictures', { picture: 6, stream: 'main' })
    tell(0, 'pictures', { picture: 7, stream: 'main' })
    expect(stills.map((one) => one.asked)).toEqual(['42 main 5'])
    stills[0]!.done(got(320))
    await settled()
    expect(stills.map((one) => one.asked)).toEqual(['42 main 5', '42 main 7'])
    expect(screens[0]!.log.at(-1)).toBe('still 320')
    expect([phase(0), wall.tile(0).frameAt, wall.snapshot().tiles[0]!.stills]).toEqual(['pictures', 900, 1])
    wall.show(0, 43)
    stills[1]!.done(got(640))
    await settled()
    expect(screens[0]!.log.at(-1)).toBe('cover poster-43')
    tell(0, 'pictures', { picture: 9 })
    stills[2]!.done(null)
    await settled()
    expect(wall.tile(0).frameAt).toBeNull()
    tell(0, 'pictures', { picture: 10 })
    expect(stills.map((one) => one.asked).slice(2)).toEqual(['43 sub 9', '43 sub 10'])
  })

  it('takes the picture from the relay that the hub names', () => {
    build([0, 1])
    peers[0]!.answered('v1')
    peers[1]!.answered('v2')
    wall.show(3, 42)
    tell(3, 'live', { viewer: 'v2' })
    expect(screens[3]!.log.at(-1)).toBe('attach 2/3')
    expect(wall.snapshot().tiles[3]!.viewer).toBe('v2')
  })

  it('keeps the picture before, with its name, until a camera that comes gently is there', () => {
    peers[0]!.answered('v1')
    wall.show(1, 42)
    play(1)
    screens[1]!.log = []
    now += 100
    wall.show(1, 43, 'auto', true)
    expect([wall.tile(1).camera, phase(1), screens[1]!.log]).toEqual([42, 'connecting', []])
    expect(socket.sent.at(-1)).toMatchObject({ track: 1, camera: 43 })
    play(1)
    expect([wall.tile(1).camera, phase(1), screens[1]!.log]).toEqual([43, 'live', ['forget', 'reveal']])
    for (const later of laters.splice(0)) later()
    expect(screens[1]!.log).toEqual(['forget', 'reveal'])
  })

  it('does not keep it for long, nor one that is old, nor at a click', () => {
    peers[0]!.answered('v1')
    wall.show(1, 42)
    play(1)
    screens[1]!.log = []
    wall.show(1, 43, 'auto', true)
    wall.show(1, 44, 'auto', true)
    expect(wall.tile(1).camera).toBe(42)
    for (const later of laters.splice(0)) later()
    expect([wall.tile(1).camera, screens[1]!.log]).toEqual([44, ['cover poster-44']])
    wall.show(1, 45, 'auto', true)
    expect([wall.tile(1).camera, screens[1]!.log.at(-1)]).toEqual([45, 'cover poster-45'])
    play(1)
    wall.show(1, 46)
    expect([wall.tile(1).camera, screens[1]!.log.at(-1)]).toEqual([46, 'cover poster-46'])
  })

  it('makes a connection anew when nothing is heard of the relay, and at once after the computer slept', async () => {
    peers[0]!.answered('v1')
    wall.show(1, 42)
    play(1)
    const looks = async (n: number, heard: number) => {
      for (let i = 0; i < n; i += 1) {
        peers.at(-1)!.heard += heard
        await wall.tick()
      }
    }
    await looks(10, 5)
    await looks(3, 0)
    expect(peers[0]!.gaveUp).toBe(false)
    await looks(1, 0)
    expect(peers[0]!.gaveUp).toBe(true)
    laters.pop()!()
    peers[1]!.answered('v2')
    socket.say('tile', { viewer: 'v2', track: 1, serial: wall.tile(1).serial, camera: 42, state: 'live', reason: null, detail: '', since: null, stream: 'sub', codec: 'H264' })
    await looks(3, 5)
    wall.woken()
    await looks(1, 5)
    expect(peers[1]!.gaveUp).toBe(false)
    wall.woken()
    await looks(2, 0)
    expect(peers[1]!.gaveUp).toBe(true)
    wall.woken() // one that is being made is begun again: what it was sent over may be gone
    expect(peers).toHaveLength(3)
  })

  it('keeps its connections and screens through a thousand scenes, and asks once for each change', () => {
    peers[0]!.answered('v1')
    const before = socket.sent.length
    for (let round = 0; round < 1_000; round += 1) {
      for (let index = 0; index < 4; index += 1) wall.show(index, 100 + ((round + index) % 40), 'auto', round % 2 === 0)
      for (const index of [0, 1, 2, 3]) play(index)
      laters.length = 0
    }
    expect(peers).toHaveLength(1)
    expect(screens.map(({ log }) => log.filter((line) => line.startsWith('attach')).length)).toEqual([1, 1, 1, 1, 0, 0])
    expect(socket.sent.length - before).toBe(4_000)
  })
})
