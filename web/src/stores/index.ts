/** What every page shares: session, hub link, and the lists that events keep right. */
import { computed, readonly, ref } from 'vue'
import { api, onSignedOut } from '@/api/client'
import type { Action, Alarm, Camera, Me, Run, Village } from '@/api/types'
import { LiveSocket, type LinkState } from '@/live/socket'
import { collection } from './collection'

const meRef = ref<Me | null>(null)
const linkRef = ref<LinkState>('closed')
const nowRef = ref(Date.now())

/** Who is signed in; null before that. */
export const me = readonly(meRef)
export const link = readonly(linkRef)
/** Hub time in ms, moving once a second. */
export const now = readonly(nowRef)

export const live = new LiveSocket(undefined, () => void refreshSession())

export const villages = collection<Village>('village', () => api.get('/api/villages'), (a, b) => a.position - b.position || a.id - b.id)
export const cameras = collection<Camera>(
  'camera',
  () => api.get('/api/cameras'),
  (a, b) => villagePosition(a.village_id) - villagePosition(b.village_id) || a.village_id - b.village_id || a.position - b.position || a.id - b.id,
)
/** Open alarms only; closed ones are history, which the alarms page fetches. */
export const alarms = collection<Alarm>(
  'alarm',
  () => api.get('/api/alarms', { query: { open: true } }),
  (a, b) => b.opened_at.localeCompare(a.opened_at) || b.id - a.id,
)
/** Runs that are not ended. */
export const runs = collection<Run>('run', async () => {
  const result = await api.get('/api/runs', { query: { limit: 50 } })
  return result.ok ? { ok: true, data: result.data.filter((run) => run.state !== 'ended') } : result
}, (a, b) => b.id - a.id)

/** Cameras that may be watched, in the official order. */
export const approvedCameras = computed(() => cameras.list.value.filter((camera) => camera.state === 'approved'))
export const openAlarms = computed(() => alarms.list.value.filter((alarm) => !alarm.closed_at))
export const activeRuns = computed(() => runs.list.value.filter((run) => run.state !== 'ended'))

function villagePosition(id: number): number {
  return villages.byId.get(id)?.position ?? Number.MAX_SAFE_INTEGER
}

/** Whether the user's role may do this; pages show no button that would be refused. */
export function can(action: Action): boolean {
  return meRef.value?.actions.includes(action) ?? false
}

/** Hub time as a Date; for countdowns use `now` in a computed. */
export function hubNow(): Date {
  return new Date(Date.now() + live.offsetMs)
}

let sessionEnded: () => void = () => undefined

/** Asks the hub who is signed in; a session that has ended leads to the sign-in page. */
export async function refreshSession(): Promise<Me | null> {
  const result = await api.get('/api/session')
  if (result.ok) enter(result.data)
  else if (result.error.status === 401 && meRef.value) {
    leave()
    sessionEnded()
  }
  return meRef.value
}

/** After signing in or setting up. */
export function enter(who: Me): void {
  const same = meRef.value?.id === who.id
  meRef.value = who
  if (same) return
  live.start()
  void loadAll()
}

/** Forgets everything that was the user's. */
export function leave(): void {
  if (!meRef.value) return
  meRef.value = null
  live.stop()
  for (const store of [villages, cameras, alarms, runs]) store.clear()
}

export async function signOut(): Promise<void> {
  await api.delete('/api/session')
  leave()
}

/** Fetches all shared lists; also after every reconnect and when the hub says that events were lost. */
export async function loadAll(): Promise<void> {
  await Promise.all([villages.load(), cameras.load(), can('read_health') ? alarms.load() : null, runs.load()])
}

/** Connects stores and clock to the hub; once, at start. */
export function wire(onSessionEnd: () => void): void {
  sessionEnded = onSessionEnd
  for (const store of [villages, cameras, alarms, runs]) store.listen(live)
  let greeted = false
  live.on('hello', () => {
    if (greeted) void loadAll()
    greeted = true
  })
  live.on('reload', () => void loadAll())
  live.onState((state) => (linkRef.value = state))
  setInterval(() => (nowRef.value = Date.now() + live.offsetMs), 1_000)
  onSignedOut(() => {
    if (!meRef.value) return
    leave()
    sessionEnded()
  })
}
