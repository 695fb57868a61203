/**
 * How long each camera of a run's current step is really visible on this page: its tile on the screen, the page in front, new
 * frames coming. Reported as sums since the step began, so that a report that is lost does no harm.
 */
import type { Seen } from '@/api/types'

const REPORT_EVERY_MS = 5_000
/** Ticks come every second; where they come later (a sleeping machine) nobody knows what was seen meanwhile. */
const LONGEST_TICK_MS = 2_500

interface Count {
  ms: number
  /** Whether the page was in front at least once while the camera was not to be seen. */
  inFront: boolean
}

export class SeenCounter {
  private counts = new Map<number, Count>()
  private run = 0
  private step: number | null = null
  private tickedAt = 0
  private reportedAt = 0

  constructor(
    private readonly send: (message: Seen) => void,
    private readonly now: () => number,
  ) {}

  /** The run is at this step (null: at none, or no run is shown) with these cameras. The step before is reported for the last time. */
  enter(run: number, step: number | null, cameras: readonly number[]): void {
    if (run === this.run && step === this.step) return
    this.report()
    this.run = run
    this.step = step
    this.counts = new Map(cameras.map((camera) => [camera, { ms: 0, inFront: false }]))
    this.tickedAt = this.reportedAt = this.now()
  }

  /** Called once a second: `visible` are the cameras with a moving picture on the screen now. */
  tick(visible: ReadonlySet<number>, hidden: boolean): void {
    const now = this.now()
    const passed = now - this.tickedAt
    this.tickedAt = now
    if (this.step === null) return
    for (const [camera, count] of this.counts) {
      if (hidden) continue
      count.inFront = true
      if (visible.has(camera) && passed <= LONGEST_TICK_MS) count.ms += passed
    }
    if (now - this.reportedAt >= REPORT_EVERY_MS) this.report()
  }

  /** Reports now: the page is about to be closed, or the step is over. */
  report(): void {
    this.reportedAt = this.now()
    if (this.step === null || !this.counts.size) return
    this.send({
      type: 'seen',
      run: this.run,
      step: this.step,
      cameras: [...this.counts].map(([camera, count]) => ({
        camera,
        seconds: Math.round(count.ms / 100) / 10,
        gap: count.ms > 0 ? null : count.inFront ? 'no_picture' : 'page_hidden',
      })),
    })
  }
}
