/** One person's notices: how many are unread, and which one has just come. The hub counts; no page holds them all. */
import { ref } from 'vue'
import { api } from '@/api/client'
import type { components } from '@/api/schema'
import type { LiveSocket } from '@/live/socket'

export type Notice = components['schemas']['NoticeAnswer']

/** A digest and its alarms may come in the same second: the count is asked for once after them. */
const PAUSE_MS = 500

/** null: not known (yet). */
const unread = ref<number | null>(null)
let newest = 0
let generation = 0
let timer: ReturnType<typeof setTimeout> | undefined
const handlers = new Set<(notice: Notice) => void>()

function take(answer: { unread: number; newest: number | null }): void {
  unread.value = answer.unread
  newest = Math.max(newest, answer.newest ?? 0)
}

async function load(): Promise<void> {
  const mine = ++generation
  clearTimeout(timer)
  timer = undefined
  const answer = await api.get('/api/notices/unread')
  if (mine === generation && answer.ok) take(answer.data) // else a later call asks again, or somebody else is signed in
}

export const notices = {
  unread,
  load,
  /** Marks this notice and all before it as read. */
  async read(upTo: number): Promise<void> {
    const mine = ++generation
    const answer = await api.post('/api/notices/read', { body: { up_to: upTo } })
    if (mine === generation && answer.ok) take(answer.data)
  },
  clear(): void {
    generation += 1
    clearTimeout(timer)
    timer = undefined
    unread.value = null
    newest = 0
  },
  /** Calls the handler for each notice that comes while the page is open; the returned function ends that. */
  onNew(handler: (notice: Notice) => void): () => void {
    handlers.add(handler)
    return () => handlers.delete(handler)
  },
  listen(live: LiveSocket): () => void {
    return live.onChanged('notice', (change) => {
      const notice = change.data as unknown as Notice | null
      // Another page's reading is told by the same event: a notice that is known, or read, is not new.
      if (notice && notice.id > newest && notice.read_at === null && unread.value !== null) {
        newest = notice.id
        for (const handler of [...handlers]) handler(notice)
      }
      timer ??= setTimeout(() => void load(), PAUSE_MS)
    })
  },
}
