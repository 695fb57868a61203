/**
 * The wall: tiles, and the peer connections that carry them. No framework in here; a page places the screens and subscribes.
 *
 * Showing a camera is one WebSocket message (`show`), which the socket repeats after a reconnect until it is confirmed. A lost
 * viewer, a restarted relay or a restarted hub is answered here: by offering again and asking for every tile again, while
 * each tile keeps its last picture.
 */
import type { Hello, RelayNew, Show, TileMessage, ViewerGone } from '@/api/types'
import { Connections, type ConnectionParts } from './connections'
import type { Peer } from './peer'
import type { Screen } from './screen'
import { Stills, type FetchStill } from './stills'
import { withConnection, emptyTile, withFrame, phaseOf, pictureOf, withStill, withMessage, requested, type FrameSeen, type Phase, type Quality, type Tile } from './tile'

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

export interface WallParts extends Pick<ConnectionParts, 'relays' | 'firsts' | 'connect' | 'later'> {
  socket: Socket
  tiles: number
  screen(index: number): Screen
  /** The stored picture shown until the first frame. */
  poster(camera: number): string | null
  still: FetchStill
  now(): number
}

const RESHOW_AFTER_MS = 8_000
const RESHOW_EVERY_MS = 15_000
/** How long the picture before stays, under its own name, while the next one of a carousel or of a tour comes. */
export const HOLD_MS = 400

interface Slot {
  tile: Tile
  /** The tile as it was, whose picture is still there until the next camera's first frame; null: what is there is of now. */
  before: Tile | null
  screen: Screen
  /** Which peer's track the screen shows. */
  source: Peer | null
  decoded: number
  /** The last frame of the track that the screen shows. */
  frame: FrameSeen | null
  reshownAt: number
  stills: Stills
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
  private readonly connections: Connections
  private readonly listeners = new Set<(index: number) => void>()
  private readonly off: (() => void)[] = []
  private hubEpoch: string | null = null
  private stopped = false

  constructor(private readonly parts: WallParts) {
    this.slots = Array.from({ length: parts.tiles }, (_, index) => {
      const screen = parts.screen(index)
      const stills: Stills = new Stills(() => slot.tile, parts.still, (image, age) => this.stillCame(slot, image, age))
      const slot: Slot = { tile: emptyTile(index), before: null, screen, source: null, decoded: 0, frame: null, reshownAt: 0, stills, poster: null }
      screen.onFrame = (frame) => this.frameSeen(slot, frame)
      return slot
    })
    this.connections = new Connections({
      ...parts,
      replacing: (before, relay, first) => this.replacing(before, relay, first),
      changed: (peer) => this.peerChanged(peer),
    })
    const { socket } = parts
    this.off.push(
      socket.on('hello', (message) => this.onHello(message)),
      socket.on('tile', (message) => this.tileMessage(message)),
      socket.on('viewer_gone', (message) => this.viewerGone(message)),
      socket.on('relay', (message) => this.relayNew(message)),
    )
    this.connections.reach(1)
  }

  /** Makes the connections that this many tiles need. Those already made are kept. */
  reach(tiles: number): void {
    this.connections.reach(tiles)
  }

  /**
   * Puts a camera into a tile, or empties it. The same camera in the same quality is left alone. `gently`: the camera before
   * stays, with its name, until the first frame of this one, though not for long: a change that nobody asked for just now.
   */
  show(index: number, camera: number | null, quality: Quality = 'auto', gently = false): void {
    const slot = this.slots[index]
    if (!slot || (slot.tile.camera === camera && (camera === null || slot.tile.quality === quality))) return
    if (camera !== slot.tile.camera) {
      const stays = gently && camera !== null && (slot.before !== null || pictureOf(slot.tile, this.parts.now()) === 'moving')
      if (stays) this.hold(slot)
      else {
        slot.before = null
        this.cover(slot, camera === null ? null : this.parts.poster(camera), camera !== null)
      }
    }
    this.ask(slot, requested(slot.tile, camera, quality, this.parts.now()))
  }

  private hold(slot: Slot): void {
    slot.before ??= slot.tile
    const { before } = slot
    this.parts.later(HOLD_MS, () => {
      if (slot.before === before) this.letGo(slot)
    })
  }

  /** The picture before has stayed for long enough: the stored one stands in. */
  private letGo(slot: Slot): void {
    slot.before = null
    this.cover(slot, slot.tile.camera === null ? null : this.parts.poster(slot.tile.camera), slot.tile.camera !== null)
    this.changed(slot)
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
    const slot = this.slots[index]
    return slot ? (slot.before ?? slot.tile) : emptyTile(index)
  }

  screen(index: number): Screen | null {
    return this.slots[index]?.screen ?? null
  }

  /** The audio track of the connection whose viewer the hub calls so; of the first one for null. */
  audioTrack(viewer: string | null): MediaStreamTrack | null {
    return (viewer === null ? this.connections.all()[0] : this.connections.ofViewer(viewer))?.audioTrack ?? null
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
    for (const peer of this.connections.all()) {
      if (peer.state !== 'connected') continue
      const counts = await peer.framesDecoded()
      if (this.connections.died(peer, this.carries(peer))) continue
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

  /** The computer slept, or its network has changed: connections that are not heard at once are made anew. */
  woken(): void {
    this.connections.woken()
  }

  snapshot(): { peers: { relay: number; state: string; viewer: string | null; epoch: number | null }[]; tiles: TileSnapshot[] } {
    const now = this.parts.now()
    return {
      peers: this.connections.all().map(({ relay, state, viewer, epoch }) => ({ relay, state, viewer, epoch })),
      tiles: this.slots.map(({ tile, decoded, source, stills }) => ({
        index: tile.index,
        camera: tile.camera,
        phase: phaseOf(tile, now),
        reason: tile.reason,
        stream: tile.stream,
        codec: tile.codec,
        framesDecoded: decoded,
        framesShown: tile.frameAt !== null,
        stills: stills.shown,
        firstRtp: tile.firstRtp,
        serial: tile.serial,
        viewer: source?.viewer ?? null,
      })),
    }
  }

  stop(): void {
    this.stopped = true
    for (const off of this.off) off()
    this.connections.stop()
  }

  /** Whether pictures are due on it. */
  private carries(peer: Peer): boolean {
    return this.slots.some(({ source, tile }) => source === peer && tile.hubState === 'live' && tile.note !== 'link_keys')
  }

  private cover(slot: Slot, poster: string | null, hold: boolean): void {
    slot.poster = poster
    slot.screen.cover(poster, hold)
  }

  private ask(slot: Slot, tile: Tile): void {
    slot.tile = tile
    const { index, serial, camera, quality } = tile
    const viewer = this.connections.askedFor(index)
    if (viewer) this.parts.socket.want({ type: 'show', viewer, track: index, serial, camera, quality })
    this.changed(slot) // without a viewer it is asked for as soon as there is one: `showAll`
  }

  /** Another connection is made: tiles keep their last picture, and what was asked for is asked again by `showAll`. */
  private replacing(before: Peer | null, relay: number, first: number): void {
    for (const slot of this.slots) {
      if (!before || slot.source !== before) continue
      if (slot.tile.camera !== null) slot.screen.freeze()
      slot.source = null
      slot.decoded = 0
      slot.tile = withConnection(slot.tile, false)
      this.changed(slot)
    }
    if (relay !== this.connections.mainRelay) return
    for (const { tile } of this.slots) if (this.connections.firstOf(tile.index) === first) this.parts.socket.dropTile(tile.index)
  }

  private peerChanged(peer: Peer): void {
    if (peer.state === 'connecting') {
      this.adopt(peer)
      if (peer.relay === this.connections.mainRelay) this.showAll(peer.first)
    } else if (peer.state === 'connected') this.mark(peer, true)
    else if (peer.state === 'failed') this.mark(peer, false)
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
      if (slot.tile.camera === null || this.connections.firstOf(slot.tile.index) !== first) continue
      const asked = requested(slot.tile, slot.tile.camera, slot.tile.quality, this.parts.now())
      this.ask(slot, { ...asked, hubState: 'connecting', liveAt: null })
    }
  }

  private onHello(hello: Hello): void {
    const newHub = this.hubEpoch !== null && this.hubEpoch !== hello.epoch
    this.hubEpoch = hello.epoch
    this.connections.reachable()
    for (const peer of this.connections.all()) {
      if (peer.viewer === null) continue // its offer is under way
      const epoch = hello.relays[String(peer.relay)]
      // A greeting may have been written before the viewer was made, and come after the hub's answer to its offer.
      const listed = hello.viewers.includes(peer.viewer) || peer.answeredAt > this.parts.socket.since
      const known = !newHub && listed && (epoch === undefined || epoch === peer.epoch)
      if (!known) this.connections.again(peer)
    }
  }

  private tileMessage(message: TileMessage): void {
    const slot = this.slots[message.track]
    if (!slot || message.serial !== slot.tile.serial) return
    const peer = this.connections.ofViewer(message.viewer)
    if (!peer) return
    slot.tile = withMessage(slot.tile, message, this.parts.now())
    if (slot.source !== peer) this.attach(slot, peer)
    this.changed(slot)
    // Frames often overtake this message: the one on the screen may be of this camera already.
    if (slot.tile.frameAt === null && slot.frame) this.accept(slot, slot.frame)
    void slot.stills.follow(() => this.stopped)
  }

  private stillCame(slot: Slot, image: ImageBitmap, age: number): void {
    this.arrived(slot)
    slot.screen.still(image)
    slot.tile = withStill(slot.tile, this.parts.now() - age)
    this.changed(slot)
  }

  private viewerGone(message: ViewerGone): void {
    const peer = this.connections.ofViewer(message.viewer)
    if (peer) this.connections.again(peer)
  }

  private relayNew(message: RelayNew): void {
    for (const peer of this.connections.all()) {
      if (peer.relay === message.relay && peer.epoch !== message.epoch) this.connections.again(peer)
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
    this.arrived(slot)
    slot.screen.reveal()
    if (before.frameAt === null || phaseOf(before, this.parts.now()) !== phaseOf(slot.tile, this.parts.now())) this.changed(slot)
  }

  /** The first picture of another camera that came gently: what was kept of the one before is of no use any more. */
  private arrived(slot: Slot): void {
    if (slot.before === null) return
    slot.before = null
    slot.poster = null
    slot.screen.forget()
  }

  private changed(slot: Slot): void {
    for (const listener of this.listeners) listener(slot.tile.index)
  }
}
