/** What the operator does with a running patrol: steers it, confirms what was seen, submits it. Each call says what came of it. */
import { computed, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { api, type ApiError, type Result } from '@/api/client'
import type { Run, RunResult } from '@/api/types'
import { t } from '@/i18n'
import { can, link, me, runs } from '@/stores'
import type { WallControl } from '@/wall/control'
import { showDone, showError } from '../parts/messages'
import { asked, type Asked } from './confirming'
import { noteHubTime } from './hubClock'
import { useResults, type Results } from './useResults'
import { useRunOnWall, type RunOnWall } from './useRunOnWall'

export type Verb = 'pause' | 'resume' | 'next' | 'previous' | 'stop'
/** Why the page asks for a pause: its user wants it, or nobody answers. */
export type AskedPause = 'operator' | 'attention'

/** The hub may be reading what was seen while it is already asked to believe it. */
const SEEN_TRIES = 4
const SEEN_PAUSE_MS = 400
/** A hub that has just started believes only what was seen since this page is connected again: as long as that may take, at most. */
const SEEN_ANEW_S = 5
export const EXTEND_S = 30

/** `out`: cameras (position/id) that are not to be confirmed with all the others at the end. */
export interface ClosingDraft {
  note: string
  out: ReadonlySet<string>
}

export interface Patrol extends RunOnWall {
  results: Results
  /** Neither ended nor unknown. */
  active: ComputedRef<boolean>
  /** A patrol with proof, and no loop that is only shown. */
  proof: ComputedRef<boolean>
  /** Whether this user runs it: others look on, and may take it over. */
  mine: ComputedRef<boolean>
  /** What is asked of the operator at the present stop; null: nothing (no patrol, an alarm is on the wall, the hub is away). */
  ask: ComputedRef<Asked | null>
  busy: Ref<boolean>
  /** What went wrong with the last confirmation, until the next one. */
  problem: Ref<ApiError | null>
  /** What was written and chosen while the patrol is closing; it stays while a stop is shown once more. */
  closingDraft: Ref<ClosingDraft>
  act(verb: Verb, reason?: AskedPause): Promise<boolean>
  jump(position: number): Promise<boolean>
  extend(): Promise<boolean>
  handOver(user: number, note: string): Promise<boolean>
  takeOver(): Promise<boolean>
  /** Says that this user has taken note of the hand-over; asked for again by whoever shows it. */
  receive(): Promise<void>
  /** Confirms what one key confirms now, and leads on to the next stop when nothing is left here. */
  confirmNormal(): Promise<void>
  /** `change`: the user knows that it is confirmed already; `words` say why it is changed. */
  confirm(position: number | null, cameras: readonly number[] | null, result: 'normal' | 'abnormal', words?: string, change?: boolean): Promise<boolean>
  /** Nothing is left to be confirmed at that stop: on to the next one, if it is still the one that is on. */
  goOn(position: number): Promise<void>
  submit(note: string): Promise<boolean>
}

/** Whether the patrol goes on by itself once a stop is confirmed: each user's own choice, kept in the browser. */
const LEADS_ON = 'patrol:leads-on'
export const leadsOn = ref(read())

function read(): boolean {
  try {
    return localStorage.getItem(LEADS_ON) !== '0'
  } catch {
    return true
  }
}
export function setLeadsOn(on: boolean): void {
  leadsOn.value = on
  try {
    localStorage.setItem(LEADS_ON, on ? '1' : '0')
  } catch {
    /* storage is switched off: it holds until the page is closed */
  }
}

export function usePatrol(wall: WallControl, runId: () => number | null, wait: (ms: number) => Promise<void> = pause): Patrol {
  const onWall = useRunOnWall(wall, runId)
  const { run, stop, seen } = onWall
  const active = computed(() => run.value !== null && run.value.state !== 'ended')
  const proof = computed(() => active.value && !run.value!.loop)
  const results = useResults(
    () => (run.value && !run.value.loop ? run.value.id : null),
    () => stop.value?.position ?? null,
  )
  const mine = computed(() => active.value && can('run_tours') && (run.value!.loop || run.value!.operator?.id === me.value?.id))
  const busy = ref(false)
  const problem = ref<ApiError | null>(null)
  const closingDraft = shallowRef<ClosingDraft>({ note: '', out: new Set() })
  watch(runId, () => (closingDraft.value = { note: '', out: new Set() }))

  const ask = computed<Asked | null>(() => {
    const current = run.value
    if (!current || !proof.value || !mine.value || !stop.value || current.pause_reason === 'alarm' || !results.loaded.value) return null
    return asked(stop.value, {
      mode: current.confirm,
      least: current.least_s,
      results: results.list.value,
      seen: seen.value,
      dead: new Set(current.dead.map((one) => one.id)),
      selected: wall.selected(),
    })
  })

  function accept(answer: Run): void {
    noteHubTime(answer.now)
    onWall.accept(answer)
    runs.put(answer)
  }

  /** Takes what the hub says; where somebody else was first, what holds now is shown. */
  async function took(answer: Result<Run>): Promise<boolean> {
    if (answer.ok) {
      accept(answer.data)
      return true
    }
    if (/^run_/u.test(answer.error.reason)) {
      const moved = answer.error.params.run as Run | undefined
      if (moved) accept(moved)
      else await onWall.load()
      showDone(t('runs.bar.changed'))
    } else showError(answer.error)
    return false
  }

  /** One act at a time: what is pressed while another is on its way was meant for what stood before. */
  async function asking(call: (path: { run_id: number }, revision: number) => Promise<Result<Run>>): Promise<boolean> {
    const current = run.value
    if (!current || busy.value || !active.value) return false
    busy.value = true
    const answer = await call({ run_id: current.id }, current.revision)
    busy.value = false
    return took(answer)
  }
  const mineAsking: typeof asking = (call) => (mine.value ? asking(call) : Promise.resolve(false))
  const act = (verb: Verb, reason: AskedPause = 'operator'): Promise<boolean> => mineAsking((path, revision) => api.post('/api/runs/{run_id}/{verb}', { path: { ...path, verb }, body: { revision, position: null, reason } }))
  const jump = (position: number): Promise<boolean> => mineAsking((path, revision) => api.post('/api/runs/{run_id}/{verb}', { path: { ...path, verb: 'jump' }, body: { revision, position, reason: 'operator' } }))
  const extend = (): Promise<boolean> => mineAsking((path, revision) => api.post('/api/runs/{run_id}/extend', { path, body: { revision, seconds: EXTEND_S } }))
  const handOver = (user_id: number, note: string): Promise<boolean> => mineAsking((path, revision) => api.post('/api/runs/{run_id}/hand_over', { path, body: { revision, user_id, note } }))
  const takeOver = (): Promise<boolean> => asking((path, revision) => api.post('/api/runs/{run_id}/take_over', { path, body: { revision, note: '' } }))

  async function receive(): Promise<void> {
    const current = run.value
    if (!current || !mine.value) return
    const answer = await api.post('/api/runs/{run_id}/receive', { path: { run_id: current.id } })
    if (answer.ok) accept(answer.data)
    else if (!answer.aborted) void onWall.load()
  }
  /** Somebody else runs it by now: that is said, and what holds now is shown. */
  function refused(error: ApiError): boolean {
    if (error.reason !== 'not_operator') return false
    showError(error)
    void onWall.load()
    return true
  }

  async function confirm(position: number | null, cameras: readonly number[] | null, result: 'normal' | 'abnormal', words = '', change = false): Promise<boolean> {
    const current = run.value
    if (!current || !proof.value || !mine.value) return false
    if (link.value === 'lost') {
      problem.value = { status: 0, kind: 'network', reason: 'network', detail: '', params: {} }
      return false
    }
    busy.value = true
    const anew = result === 'normal' && position === stop.value?.position ? Math.min(current.least_s, SEEN_ANEW_S) * 1_000 : 0
    const most = SEEN_TRIES + Math.ceil(anew / SEEN_PAUSE_MS)
    let answer: Result<RunResult[]>
    for (let tries = 1; ; tries += 1) {
      onWall.report()
      answer = await api.post('/api/runs/{run_id}/confirm', { path: { run_id: current.id }, body: { position, camera_ids: cameras ? [...cameras] : null, result, words, change } })
      if (answer.ok || answer.error.reason !== 'not_seen' || tries === most) break
      await wait(SEEN_PAUSE_MS)
    }
    busy.value = false
    problem.value = answer.ok || answer.aborted || refused(answer.error) ? null : answer.error
    if (answer.ok) results.accept(answer.data)
    void results.load()
    return answer.ok
  }

  async function confirmNormal(): Promise<void> {
    const now = ask.value
    const at = stop.value?.position
    if (!now || at === undefined || busy.value) return
    if (now.cameras.length && !(await confirm(at, now.whole ? null : now.cameras, 'normal'))) return
    if (!now.cameras.length && !now.done) return
    const next = ask.value
    if (next && stop.value?.position === at && next.singly && next.open.length) {
      const one = next.open[0]
      if (one !== undefined) wall.select(one)
      return
    }
    await goOn(at)
  }

  async function goOn(position: number): Promise<void> {
    const left = results.list.value.some((one) => one.position === position && one.result === 'open' && !run.value?.dead.some((dead) => dead.id === one.camera.id))
    if (leadsOn.value && !left && stop.value?.position === position && run.value?.pause_reason !== 'alarm') await act('next')
  }

  async function submit(note: string): Promise<boolean> {
    const current = run.value
    if (!current || busy.value) return false
    busy.value = true
    const answer = await api.post('/api/runs/{run_id}/submit', { path: { run_id: current.id }, body: { note } })
    busy.value = false
    if (answer.ok) accept(answer.data)
    else {
      problem.value = answer.aborted || refused(answer.error) ? null : answer.error
      void results.load()
      void onWall.load()
    }
    return answer.ok
  }

  return { ...onWall, results, active, proof, mine, ask, busy, problem, closingDraft, act, jump, extend, handOver, takeOver, receive, confirmNormal, confirm, goOn, submit }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
