/** The own patrols as the pages tell of them, and what can be done from there. */
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { api } from '@/api/client'
import type { Run } from '@/api/types'
import { showError } from '@/pages/parts/messages'
import { can, me, now, onLeave, runs } from '@/stores'
import { LATER_MS } from './due'
import { Elsewhere, SAY_MS } from './elsewhere'
import { ownPatrols, resumes, type OwnPatrol } from './own'

/** Kept while the page is open: after signing in again all is told anew. */
const later = ref(new Map<string, number>())
onLeave(() => (later.value = new Map()))

/** One for this window: a page may have several places that tell of own patrols. */
const elsewhere = shallowRef<ReadonlySet<number>>(new Set())
let windows: Elsewhere | null = null
let listeners = 0
let timer: ReturnType<typeof setInterval> | undefined

function readWindows(): void {
  const heard = windows?.runs() ?? new Set<number>()
  if (heard.size !== elsewhere.value.size || [...heard].some((run) => !elsewhere.value.has(run))) elsewhere.value = heard
}
function listen(): () => void {
  if (typeof BroadcastChannel === 'undefined') return () => undefined
  listeners += 1
  if (listeners === 1) {
    windows = new Elsewhere(new BroadcastChannel('patrol-shown'), readWindows)
    timer = setInterval(() => {
      windows?.say()
      readWindows()
    }, SAY_MS)
  }
  return () => {
    listeners -= 1
    if (listeners) return
    clearInterval(timer)
    windows?.close()
    windows = null
    readWindows()
  }
}

function putOff(one: OwnPatrol): void {
  later.value = new Map(later.value).set(one.key, now.value + LATER_MS)
}

async function receive(run: Run): Promise<boolean> {
  const answer = await api.post('/api/runs/{run_id}/receive', { path: { run_id: run.id } })
  if (answer.ok) runs.put(answer.data)
  else if (!answer.aborted) {
    showError(answer.error)
    void runs.load()
  }
  return answer.ok
}

export function useOwn() {
  const route = useRoute()
  const router = useRouter()
  const busy = ref(false)
  /** The run on the wall, as its page reads it. */
  const shown = computed(() => (route.path === '/wall' && /^[1-9]\d*$/.test(String(route.query.run ?? '')) ? Number(route.query.run) : null))
  let stop: () => void = () => undefined
  onMounted(() => {
    stop = listen()
    watch(shown, (run) => windows?.shows(run), { immediate: true })
  })
  onBeforeUnmount(() => stop())
  const own = computed(() => (me.value && can('run_tours') ? ownPatrols(runs.list.value, { person: me.value.id, shown: shown.value, elsewhere: elsewhere.value, later: later.value }, now.value) : []))

  /** One press: to the patrol, and on with it. That a hand-over is received, its page says. */
  async function go({ run, kind }: OwnPatrol): Promise<void> {
    if (busy.value) return
    busy.value = true
    if (kind === 'paused' && resumes(run)) {
      const answer = await api.post('/api/runs/{run_id}/{verb}', { path: { run_id: run.id, verb: 'resume' }, body: { revision: run.revision, position: null, reason: 'operator' } })
      if (answer.ok) runs.put(answer.data)
      else if (!answer.aborted && !/^run_/u.test(answer.error.reason)) showError(answer.error)
    }
    await router.push({ path: '/wall', query: { run: run.id } })
    busy.value = false
  }
  /** Not now. A hand-over is taken note of for good; the patrol itself is told of again. */
  async function away(one: OwnPatrol): Promise<void> {
    if (one.kind !== 'handed') return putOff(one)
    busy.value = true
    if (await receive(one.run)) putOff({ ...one, key: `${one.run.state} ${one.run.id}` })
    busy.value = false
  }
  return { own, shown, busy, go, away }
}
