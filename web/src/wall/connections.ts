/** The peer connections of a wall: made as far as its tiles reach, and made anew when they fail, die or are no longer known. */
import { Life } from './life'
import type { Peer } from './peer'

export interface ConnectionParts {
  relays: readonly number[]
  /** The first tile of each connection to a relay; all but the first are made when a layout reaches so far. */
  firsts: readonly number[]
  connect(relay: number, first: number, onState: (peer: Peer) => void): Peer
  later(ms: number, what: () => void): void
  /** A connection is about to be made, instead of this one if there was one. */
  replacing(before: Peer | null, relay: number, first: number): void
  /** The state of a connection in use has changed. */
  changed(peer: Peer): void
}

const OFFER_PAUSE_MS = [0, 500, 1_000, 2_000, 4_000]

export class Connections {
  private readonly peers = new Map<string, Peer>()
  private readonly tries = new Map<string, number>()
  private readonly lives = new WeakMap<Peer, Life>()
  private reached = 0
  private stopped = false

  constructor(private readonly parts: ConnectionParts) {}

  /** Makes the connections that this many tiles need. Those already made are kept. */
  reach(tiles: number): void {
    for (const first of this.parts.firsts) {
      if (first < this.reached || first >= tiles) continue
      for (const relay of this.parts.relays) this.offer(relay, first)
    }
    this.reached = Math.max(this.reached, tiles)
  }

  all(): Peer[] {
    return [...this.peers.values()]
  }

  /** The connection with that viewer of the hub. */
  ofViewer(viewer: string): Peer | undefined {
    return this.all().find((peer) => peer.viewer === viewer)
  }

  get mainRelay(): number {
    return this.parts.relays[0] ?? 0
  }

  /** The first tile of the connection that carries this one. */
  firstOf(tile: number): number {
    return Math.max(...this.parts.firsts.filter((first) => first <= tile))
  }

  /** The viewer that is asked for a tile's camera: the first relay's. The hub's answer names the one that carries the tile. */
  askedFor(tile: number): string | null {
    return this.peers.get(keyOf(this.mainRelay, this.firstOf(tile)))?.viewer ?? null
  }

  /** Makes a connection, instead of the one that is there. */
  offer(relay: number, first: number): void {
    if (this.stopped) return
    const key = keyOf(relay, first)
    const before = this.peers.get(key) ?? null
    this.parts.replacing(before, relay, first)
    before?.close()
    const peer = this.parts.connect(relay, first, (changed) => this.changed(changed))
    this.peers.set(key, peer)
    void peer.offer()
  }

  again(peer: Peer): void {
    this.offer(peer.relay, peer.first)
  }

  /** Once a second, after its figures were read. Answers whether nothing is heard of the relay; it is then made anew. */
  died(peer: Peer, carries: boolean): boolean {
    const dead = this.lifeOf(peer).look(peer.heard, carries)
    if (dead) peer.giveUp()
    return dead
  }

  /** The computer slept, or its network has changed: connections that are not heard at once are made anew. */
  woken(): void {
    this.tries.clear()
    for (const peer of this.all()) {
      if (peer.state === 'connected') this.lifeOf(peer).woken()
      else this.again(peer)
    }
  }

  /** The hub can be reached: what waits to be offered again waits no longer. */
  reachable(): void {
    this.tries.clear()
    for (const peer of this.all()) if (peer.state === 'failed') this.again(peer)
  }

  stop(): void {
    this.stopped = true
    for (const peer of this.all()) peer.close()
    this.peers.clear()
  }

  private lifeOf(peer: Peer): Life {
    const life = this.lives.get(peer) ?? new Life()
    this.lives.set(peer, life)
    return life
  }

  private changed(peer: Peer): void {
    if (!this.isCurrent(peer)) return
    if (peer.state === 'connected') this.tries.delete(keyOf(peer.relay, peer.first))
    this.parts.changed(peer)
    if (peer.state === 'failed') this.offerLater(peer)
  }

  private offerLater(peer: Peer): void {
    const key = keyOf(peer.relay, peer.first)
    const tries = this.tries.get(key) ?? 0
    this.tries.set(key, tries + 1)
    const most = OFFER_PAUSE_MS[Math.min(tries, OFFER_PAUSE_MS.length - 1)] ?? 4_000
    this.parts.later(Math.random() * most, () => {
      if (this.isCurrent(peer)) this.again(peer)
    })
  }

  private isCurrent(peer: Peer): boolean {
    return this.peers.get(keyOf(peer.relay, peer.first)) === peer
  }
}

function keyOf(relay: number, first: number): string {
  return `${relay}/${first}`
}
