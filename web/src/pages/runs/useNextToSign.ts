/** The next record that the user may sign, as the list of those goes on, and how many there are beside the one that is open. */
import { computed, onBeforeUnmount, onMounted, watch, type Ref } from 'vue'
import { api } from '@/api/client'
import { can, live } from '@/stores'
import { useLoad } from '../parts/useLoad'
import type { RecordRow } from './patrolRecord'

const MOST = 200

/** The one below in the list (newest first); at its end the newest one again. */
export function nextToSign(rows: readonly Pick<RecordRow, 'id' | 'own'>[], open: number): number | null {
  const others = rows.filter((one) => !one.own && one.id !== open).sort((a, b) => b.id - a.id)
  return (others.find((one) => one.id < open) ?? others[0])?.id ?? null
}

export function useNextToSign(open: Ref<number>) {
  const list = useLoad((signal) => api.get('/api/records', { query: { signed: 'unsigned', loop: false, limit: MOST }, signal }))
  const stops: (() => void)[] = []
  if (can('sign_records')) {
    watch(open, () => list.refresh())
    void list.load()
    onMounted(() => stops.push(live.on('hello', list.refresh), live.on('reload', list.refresh), live.onChanged('run', list.refresh)))
    onBeforeUnmount(() => {
      for (const stop of stops.splice(0)) stop()
    })
  }
  const rows = computed(() => list.data.value?.records ?? [])
  return { next: computed(() => nextToSign(rows.value, open.value)), left: computed(() => rows.value.filter((one) => !one.own && one.id !== open.value).length) }
}
