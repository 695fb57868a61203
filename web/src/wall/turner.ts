/**
 * Turns carousels and the magnifier in time: what they are told to show, and which feeds are asked for ahead. A thin loop
 * around carousel.ts: whoever owns it calls `tick` several times a second.
 */
import type { Phase, Tile } from './tile'
import { soon, stepped, turned, upcoming, type Circumstances, type Turning, type Turnings, type Wheel } from './carousel'

/** A feed that runs is shown at once; a camera takes a second or two to answer. */
export const LEAD_MS = 5_000
/** A lease of the hub lasts 8 s. */
export const RENEW_MS = 4_000
export const MOST_WARM = 4
/** A camera that could not be shown is passed over for so long, then tried again. */
export const RETRY_MS = 60_000
/** The pointer that rests on a tile, or a click on it, holds it for so long, then the wall is taken for unattended. */
export const HOLD_MS = 60_000

export interface TurnerParts {
  /** What turns now, by tile. */
  wheels(): ReadonlyMap<number, Wheel>
  /** Tiles to be shown large in turn, and the seconds for each; null: not. */
  magnifier(): Wheel | null
  /** Cameras that are known to be dead, and those in tiles that do not turn. */
  dead(): ReadonlySet<number>
  pinned(): ReadonlySet<number>
  /** Tiles that cannot be seen just now, or that somebody works with. */
  busy(tile: number): boolean
  warm(cameras: number[]): void
  /** Something else is to be shown. */
  changed(): void
  now(): number
}

const MAGNIFIER = 0

export class Turner {
  private turnings: Turnings = new Map()
  private large: Turnings = new Map()
  private readonly stopped = new Set<number>()
  private readonly attended = new Map<number, number>()
  private readonly failing = new Map<number, number>()
  private readonly warmed = new Map<number, number>()
  magnifierStopped = false

  constructor(private readonly parts: TurnerParts) {}

  /** The camera that a turning tile shows; undefined: it does not turn. */
  camera(tile: number): number | null | undefined {
    return this.turnings.get(tile)?.camera
  }

  turning(tile: number): Turning | undefined {
    return this.turnings.get(tile)
  }

  /** The tile that is shown large, and the one that follows. */
  get magnified(): number | null {
    return this.large.get(MAGNIFIER)?.camera ?? null
  }

  get magnifier(): Turning | undefined {
    return this.large.get(MAGNIFIER)
  }

  next(tile: number): number | null {
    const wheel = this.parts.wheels().get(tile)
    return wheel ? upcoming(this.turnings, tile, wheel, this.circumstances()) : null
  }

  nextMagnified(): number | null {
    const wheel = this.parts.magnifier()
    return wheel ? upcoming(this.large, MAGNIFIER, wheel, { dead: new Set(), pinned: new Set() }) : null
  }

  /** Whether the user has stopped it, by its button. */
  isStopped(tile: number): boolean {
    return this.stopped.has(tile)
  }

  toggle(tile: number): void {
    if (!this.stopped.delete(tile)) this.stopped.add(tile)
    this.tick()
  }

  toggleMagnifier(): void {
    this.magnifierStopped = !this.magnifierStopped
    this.tick()
  }

  step(tile: number, by: 1 | -1): void {
    const wheel = this.parts.wheels().get(tile)
    if (wheel) this.set(stepped(this.turnings, tile, wheel, this.circumstances(), by), this.large)
  }

  stepMagnifier(by: 1 | -1): void {
    const wheel = this.parts.magnifier()
    if (wheel) this.set(this.turnings, stepped(this.large, MAGNIFIER, wheel, this.circumstances(), by))
  }

  /** Somebody looks at this tile: it stands still for a while. */
  attend(tile: number): void {
    this.attended.set(tile, this.parts.now())
  }

  leave(tile: number): void {
    this.attended.delete(tile)
  }

  /** The hub could not show this camera; it is passed over for a minute. */
  failed(camera: number): void {
    if (!this.failing.has(camera)) this.failing.set(camera, this.parts.now())
  }

  played(camera: number): void {
    this.failing.delete(camera)
  }

  /** What a turning tile shows: it goes on from what the hub cannot show, but not from what it has no room for. */
  follow({ camera, reason }: Tile, phase: Phase): void {
    if (camera === null) return
    if ((phase === 'failed' || phase === 'refused') && reason !== 'busy') this.failed(camera)
    else if (phase === 'live' || phase === 'pictures') this.played(camera)
  }

  /** Members that are passed over now. */
  passedOver(members: readonly number[]): number[] {
    const dead = this.dead()
    return members.filter((camera) => dead.has(camera))
  }

  tick(): void {
    const now = this.parts.now()
    for (const [camera, since] of this.failing) if (now - since > RETRY_MS) this.failing.delete(camera)
    for (const [tile, since] of this.attended) if (now - since > HOLD_MS) this.attended.delete(tile)
    const wheels = this.parts.wheels()
    for (const tile of this.stopped) if (!wheels.has(tile)) this.stopped.delete(tile)
    const given = this.circumstances()
    const turnings = turned(this.turnings, wheels, given)
    const magnifier = this.parts.magnifier()
    if (!magnifier) this.magnifierStopped = false
    const held = new Set(this.magnifierStopped || this.magnifierHeld(now) ? [MAGNIFIER] : [])
    const large = turned(this.large, magnifier ? new Map([[MAGNIFIER, magnifier]]) : new Map<number, Wheel>(), { dead: new Set(), pinned: new Set(), held, now })
    this.set(turnings, large)
    this.warm(wheels, given, now)
  }

  private magnifierHeld(now: number): boolean {
    const tile = this.magnified
    return tile !== null && (this.parts.busy(tile) || (this.attended.get(tile) ?? -Infinity) > now - HOLD_MS)
  }

  private set(turnings: Turnings, large: Turnings): void {
    if (turnings === this.turnings && large === this.large) return
    this.turnings = turnings
    this.large = large
    this.parts.changed()
  }

  private warm(wheels: ReadonlyMap<number, Wheel>, given: Circumstances, now: number): void {
    for (const [camera, at] of this.warmed) if (now - at > RENEW_MS) this.warmed.delete(camera)
    const wanted = soon(this.turnings, wheels, given, LEAD_MS, MOST_WARM)
    if (wanted.length === 0 || wanted.every((camera) => this.warmed.has(camera))) return
    for (const camera of wanted) this.warmed.set(camera, now)
    this.parts.warm(wanted)
  }

  private dead(): ReadonlySet<number> {
    return new Set([...this.parts.dead(), ...this.failing.keys()])
  }

  private circumstances(): Circumstances {
    const tiles = [...this.parts.wheels().keys()]
    const large = this.magnified
    const held = tiles.filter((tile) => this.stopped.has(tile) || this.attended.has(tile) || tile === large || this.parts.busy(tile))
    return { dead: this.dead(), pinned: this.parts.pinned(), held: new Set(held), now: this.parts.now() }
  }
}
