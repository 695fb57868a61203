/** How much waits in the inbox: the number at its tab. */
import { computed } from 'vue'
import { villages } from '@/stores'

export const waitingCount = computed(() => villages.list.value.reduce((sum, village) => sum + village.counts.waiting, 0))

export async function loadWaiting(): Promise<void> {
  if (!villages.loaded.value) await villages.load()
}
