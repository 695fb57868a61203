/** What a search would cover, counted by the hub while the user types; a refusal is shown beside the range that it is about. */
import { onBeforeUnmount, ref, watch } from 'vue'
import { api, type ApiError } from '@/api/client'
import { errorText, t } from '@/i18n'
import type { SweepPlan } from '@/api/types'
import { looksLikeRange, splitRanges } from './ranges'

const PAUSE_MS = 400

export interface RangeProblem {
  text: string
  problem: string
}

export function usePlan(villageId: () => number | null, text: () => string) {
  const plan = ref<SweepPlan | null>(null)
  const problems = ref<RangeProblem[]>([])
  const error = ref<ApiError | null>(null)
  const planning = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  async function ask(): Promise<void> {
    const mine = ++turn
    const village_id = villageId()
    const ranges = splitRanges(text())
    plan.value = null
    error.value = null
    const misshapen = ranges.filter((range) => !looksLikeRange(range))
    problems.value = misshapen.map((range) => ({ text: range, problem: t('devices.wizard.rangeShape') }))
    if (village_id === null || misshapen.length > 0) {
      planning.value = false
      return
    }
    planning.value = true
    const answer = await api.post('/api/discovery/plan', { body: { village_id, ranges } })
    if (mine !== turn) return
    if (answer.ok) plan.value = answer.data
    else await blame(mine, village_id, ranges, answer.error)
    if (mine === turn) planning.value = false
  }

  /** Finds out which range is meant: by asking for each alone, where there are several. */
  async function blame(mine: number, village_id: number, ranges: string[], whole: ApiError): Promise<void> {
    const refused: RangeProblem[] = []
    if (whole.status === 422 || whole.status === 413) {
      for (const range of ranges) {
        const answer = await api.post('/api/discovery/plan', { body: { village_id, ranges: [range] } })
        if (mine !== turn) return
        if (!answer.ok) refused.push({ text: range, problem: errorText(answer.error) })
      }
    }
    problems.value = refused
    if (refused.length === 0) error.value = whole
  }

  watch(
    [villageId, text],
    () => {
      clearTimeout(timer)
      timer = setTimeout(() => void ask(), PAUSE_MS)
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    clearTimeout(timer)
    turn += 1
  })
  return { plan, problems, error, planning, ask }
}
