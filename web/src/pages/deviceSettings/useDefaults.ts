/** What an empty form begins with: the site's time server. */
import { onMounted, ref } from 'vue'
import { readDefaults } from './calls'
import type { Defaults } from './types'

export function useDefaults() {
  const defaults = ref<Pick<Defaults, 'ntp_server'>>({ ntp_server: '' })
  onMounted(async () => {
    const answer = await readDefaults()
    if (answer.ok) defaults.value = answer.data
  })
  return defaults
}
