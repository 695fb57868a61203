/**
 * How long each camera of a run's step was really seen on this page: its tile on the screen with a moving picture, and the
 * page itself not hidden. What is sent are sums since the step began, so that a message that is lost does no harm.
 */
import type { Seen } from '@/api/types'

/** One step of a run's record, as the page knows it. */
export interface SeenStep {
  run: number
  step: number
  cameras: readonly number[]
}

export const SEND_EVERY_MS = 5_000
/** A timer that was late (a laptop asleep) has measured nothing. */
const LONGEST_TICK_MS = 2_000

export class SeenMeter {
  private step: SeenStep | null = null
  private sums = new Map<number, number>()
  private everVisible = false
  private tickedAt: number | null = null
  private sentAt = 0

  constructor(private readonly send: (message: Seen) => void) {}

  /** Another step is on (null: none): what was seen of the one before is sent. */
  enter(step: SeenStep | null, now: number): void {
    if (this.step?.run === step?.run && this.step?.step === step?.step) return
    this.flush(now)
    this.step = step
    this.sums = new Map((step?.cameras ?? []).map((camera) => [camera, 0] as const))
    this.everVisible = false
    this.tickedAt = now
    this.sentAt = now
  }

  /** Several times a second: `moving` are the cameras with a moving picture in a tile that can be seen. */
  tick(moving: ReadonlySet<number>, pageVisible: boolean, now: number): void {
    const passed = this.tickedAt === null ? 0 : now - this.tickedAt
    this.tickedAt = now
    if (!this.step) return
    this.everVisible ||= pageVisible
    if (pageVisible && passed <= LONGEST_TICK_MS) {
      for (const [camera, sum] of this.sums) if (moving.has(camera)) this.sums.set(camera, sum + passed / 1_000)
    }
    if (now - this.sentAt >= SEND_EVERY_MS) this.flush(now)
  }

  /** Sends what was seen so far. */
  flush(now: number): void {
    if (!this.step || this.sums.size === 0) return
    this.sentAt = now
    this.send({
      type: 'seen',
      run: this.step.run,
      step: this.step.step,
      cameras: [...this.sums].map(([camera, seconds]) => ({
        camera,
        seconds: Math.round(seconds * 10) / 10,
        gap: seconds > 0 ? null : this.everVisible ? 'no_picture' : 'page_hidden',
      })),
    })
  }
}
