/** How much waits in the inboxes that the user sees: the number at their tab, kept up to date by events. */
import { computed, reactive } from 'vue'
import { api } from '@/api/client'
import type { InboxCounts } from '@/api/types'
import { can, live, onLeave } from '@/stores'

const counts = reactive(new Map<number, InboxCounts>())
onLeave(() => counts.clear())
live.onChanged('inbox', (change) => {
  if (change.data) counts.set(Number(change.id), change.data as unknown as InboxCounts)
})

export const inboxCounts: ReadonlyMap<number, InboxCounts> = counts

/** All that somebody has to do something about. */
export const total = (one: InboxCounts): number => one.candidates + one.waiting + one.returned
export const waitingCount = computed(() => [...counts.values()].reduce((sum, one) => sum + total(one), 0))

export function keepCounts(list: readonly InboxCounts[]): void {
  counts.clear()
  for (const one of list) counts.set(one.village_id, one)
}

export async function loadWaiting(): Promise<void> {
  if (!can('intake')) return
  const answer = await api.get('/api/inbox')
  if (answer.ok) keepCounts(answer.data.villages)
}
