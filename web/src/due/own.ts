/** A person's own patrols that are not at an end, wherever they are in the pages: none is lost with a closed browser. Pure. */
import type { Run } from '@/api/types'

/** Why the person is told: somebody has handed it over to them, or how it stands. */
export type OwnKind = 'handed' | 'closing' | 'paused' | 'running'

export interface OwnPatrol {
  run: Run
  kind: OwnKind
  /** Until when it is put off is kept by this: what changes about the patrol is told at once. */
  key: string
}

export interface Place {
  /** Who is asked. */
  person: number
  /** The run that the page shows; null: none. */
  shown: number | null
  /** Runs that other windows of the browser show: of these only a hand-over is told. */
  elsewhere: ReadonlySet<number>
  /** Key → until when (ms) it is put off. */
  later: ReadonlyMap<string, number>
}

/** What the person is told, the most urgent first: hand-overs that they have not taken note of, then what expires, then what runs. */
export function ownPatrols(runs: readonly Run[], place: Place, nowMs: number): OwnPatrol[] {
  return runs
    .filter((run) => !run.loop && run.state !== 'ended' && run.operator.id === place.person && run.id !== place.shown)
    .map((run): OwnPatrol => {
      const handed = run.handover !== null && run.handover.received_at === null
      const kind = handed ? 'handed' : (run.state as Exclude<OwnKind, 'handed'>)
      return { run, kind, key: handed ? `handed ${run.handover!.id}` : `${kind} ${run.id}` }
    })
    .filter((one) => one.kind === 'handed' || !place.elsewhere.has(one.run.id))
    .filter((one) => nowMs >= (place.later.get(one.key) ?? 0))
    .sort((a, b) => urgency(a) - urgency(b) || a.run.id - b.run.id)
}

function urgency({ run, kind }: OwnPatrol): number {
  if (kind === 'handed') return 0
  return run.expires_at ? Date.parse(run.expires_at) : Infinity
}

/** Whether going on with it ends the pause; an alarm and a steered camera are left to the page of the patrol. */
export function resumes(run: Run): boolean {
  return run.state === 'paused' && (run.pause_reason === 'operator' || run.pause_reason === 'attention')
}
