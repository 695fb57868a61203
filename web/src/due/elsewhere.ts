/** Which runs other windows of this browser show at present: who has the wall on another monitor need not be told of it here. */

/** A window says so this often, and is believed for so long. A page in the background says nothing: nobody looks at it. */
export const SAY_MS = 2_000
export const BELIEVED_MS = 5_000

type Message = { shows: number } | { asks: true }

export class Elsewhere {
  private readonly heard = new Map<number, number>()
  private shown: number | null = null

  constructor(
    private readonly channel: Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>,
    private readonly told: () => void,
    private readonly clock: () => number = () => performance.now(),
    private readonly hidden: () => boolean = () => document.hidden,
  ) {
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ('asks' in data) return this.say()
      this.heard.set(data.shows, this.clock())
      this.told()
    }
    this.post({ asks: true })
  }

  /** This window shows that run, or none. */
  shows(run: number | null): void {
    this.shown = run
    this.say()
  }
  /** To be called every SAY_MS. */
  say(): void {
    if (this.shown !== null && !this.hidden()) this.post({ shows: this.shown })
  }
  runs(): Set<number> {
    const now = this.clock()
    return new Set([...this.heard].filter(([, at]) => now - at < BELIEVED_MS).map(([run]) => run))
  }
  close(): void {
    this.channel.close()
  }
  private post(message: Message): void {
    this.channel.postMessage(message)
  }
}
