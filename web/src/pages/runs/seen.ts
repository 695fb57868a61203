/**
 * How long each camera of a run's step was really seen on this page, and why not. What a tile shows is judged by `sightOf`
 * (pure) from what the browser tells; `SeenMeter` sums it up. What is sent are sums since the step began, so that a message
 * that is lost does no harm.
 */
import type { Seen } from '@/api/types'

/** Why a camera was not seen. `covered`: something lies over its tile, or the whole window is covered. */
export type Gap = 'page_hidden' | 'covered' | 'off_screen' | 'no_picture' | 'frozen' | 'black'

/** `still`: a picture that has not changed since the last look. It counts as soon as it changes: see `FROZEN_AFTER_MS`. */
export type Sight = 'visible' | 'still' | Gap

/** What is known of a tile at one moment. */
export interface TileFacts {
  pageVisible: boolean
  /** Whether the browser draws this page: a covered window often stands still without being called hidden. */
  drawn: boolean
  /** Of the points of the tile that were tried: how many lie outside the window, and over how many something else lies. */
  points: { tried: number; outside: number; covered: number }
  picture: 'moving' | 'old' | 'none'
  /** The picture against that of a second before; null: it could not be read. */
  look: 'changed' | 'same' | 'black' | null
}

/** One step of a run's record, as the page knows it. `least`: seconds from which a camera counts as seen. */
export interface SeenStep {
  run: number
  step: number
  cameras: readonly number[]
  least: number
}

export interface SeenOfCamera {
  seconds: number
  /** What mostly hindered, while it is not seen for long enough; null: nothing worth telling. */
  gap: Gap | null
}

export const SEND_EVERY_MS = 5_000
/** A camera at rest looks the same until its next key frame; one that still does after so long is taken for frozen. */
export const FROZEN_AFTER_MS = 10_000
/** A timer that was late (a laptop asleep) has measured nothing. */
const LONGEST_TICK_MS = 2_000
/** What hindered for less than this is no reason: every stop begins with a moment without a picture. */
const SHORTEST_GAP_MS = 1_000

/** A tile is seen if it may lose one point of those tried: a short message at its edge hides nothing. */
function most(points: number): number {
  return points > 3 ? 1 : 0
}

export function sightOf(facts: TileFacts): Sight {
  if (!facts.pageVisible) return 'page_hidden'
  if (!facts.drawn) return 'covered'
  const allowed = most(facts.points.tried)
  if (facts.points.outside > allowed) return 'off_screen'
  if (facts.points.covered > allowed) return 'covered'
  if (facts.picture === 'none') return 'no_picture'
  if (facts.picture === 'old') return 'frozen'
  if (facts.look === 'black') return 'black'
  return facts.look === 'same' ? 'still' : 'visible'
}

interface Sum {
  ms: number
  /** How long the picture has not changed: counted when it does, unless it took too long. */
  still: number
  gaps: Map<Gap, number>
}

export class SeenMeter {
  private step: SeenStep | null = null
  private sums = new Map<number, Sum>()
  private tickedAt: number | null = null
  private sentAt = 0

  constructor(private readonly send: (message: Seen) => void) {}

  /** Another step is on (null: none): what was seen of the one before is sent. */
  enter(step: SeenStep | null, now: number): void {
    if (this.step?.run === step?.run && this.step?.step === step?.step) return
    this.flush(now)
    this.step = step
    this.sums = new Map((step?.cameras ?? []).map((camera) => [camera, { ms: 0, still: 0, gaps: new Map<Gap, number>() }] as const))
    this.tickedAt = now
    this.sentAt = now
  }

  /** Several times a second: what each camera's tile shows; a camera that is in no tile is not on the screen. */
  tick(sights: ReadonlyMap<number, Sight>, now: number): void {
    const passed = this.tickedAt === null ? 0 : now - this.tickedAt
    this.tickedAt = now
    if (!this.step) return
    const least = this.step.least * 1_000
    let crossed = false
    for (const [camera, sum] of this.sums) {
      const before = sum.ms
      add(sum, sights.get(camera) ?? 'off_screen', passed)
      crossed ||= before < least && sum.ms >= least
    }
    // What may be confirmed from now on must be known to the hub at once.
    if (crossed || now - this.sentAt >= SEND_EVERY_MS) this.flush(now, false)
  }

  /** What was seen of the present step so far. */
  seen(): ReadonlyMap<number, SeenOfCamera> {
    return new Map([...this.sums].map(([camera, sum]) => [camera, { seconds: sum.ms / 1_000, gap: this.gapOf(sum) }] as const))
  }

  /** Sends what was seen so far. Until the visit is `over` nothing is said of cameras that may still be seen: the hub would take them for passed over. */
  flush(now: number, over = true): void {
    if (!this.step) return
    const least = this.step.least * 1_000
    const told = [...this.sums].map(([camera, sum]) => ({ camera, ms: sum.ms, gap: this.gapOf(sum) })).filter((one) => over || one.gap !== null || one.ms >= least)
    this.sentAt = now
    if (told.length === 0) return
    this.send({ type: 'seen', run: this.step.run, step: this.step.step, cameras: told.map(({ camera, ms, gap }) => ({ camera, seconds: Math.round(ms / 100) / 10, gap })) })
  }

  private gapOf(sum: Sum): Gap | null {
    if (sum.ms >= (this.step?.least ?? 0) * 1_000) return null
    let [found, longest] = [null as Gap | null, Math.max(SHORTEST_GAP_MS, sum.ms)]
    for (const [gap, ms] of sum.gaps) if (ms >= longest) [found, longest] = [gap, ms]
    return found
  }
}

function add(sum: Sum, sight: Sight, passed: number): void {
  // A hidden page is woken seldom; that it was hidden meanwhile is known all the same.
  if (passed > LONGEST_TICK_MS && sight !== 'page_hidden') return
  if (sight === 'still') {
    const frozen = sum.still >= FROZEN_AFTER_MS
    sum.still += passed
    if (sum.still >= FROZEN_AFTER_MS) count(sum.gaps, 'frozen', frozen ? passed : sum.still)
    return
  }
  if (sight === 'visible') sum.ms += passed + (sum.still < FROZEN_AFTER_MS ? sum.still : 0)
  else count(sum.gaps, sight, passed)
  sum.still = 0
}

function count(gaps: Map<Gap, number>, gap: Gap, ms: number): void {
  gaps.set(gap, (gaps.get(gap) ?? 0) + ms)
}
