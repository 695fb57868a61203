/** Starting what is due, from wherever it is shown. */
import { ref } from 'vue'
import { useRouter } from 'vue-router'
import { showDone, showError } from '@/pages/parts/messages'
import { t } from '@/i18n'
import { decline, startOccurrence } from './store'

export function useDue() {
  const router = useRouter()
  const busy = ref<number | null>(null)

  async function start(id: number): Promise<boolean> {
    busy.value = id
    const { run, error } = await startOccurrence(id)
    busy.value = null
    if (error) showError(error)
    if (run === null) return false
    await router.push({ path: '/wall', query: { run } })
    return true
  }
  async function refuse(id: number): Promise<void> {
    busy.value = id
    const error = await decline(id)
    busy.value = null
    if (error) showError(error)
    else showDone(t('due.declined'))
  }
  return { busy, start, refuse }
}
