/** What every page shares: the session, the connection to the hub, and the lists that events keep up to date. */
import { setTimeZone } from '@/siteTime'
import { computed, readonly, ref } from 'vue'
import { abortCalls, api, onSignedOut } from '@/api/client'
import type { Action, Camera, Me, Run, Village } from '@/api/types'
import { LiveSocket, type LinkState } from '@/live/socket'
import { onWake } from '@/live/wake'
import { clearCollections, collection } from './collection'
import { notices } from './notices'
import { openAlarms } from './openAlarms'

const meRef = ref<Me | null>(null)
const linkRef = ref<LinkState>('closed')
const nowRef = ref(Date.now())

/** Who is signed in; null before that. */
export const me = readonly(meRef)
export const link = readonly(linkRef)
/** Hub time in ms, moving once a second. */
export const now = readonly(nowRef)

/** How many alarms are open; null: not known. */
export const openAlarmCount = readonly(openAlarms.count)

export const live = new LiveSocket(undefined, () => void refreshSession())

export const villages = collection<Village>('village', () => api.get('/api/villages'), (a, b) => a.position - b.position || a.id - b.id)
export const cameras = collection<Camera>(
  'camera',
  () => api.get('/api/cameras'),
  (a, b) => villagePosition(a.village_id) - villagePosition(b.village_id) || a.village_id - b.village_id || a.position - b.position || a.id - b.id,
)
/** Runs that have not ended, however long ago they started, and those that have ended since the page was loaded. */
export const runs = collection<Run>('run', () => api.get('/api/runs', { query: { state: 'active', limit: 200 } }), (a, b) => b.id - a.id)

/** Cameras that may be watched, in the official order. */
export const approvedCameras = computed(() => cameras.list.value.filter((camera) => camera.state === 'approved'))
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

let opening: Promise<Me | null> | undefined

/** Who is signed in when the page is opened: asked once. */
export function openSession(): Promise<Me | null> {
  return (opening ??= refreshSession())
}

/** After signing in or setting up. */
export function enter(who: Me): void {
  const same = meRef.value?.id === who.id
  meRef.value = who
  setTimeZone(who.time_zone)
  if (same) return
  if (can('view')) live.start() // a contractor has no live pages
  void loadAll()
}

/** Forgets everything that was the user's, and ends what is still on its way for them. */
export function leave(): void {
  if (!meRef.value) return
  meRef.value = null
  abortCalls()
  live.stop()
  clearCollections()
  openAlarms.clear()
  notices.clear()
  for (const handler of [...leaveHandlers]) handler()
}

const leaveHandlers = new Set<() => void>()

/** Calls the handler when the person who is signed in leaves; the returned function ends that. */
export function onLeave(handler: () => void): () => void {
  leaveHandlers.add(handler)
  return () => leaveHandlers.delete(handler)
}

export async function signOut(): Promise<void> {
  await api.delete('/api/session')
  leave()
}

/** Fetches all shared lists; also after every reconnect and when the hub reports that events were lost. */
export async function loadAll(): Promise<void> {
  await Promise.all([villages.load(), ...(can('view') ? [cameras.load(), runs.load()] : []), ...(can('read_health') ? [openAlarms.load(), notices.load()] : [])])
}

/** Connects stores and clock to the hub; once, at start. */
export function wire(onSessionEnd: () => void): void {
  sessionEnded = onSessionEnd
  for (const store of [villages, cameras, runs]) store.listen(live)
  openAlarms.listen(live)
  notices.listen(live)
  let greeted = false
  live.on('hello', () => {
    if (greeted) void loadAll()
    greeted = true
  })
  live.on('reload', () => void loadAll())
  onWake(() => live.woken())
  live.onState((state) => (linkRef.value = state))
  setInterval(() => (nowRef.value = Date.now() + live.offsetMs), 1_000)
  onSignedOut(() => {
    if (!meRef.value) return
    leave()
    sessionEnded()
  })
}
