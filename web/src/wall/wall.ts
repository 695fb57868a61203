/**
 * The wall: tiles, and the peer connections that carry them. No framework in here; a page places the screens and subscribes.
 *
 * Showing a camera is one WebSocket message (`show`), which the socket repeats after a reconnect until it is confirmed. A lost
 * viewer, a restarted relay or a restarted hub is answered here: by offering again and asking for every tile again, while
 * each tile keeps its last picture.
 */
import type { Hello, RelayNew, Show, TileMessage, ViewerGone } from '@/api/types'
import type { Peer } from './peer'
import type { Screen } from './screen'
import { withConnection, emptyTile, withFrame, phaseOf, withStill, withMessage, requested, type FrameSeen, type Phase, type Quality, type Tile } from './tile'

export interface Socket {
  /** When the connection of now began to be made, ms of performance.now(). */
  readonly since: number
  /** Asks for a camera in a tile; asked again after each reconnect until the hub has confirmed it. */
  want(message: Show): void
  /** Nothing is asked for in this tile for now. */
  dropTile(track: number): void
  on(kind: 'hello', handler: (message: Hello) => void): () => void
  on(kind: 'tile', handler: (message: TileMessage) => void): () => void
  on(kind: 'viewer_gone', handler: (message: ViewerGone) => void): () => void
  on(kind: 'relay', handler: (message: RelayNew) => void): () => void
}

export interface WallParts {
  socket: Socket
  tiles: number
  relays: readonly number[]
  /** The first tile of each peer connection to a relay; all but the first are made when a layout reaches so far. */
  firsts: readonly number[]
  /** Makes a peer connection to a relay for the tiles from `first` on; the wall calls `offer` on it. */
  connect(relay: number, first: number, onState: (peer: Peer) => void): Peer
  screen(index: number): Screen
  /** The stored picture shown until the first frame. */
  poster(camera: number): string | null
  /** The key-frame picture with that number and its age in ms; null when it cannot be fetched. */
  still(camera: number, stream: 'main' | 'sub', number: number): Promise<{ image: ImageBitmap; age: number } | null>
  now(): number
  later(ms: number, what: () => void): void
}

const OFFER_PAUSE_MS = [0, 500, 1_000, 2_000, 4_000, 8_000]
const RESHOW_AFTER_MS = 8_000
const RESHOW_EVERY_MS = 15_000

interface Slot {
  tile: Tile
  screen: Screen
  /** Which peer's track the screen shows. */
  source: Peer | null
  decoded: number
  /** The last frame of the track that the screen shows. */
  frame: FrameSeen | null
  reshownAt: number
  /** Key-frame pictures: whether one is being fetched, the number of the last one, and how many were shown. */
  fetching: boolean
  fetched: number | null
  stills: number
  poster: string | null
}

export interface TileSnapshot {
  index: number
  camera: number | null
  phase: Phase
  reason: string | null
  stream: string | null
  codec: string | null
  framesDecoded: number
  framesShown: boolean
  stills: number
  firstRtp: number | null
  serial: number
  viewer: string | null
}

export class Wall {
  private readonly slots: Slot[]
  private readonly peers = new Map<string, Peer>()
  private readonly tries = new Map<string, number>()
  private reached = 0
  private readonly listeners = new Set<(index: number) => void>()
  private readonly off: (() => void)[] = []
  private hubEpoch: string | null = null
  private stopped = false

  constructor(private readonly parts: WallParts) {
    this.slots = Array.from({ length: parts.tiles }, (_, index) => {
      const screen = parts.screen(index)
      const slot: Slot = { tile: emptyTile(index), screen, source: null, decoded: 0, frame: null, reshownAt: 0, fetching: false, fetched: null, stills: 0, poster: null }
      screen.onFrame = (frame) => this.frameSeen(slot, frame)
      return slot
    })
    const { socket } = parts
    this.off.push(
      socket.on('hello', (message) => this.onHello(message)),
      socket.on('tile', (message) => this.tileMessage(message)),
      socket.on('viewer_gone', (message) => this.viewerGone(message)),
      socket.on('relay', (message) => this.relayNew(message)),
    )
    this.reach(1)
  }

  /** Makes the connections that this many tiles need. Those already made are kept. */
  reach(tiles: number): void {
    for (const first of this.parts.firsts) {
      if (first < this.reached || first >= tiles) continue
      for (const relay of this.parts.relays) this.offer(relay, first)
    }
    this.reached = Math.max(this.reached, tiles)
  }

  /** Puts a camera into a tile, or empties it. The same camera in the same quality is left alone. */
  show(index: number, camera: number | null, quality: Quality = 'auto'): void {
    const slot = this.slots[index]
    if (!slot || (slot.tile.camera === camera && (camera === null || slot.tile.quality === quality))) return
    if (camera !== slot.tile.camera) this.cover(slot, camera === null ? null : this.parts.poster(camera), camera !== null)
    this.ask(slot, requested(slot.tile, camera, quality, this.parts.now()))
  }

  /** Stored pictures have become known: those of cameras that have shown nothing yet are put in. */
  postersKnown(): void {
    for (const slot of this.slots) {
      const { camera, frameAt } = slot.tile
      const poster = camera === null || frameAt !== null || slot.poster !== null ? null : this.parts.poster(camera)
      if (poster !== null) this.cover(slot, poster, true)
    }
  }

  /** Asks the hub once more for a tile's camera: the operator's own retry. */
  again(index: number): void {
    const slot = this.slots[index]
    if (slot && slot.tile.camera !== null) this.ask(slot, requested(slot.tile, slot.tile.camera, slot.tile.quality, this.parts.now()))
  }

  tile(index: number): Tile {
    return this.slots[index]?.tile ?? emptyTile(index)
  }

  screen(index: number): Screen | null {
    return this.slots[index]?.screen ?? null
  }

  /** The audio track of the connection whose viewer the hub calls so; of the first one for null. */
  audioTrack(viewer: string | null): MediaStreamTrack | null {
    const peers = [...this.peers.values()]
    return (viewer === null ? peers[0] : peers.find((peer) => peer.viewer === viewer))?.audioTrack ?? null
  }

  /** The connection that carries a tile: the one to ask for its figures. */
  carrier(index: number): Peer | null {
    return this.slots[index]?.source ?? null
  }

  /** Calls the listener with the index of each tile whose state may have changed. */
  listen(listener: (index: number) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Called once a second: count frames, notice stalls, and ask again for a tile that has been stalled for long. */
  async tick(): Promise<void> {
    for (const peer of this.peers.values()) {
      if (peer.state !== 'connected') continue
      const counts = await peer.framesDecoded()
      for (const slot of this.slots) {
        if (slot.source !== peer) continue
        const count = counts[slot.tile.index - peer.first] ?? 0
        // The count says only that frames flow; that it is of this camera only an accepted frame says.
        if (count > slot.decoded && slot.tile.frameAt !== null && !slot.tile.still) slot.tile = { ...slot.tile, frameAt: this.parts.now() }
        slot.decoded = count
      }
    }
    const now = this.parts.now()
    for (const slot of this.slots) {
      if (slot.tile.camera === null) continue
      const stoodSince = slot.tile.frameAt ?? slot.tile.liveAt ?? now
      if (phaseOf(slot.tile, now) === 'stalled' && now - stoodSince > RESHOW_AFTER_MS && now - slot.reshownAt > RESHOW_EVERY_MS) {
        slot.reshownAt = now
        this.again(slot.tile.index)
      }
      this.changed(slot)
    }
  }

  snapshot(): { peers: { relay: number; state: string; viewer: string | null; epoch: number | null }[]; tiles: TileSnapshot[] } {
    const now = this.parts.now()
    return {
      peers: [...this.peers.values()].map(({ relay, state, viewer, epoch }) => ({ relay, state, viewer, epoch })),
      tiles: this.slots.map(({ tile, decoded, source, stills }) => ({
        index: tile.index,
        camera: tile.camera,
        phase: phaseOf(tile, now),
        reason: tile.reason,
        stream: tile.stream,
        codec: tile.codec,
        framesDecoded: decoded,
        framesShown: tile.frameAt !== null,
        stills,
        firstRtp: tile.firstRtp,
        serial: tile.serial,
        viewer: source?.viewer ?? null,
      })),
    }
  }

  stop(): void {
    this.stopped = true
    for (const off of this.off) off()
    for (const peer of this.peers.values()) peer.close()
    this.peers.clear()
  }

  private cover(slot: Slot, poster: string | null, hold: boolean): void {
    slot.poster = poster
    slot.screen.cover(poster, hold)
  }

  private ask(slot: Slot, tile: Tile): void {
    slot.tile = tile
    // Shows go to the first relay's viewer; the hub's answer names the one that carries the tile.
    const { index, serial, camera, quality } = tile
    const viewer = this.peers.get(keyOf(this.mainRelay, this.firstOf(index)))?.viewer
    if (viewer) this.parts.socket.want({ type: 'show', viewer, track: index, serial, camera, quality })
    this.changed(slot) // without a viewer it is asked for as soon as there is one: `showAll`
  }

  private get mainRelay(): number {
    return this.parts.relays[0] ?? 0
  }

  /** The first tile of the connection that carries this one. */
  private firstOf(index: number): number {
    return Math.max(...this.parts.firsts.filter((first) => first <= index))
  }

  private offer(relay: number, first: number): void {
    if (this.stopped) return
    const key = keyOf(relay, first)
    const before = this.peers.get(key)
    if (before) {
      for (const slot of this.slots) {
        if (slot.source !== before) continue
        if (slot.tile.camera !== null) slot.screen.freeze()
        slot.source = null
        slot.decoded = 0
        slot.tile = withConnection(slot.tile, false)
        this.changed(slot)
      }
      before.close()
    }
    if (relay === this.mainRelay) for (const slot of this.slots) if (this.firstOf(slot.tile.index) === first) this.parts.socket.dropTile(slot.tile.index)
    const peer = this.parts.connect(relay, first, (changed) => this.peerChanged(changed))
    this.peers.set(key, peer)
    void peer.offer()
  }

  private peerChanged(peer: Peer): void {
    if (!this.isCurrent(peer)) return
    if (peer.state === 'connecting') {
      this.adopt(peer)
      if (peer.relay === this.mainRelay) this.showAll(peer.first)
    } else if (peer.state === 'connected') {
      this.tries.delete(keyOf(peer.relay, peer.first))
      this.mark(peer, true)
    } else if (peer.state === 'failed') {
      this.mark(peer, false)
      this.offerLater(peer)
    }
  }

  private offerLater(peer: Peer): void {
    const key = keyOf(peer.relay, peer.first)
    const tries = this.tries.get(key) ?? 0
    this.tries.set(key, tries + 1)
    const most = OFFER_PAUSE_MS[Math.min(tries, OFFER_PAUSE_MS.length - 1)] ?? 8_000
    this.parts.later(Math.random() * most, () => {
      if (this.isCurrent(peer)) this.offer(peer.relay, peer.first)
    })
  }

  private isCurrent(peer: Peer): boolean {
    return this.peers.get(keyOf(peer.relay, peer.first)) === peer
  }

  /** Tiles without a source get theirs from this peer. */
  private adopt(peer: Peer): void {
    for (const slot of this.slots) if (slot.source === null) this.attach(slot, peer)
  }

  private attach(slot: Slot, peer: Peer): void {
    const track = peer.tracks[slot.tile.index - peer.first]
    if (!track) return
    slot.source = peer
    slot.decoded = 0
    slot.frame = null
    slot.tile = withConnection(slot.tile, peer.state === 'connected')
    slot.screen.attach(track)
  }

  private mark(peer: Peer, up: boolean): void {
    for (const slot of this.slots) {
      if (slot.source !== peer) continue
      slot.tile = withConnection(slot.tile, up)
      this.changed(slot)
    }
  }

  /** A new viewer shows nothing yet: ask for every tile, under new serials. */
  private showAll(first: number): void {
    for (const slot of this.slots) {
      if (slot.tile.camera === null || this.firstOf(slot.tile.index) !== first) continue
      const asked = requested(slot.tile, slot.tile.camera, slot.tile.quality, this.parts.now())
      this.ask(slot, { ...asked, hubState: 'connecting', liveAt: null })
    }
  }

  private onHello(hello: Hello): void {
    const newHub = this.hubEpoch !== null && this.hubEpoch !== hello.epoch
    this.hubEpoch = hello.epoch
    for (const peer of [...this.peers.values()]) {
      if (peer.viewer === null) continue // its offer is under way, or has failed and will be repeated
      const epoch = hello.relays[String(peer.relay)]
      // A greeting may have been written before the viewer was made, and come after the hub's answer to its offer.
      const listed = hello.viewers.includes(peer.viewer) || peer.answeredAt > this.parts.socket.since
      const known = !newHub && listed && (epoch === undefined || epoch === peer.epoch)
      if (!known) this.offer(peer.relay, peer.first)
    }
  }

  private tileMessage(message: TileMessage): void {
    const slot = this.slots[message.track]
    if (!slot || message.serial !== slot.tile.serial) return
    const peer = [...this.peers.values()].find((one) => one.viewer === message.viewer)
    if (!peer) return
    slot.tile = withMessage(slot.tile, message, this.parts.now())
    if (slot.source !== peer) this.attach(slot, peer)
    this.changed(slot)
    // Frames often overtake this message: the one on the screen may be of this camera already.
    if (slot.tile.frameAt === null && slot.frame) this.accept(slot, slot.frame)
    void this.fetchStills(slot)
  }

  /** Fetches the newest key-frame picture until it is shown: one at a time, skipping those that were replaced meanwhile. */
  private async fetchStills(slot: Slot): Promise<void> {
    if (slot.fetching) return
    slot.fetching = true
    while (!this.stopped && slot.tile.hubState === 'pictures' && slot.tile.camera !== null && slot.tile.picture !== null) {
      const { camera, stream, picture } = slot.tile
      if (picture === slot.fetched) break
      const got = await this.parts.still(camera, stream ?? 'sub', picture)
      slot.fetched = picture // whether or not it could be fetched: the next one comes soon
      if (!got) continue
      if (slot.tile.camera !== camera || slot.tile.hubState !== 'pictures') got.image.close()
      else {
        slot.screen.still(got.image)
        slot.stills += 1
        slot.tile = withStill(slot.tile, this.parts.now() - got.age)
        this.changed(slot)
      }
    }
    slot.fetching = false
  }

  private viewerGone(message: ViewerGone): void {
    for (const peer of [...this.peers.values()]) if (peer.viewer === message.viewer) this.offer(peer.relay, peer.first)
  }

  private relayNew(message: RelayNew): void {
    for (const peer of [...this.peers.values()]) {
      if (peer.relay === message.relay && peer.epoch !== message.epoch) this.offer(peer.relay, peer.first)
    }
  }

  private frameSeen(slot: Slot, frame: FrameSeen): void {
    slot.frame = frame
    this.accept(slot, frame)
  }

  private accept(slot: Slot, frame: FrameSeen): void {
    const before = slot.tile
    slot.tile = withFrame(before, frame, this.parts.now())
    if (slot.tile === before) return
    slot.screen.reveal()
    if (before.frameAt === null || phaseOf(before, this.parts.now()) !== phaseOf(slot.tile, this.parts.now())) this.changed(slot)
  }

  private changed(slot: Slot): void {
    for (const listener of this.listeners) listener(slot.tile.index)
  }
}

function keyOf(relay: number, first: number): string {
  return `${relay}/${first}`
}
