/** The plan that a template suggests: in words, and as the address that hands it over to the page of plans. */
import type { LocationQueryRaw } from 'vue-router'
import type { SuggestedPlan } from '@/api/types'
import { t } from '@/i18n'

export function planText(plan: SuggestedPlan): string {
  const parts = [
    plan.seasons.map((one) => t('tours.templates.season', { first: dayText(one.first), last: dayText(one.last) })).join(t('common.comma')),
    plan.weekdays.length ? t('tours.templates.workdays') : '',
    plan.times.join(' '),
    plan.every_minutes === null ? '' : t('tours.templates.every', { n: plan.every_minutes / 60 }),
  ]
  return parts.filter(Boolean).join(' · ')
}

/** "06-01" as a day that people read. */
function dayText(day: string): string {
  const [month, date] = day.split('-').map(Number)
  return t('tours.templates.day', { month: month ?? 1, day: date ?? 1 })
}

/** The season that is on at `today` ("2026-11-29") or begins next, as dates; null: the whole year. */
export function seasonDates(plan: SuggestedPlan, today: string): { first: string; last: string } | null {
  const year = Number(today.slice(0, 4))
  const all = plan.seasons.flatMap((one) =>
    [year - 1, year, year + 1].map((from) => ({ first: `${from}-${one.first}`, last: `${one.last < one.first ? from + 1 : from}-${one.last}` })),
  )
  return all.filter((one) => one.last >= today).sort((a, b) => a.first.localeCompare(b.first))[0] ?? null
}

/** What the page of plans is handed: the tour and its usual times. */
export function planQuery(tour: number, plan: SuggestedPlan | null, today: string): LocationQueryRaw {
  if (!plan) return { tour }
  const season = seasonDates(plan, today)
  return {
    tour,
    ...(plan.times.length ? { times: plan.times.join(',') } : {}),
    ...(plan.every_minutes === null ? {} : { every: plan.every_minutes }),
    ...(plan.weekdays.length ? { weekdays: plan.weekdays.join(',') } : {}),
    ...(season ? { first: season.first, last: season.last } : {}),
  }
}
