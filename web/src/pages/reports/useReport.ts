/** The span, village and ranking of a report stand in the address; the report follows them. */
import { computed, watch, type ComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { api } from '@/api/client'
import { now } from '@/stores'
import { dateText } from '@/siteTime'
import { useLoad, type Loaded } from '../parts/useLoad'
import { isDay, presetSpan, RANKED, type Ranked, type Report, type Span } from './report'

export interface ReportChoice {
  today: ComputedRef<string>
  span: ComputedRef<Span>
  village: ComputedRef<number | null>
  rankedBy: ComputedRef<Ranked>
  report: Loaded<Report>
  choose(change: Partial<Span & { village: number | null; rankedBy: Ranked }>): void
}

export function useReport(): ReportChoice {
  const route = useRoute()
  const router = useRouter()
  const today = computed(() => dateText(now.value))
  const span = computed<Span>(() => {
    const { first, last } = route.query
    return isDay(first) && isDay(last) ? { first, last } : presetSpan('month', today.value)
  })
  const village = computed(() => Number(route.query.village_id) || null)
  const rankedBy = computed<Ranked>(() => RANKED.find((one) => one === route.query.ranked_by) ?? 'online_time')
  const report = useLoad((signal) => api.get('/api/reports', { query: { ...span.value, village_id: village.value ?? undefined, ranked_by: rankedBy.value }, signal }))

  watch([() => span.value.first, () => span.value.last, village, rankedBy], () => void report.load(), { immediate: true })
  function choose(change: Partial<Span & { village: number | null; rankedBy: Ranked }>): void {
    const query = {
      ...route.query,
      first: change.first ?? span.value.first,
      last: change.last ?? span.value.last,
      village_id: (change.village === undefined ? village.value : change.village) ?? undefined,
      ranked_by: change.rankedBy ?? rankedBy.value,
    }
    void router.replace({ query })
  }
  return { today, span, village, rankedBy, report, choose }
}
