/** The inbox of one village, read again whenever something of it changes. */
import { computed, onBeforeUnmount, onMounted, watch } from 'vue'
import { api } from '@/api/client'
import type { Camera, InboxCamera } from '@/api/types'
import { can, live } from '@/stores'
import { useLoad } from '../parts/useLoad'
import { keepCounts } from '../devices/waitingCount'

/** Pictures of a whole recorder arrive within seconds: they are read together. */
const TOGETHER_MS = 700
/** Who has no live connection asks instead. */
const POLL_MS = 5_000

export function useInbox(villageId: () => number | null) {
  const { data, error, loading, load, refresh } = useLoad(async (signal) => {
    const id = villageId()
    const answer = await api.get('/api/inbox', { query: id === null ? {} : { village_id: id }, signal })
    if (answer.ok) keepCounts(answer.data.villages)
    return answer
  })
  let timer: ReturnType<typeof setTimeout> | undefined
  let poll: ReturnType<typeof setInterval> | undefined
  const stops: (() => void)[] = []

  function soon(): void {
    clearTimeout(timer)
    timer = setTimeout(refresh, TOGETHER_MS)
  }
  const known = (id: number): boolean => data.value?.devices.some((device) => device.cameras.some((camera) => camera.id === id)) ?? false

  onMounted(() => {
    stops.push(
      live.onChanged('inbox', (change) => Number(change.id) === villageId() && soon()),
      live.onChanged('village', (change) => Number(change.id) === villageId() && soon()),
      live.onChanged('camera', (change) => {
        const camera = change.data as unknown as Camera | null
        const waits = camera !== null && camera.village_id === villageId() && camera.state !== 'approved' && camera.state !== 'retired'
        if (waits || known(Number(change.id))) soon()
      }),
      live.on('hello', soon),
      live.on('reload', soon),
    )
    if (!can('view')) poll = setInterval(refresh, POLL_MS)
    void load()
  })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    clearInterval(poll)
    for (const stop of stops.splice(0)) stop()
  })
  watch(villageId, () => {
    data.value = null
    void load()
  })

  /** Shows a change at once; the next reading confirms or corrects it. */
  function patch(id: number, change: Partial<InboxCamera> | null): void {
    if (!data.value) return
    data.value = {
      ...data.value,
      devices: data.value.devices
        .map((device) => ({ ...device, cameras: change === null ? device.cameras.filter((one) => one.id !== id) : device.cameras.map((one) => (one.id === id ? { ...one, ...change } : one)) }))
        .filter((device) => device.cameras.length > 0),
    }
  }

  return { inbox: data, error, loading: computed(() => loading.value && data.value === null), load, refresh: soon, patch }
}

export type InboxRoom = ReturnType<typeof useInbox>
