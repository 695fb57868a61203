/**
 * What this page wants of the hub: a camera per tile, and the one camera it listens to.
 *
 * The one place that decides what is sent again after a reconnect. A message written into a connection that is already dead
 * is lost without an error, so a wish is sent after every (re)connect until the hub has confirmed its serial. Sending one
 * twice is harmless: the hub ignores a serial that it knows.
 */
import type { Heard, Hello, Listen, Show, TileMessage } from '@/api/types'

export type WishMessage = Show | Listen

interface Wish {
  message: WishMessage
  confirmed: boolean
}

const LISTEN = 'listen'

export class Wishes {
  private readonly wishes = new Map<string, Wish>()
  private hubEpoch: string | null = null

  /** `send` answers false where there is no connection. */
  constructor(private readonly send: (message: WishMessage) => boolean) {}

  /** Replaces what was wanted of the same tile (or of the sound), and sends it if there is a connection. */
  set(message: WishMessage): void {
    this.wishes.set(keyOf(message), { message, confirmed: false })
    this.send(message)
  }

  /** Nothing is asked for this tile now: a new connection to the relay is being made, and the hub forgets the tile with the old one. */
  dropTile(track: number): void {
    this.wishes.delete(tileKey(track))
  }

  clear(): void {
    this.wishes.clear()
    this.hubEpoch = null
  }

  /** (Re)connected: send what the hub has not confirmed, and what it cannot know any more. */
  onHello(hello: Hello): void {
    const newHub = this.hubEpoch !== null && this.hubEpoch !== hello.epoch
    this.hubEpoch = hello.epoch
    for (const wish of this.wishes.values()) {
      // A hub that holds no viewer of this page has forgotten the page, and with it what it listens to.
      if (wish.message.type === 'listen' && (newHub || hello.viewers.length === 0)) wish.confirmed = false
      if (!wish.confirmed) this.send(wish.message)
    }
  }

  tileConfirmed(message: TileMessage): void {
    this.confirm(tileKey(message.track), message.serial)
  }

  heardConfirmed(message: Heard): void {
    // Switched off, refused or ended: nothing is wanted any more, not even of a new hub.
    if (message.state === 'off' && this.wishes.get(LISTEN)?.message.serial === message.serial) this.wishes.delete(LISTEN)
    else this.confirm(LISTEN, message.serial)
  }

  private confirm(key: string, serial: number): void {
    const wish = this.wishes.get(key)
    if (wish && wish.message.serial === serial) wish.confirmed = true
  }
}

function tileKey(track: number): string {
  return `tile ${track}`
}

function keyOf(message: WishMessage): string {
  return message.type === 'show' ? tileKey(message.track) : LISTEN
}
