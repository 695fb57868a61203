/** The state of "add devices" from the chosen village to the registered cameras, without its presentation. */
import { computed, reactive, ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import { cameras } from '@/stores'
import type { Camera, DeviceRegistered, FoundDevice } from '@/api/types'
import { eachLimited } from './limited'
import { devices } from './store'

/** At most so many devices are asked at once: a village's link carries live pictures at the same time. */
const AT_ONCE = 3

/** What most makers call the user that a device comes with. */
export const USUAL_USER = 'admin'

export type Progress = 'waiting' | 'working' | 'ok' | 'failed'

export interface Job {
  found: FoundDevice
  state: Progress
  error: ApiError | null
  cameras: number
  /** A login of its own, where the common one does not fit. */
  own: { username: string; password: string } | null
}

export function useRegistration(villageId: () => number | null) {
  const jobs = reactive<Job[]>([])
  const login = reactive({ username: USUAL_USER, password: '' })
  const busy = ref(false)
  const registered = reactive(new Set<number>())
  const registeredDevices = ref(0)

  const failed = computed(() => jobs.filter((job) => job.state === 'failed'))
  const finished = computed(() => jobs.filter((job) => job.state === 'ok' || job.state === 'failed').length)
  const result = computed<Camera[]>(() => cameras.list.value.filter((camera) => registered.has(camera.id)))

  function choose(found: readonly FoundDevice[]): void {
    const kept = new Map(jobs.map((job) => [job.found.key, job]))
    jobs.splice(0, jobs.length, ...found.map((row) => kept.get(row.key) ?? { found: row, state: 'waiting' as const, error: null, cameras: 0, own: null }))
  }

  /** Adds what the hub registered; events for these cameras may have arrived already. */
  function accept(answer: DeviceRegistered): void {
    devices.put(answer.device)
    for (const camera of answer.cameras) {
      const known = cameras.byId.get(camera.id)
      if (!known || known.proving) cameras.put(known?.picture_at ? known : camera)
      registered.add(camera.id)
    }
    registeredDevices.value += 1
  }

  async function register(job: Job): Promise<void> {
    const village_id = villageId()
    if (village_id === null) return
    job.state = 'working'
    job.error = null
    const { host, port, name, endpoint } = job.found
    const { username, password } = job.own ?? login
    const answer = await api.post('/api/devices', { body: { village_id, host, port, name, endpoint, found: true, username, password } })
    if (answer.ok) {
      job.cameras = answer.data.cameras.length
      job.state = 'ok'
      accept(answer.data)
    } else {
      job.error = answer.error
      job.state = 'failed'
    }
  }

  /** Registers all that wait; once some were tried only the failed ones, with the present login. */
  async function run(): Promise<void> {
    const next = jobs.filter((job) => job.state !== 'ok')
    for (const job of next) job.state = 'waiting'
    busy.value = true
    await eachLimited(next, AT_ONCE, register)
    busy.value = false
  }

  async function again(job: Job): Promise<void> {
    busy.value = true
    await register(job)
    busy.value = false
  }

  function reset(): void {
    jobs.splice(0)
    registered.clear()
    registeredDevices.value = 0
    Object.assign(login, { username: USUAL_USER, password: '' })
  }

  return { jobs, login, busy, failed, finished, result, registeredDevices, choose, accept, run, again, reset }
}

export type Registration = ReturnType<typeof useRegistration>
