/** The categories of findings, by the words of the page's language: they are a setting of the hub. */
import { computed } from 'vue'
import { api } from '@/api/client'
import { i18n } from '@/i18n'
import { useLoad } from '../parts/useLoad'

export function useCategories() {
  const load = useLoad((signal) => api.get('/api/findings/categories', { signal }))
  void load.load()
  const english = computed(() => i18n.global.locale.value === 'en')
  const byCode = computed(() => new Map((load.data.value ?? []).map((one) => [one.code, english.value ? one.en : one.zh])))
  return { category: (code: string): string => byCode.value.get(code) ?? code, loaded: computed(() => load.data.value !== null || load.error.value !== null) }
}
