/** The page's one WebSocket: reconnects with jitter, notices silence, dispatches messages, and sends what the page wants. */
import type { Changed, Heard, Hello, PtzMessage, RelayNew, Seen, TileMessage, Topic, ViewerGone, Warm } from '@/api/types'
import type { PtzCommand } from '@/wall/ptzDrive'
import { Wishes, type WishMessage } from './wishes'

/** `crowded`: the user has too many pages open; one more try is made now and then. */
export type LinkState = 'closed' | 'connecting' | 'open' | 'lost' | 'crowded'

/** The hub's messages, by their `type`. */
export interface Messages {
  hello: Hello
  tile: TileMessage
  heard: Heard
  ptz: PtzMessage
  viewer_gone: ViewerGone
  relay: RelayNew
  changed: Changed
  time: { type: 'time'; now: string }
  reload: { type: 'reload' }
}
type Kind = keyof Messages
type Handler<K extends Kind> = (message: Messages[K]) => void

const SILENCE_MS = 13_000 // the hub sends `time` every 5 s: after two missed ones the connection is dead
const PAUSE_MS = [500, 1_000, 2_000, 4_000]
const CROWDED_MS = 30_000
const OPEN_DEADLINE_MS = 8_000
/** The first connection after a change of the network: it may have been begun before the new one was ready. */
const WOKEN_DEADLINE_MS = 3_000

/** crypto.randomUUID exists on secure origins only, and a township's hub may be plain http. */
export function pageId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export class LiveSocket {
  readonly page = pageId()
  state: LinkState = 'closed'
  /** Hub time minus this machine's, in ms; what every clock on the page shows. */
  offsetMs = 0
  private socket: WebSocket | null = null
  private wanted = false
  private tries = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private silence: ReturnType<typeof setTimeout> | undefined
  private readonly handlers = new Map<Kind, Set<Handler<never>>>()
  private readonly stateHandlers = new Set<(state: LinkState) => void>()
  /** When the connection of now began to be made, ms of performance.now(). */
  since = 0
  private readonly wishes = new Wishes((message) => this.send(message))

  constructor(
    private readonly open: (page: string) => WebSocket = (page) => {
      const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
      return new WebSocket(`${scheme}://${location.host}/api/live`, ['camera-hub', `page.${page}`])
    },
    private readonly onRefused: () => void = () => undefined,
  ) {}

  /** Subscribes; the returned function ends it. */
  on<K extends Kind>(kind: K, handler: Handler<K>): () => void {
    let set = this.handlers.get(kind)
    if (!set) this.handlers.set(kind, (set = new Set()))
    set.add(handler)
    return () => set.delete(handler)
  }

  /** Subscribes to changes of one topic. */
  onChanged(topic: Topic, handler: (change: Changed) => void): () => void {
    return this.on('changed', (change) => {
      if (change.topic === topic) handler(change)
    })
  }

  onState(handler: (state: LinkState) => void): () => void {
    this.stateHandlers.add(handler)
    return () => this.stateHandlers.delete(handler)
  }

  start(): void {
    if (this.wanted) return
    this.wanted = true
    this.tries = 0
    this.connect()
  }

  stop(): void {
    this.wanted = false
    clearTimeout(this.timer)
    clearTimeout(this.silence)
    this.drop()
    this.wishes.clear()
    this.enter('closed')
  }

  /** The computer slept, or its network has changed: what is there may be dead without anybody having said so. */
  woken(): void {
    if (!this.wanted || this.state === 'crowded') return
    this.drop()
    this.tries = 0
    this.connect(WOKEN_DEADLINE_MS)
  }

  /** Asks the hub for a camera in a tile, or for a camera's sound: now, and after each reconnect until it is confirmed. */
  want(message: WishMessage): void {
    this.wishes.set(message)
  }

  /** No camera is asked for in this tile until the next `want`: whatever was wanted is not sent again. */
  dropTile(track: number): void {
    this.wishes.dropTile(track)
  }

  /** Reports what was seen of a run, if there is a connection: the next report holds it all again. */
  report(message: Seen): void {
    this.send(message)
  }

  /** Says which cameras will be shown next, so that their feeds run by then; without a connection there is nothing to say. */
  warm(cameras: number[]): void {
    this.send({ type: 'warm', cameras })
  }

  /** Steers a camera now or never: what cannot be sent is not sent later. Answers false where there is no connection. */
  steer(command: PtzCommand): boolean {
    return this.send(command)
  }

  private send(message: WishMessage | Seen | Warm | PtzCommand): boolean {
    if (this.state !== 'open' || !this.socket) return false
    this.socket.send(JSON.stringify(message))
    return true
  }

  private connect(deadline = OPEN_DEADLINE_MS): void {
    clearTimeout(this.timer)
    if (!this.wanted) return
    if (this.state !== 'crowded') this.enter(this.tries ? 'lost' : 'connecting')
    this.since = performance.now()
    const socket = this.open(this.page)
    this.socket = socket
    this.watch(deadline)
    socket.onmessage = (event) => {
      if (socket === this.socket) this.receive(String(event.data))
    }
    socket.onclose = (event) => {
      if (socket !== this.socket) return
      if (event.code === 4401 || event.code === 1008) this.onRefused()
      if (event.code === 4429) this.waitForRoom()
      else this.retry()
    }
  }

  private receive(text: string): void {
    this.watch(SILENCE_MS)
    const message = JSON.parse(text) as Messages[Kind]
    if (message.type === 'hello' || message.type === 'time') this.offsetMs = Date.parse(message.now) - Date.now()
    if (message.type === 'hello') {
      this.tries = 0
      this.enter('open')
    }
    if (message.type === 'tile') this.wishes.tileConfirmed(message)
    else if (message.type === 'heard') this.wishes.heardConfirmed(message)
    for (const handler of [...(this.handlers.get(message.type) ?? [])]) (handler as (m: Messages[Kind]) => void)(message)
    // After the handlers: those drop the wishes of tiles whose viewer is gone.
    if (message.type === 'hello') this.wishes.onHello(message)
  }

  private watch(ms: number): void {
    clearTimeout(this.silence)
    this.silence = setTimeout(() => this.retry(), ms)
  }

  private retry(): void {
    clearTimeout(this.silence)
    this.drop()
    if (!this.wanted) return
    this.enter('lost')
    // A refused handshake gives no reason (code 1006): after two tries without `hello` the session may have ended. Asked
    // at every further one, since the hub that is asked may not be there yet.
    if (this.tries >= 2) this.onRefused()
    if (!this.wanted) return
    const most = PAUSE_MS[Math.min(this.tries, PAUSE_MS.length - 1)] ?? 4_000
    this.tries += 1
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.connect(), 100 + Math.random() * most)
  }

  private waitForRoom(): void {
    clearTimeout(this.silence)
    this.drop()
    if (!this.wanted) return
    this.enter('crowded')
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.connect(), CROWDED_MS)
  }

  private drop(): void {
    const socket = this.socket
    this.socket = null
    if (socket) {
      socket.onmessage = socket.onclose = null
      socket.close()
    }
  }

  private enter(state: LinkState): void {
    if (state === this.state) return
    this.state = state
    for (const handler of [...this.stateHandlers]) handler(state)
  }
}
