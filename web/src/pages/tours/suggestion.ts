/** The plan that a template suggests: in words, and as the address that hands it over to the page of plans. */
import type { LocationQueryRaw } from 'vue-router'
import type { SuggestedPlan, Tour } from '@/api/types'
import { t } from '@/i18n'
import { seasonsText } from '../parts/seasons'

export function planText(plan: SuggestedPlan): string {
  const parts = [
    plan.seasons.length ? t('plans.yearly', { spans: seasonsText(plan.seasons) }) : '',
    plan.weekdays.length ? t('tours.templates.workdays') : '',
    plan.times.join(' '),
    plan.every_minutes === null ? '' : t('tours.templates.every', { n: plan.every_minutes / 60 }),
  ]
  return parts.filter(Boolean).join(' · ')
}

/** What the page of plans is handed: the tour and its usual times and seasons. */
export function planQuery(tour: Pick<Tour, 'id' | 'name'>, plan: SuggestedPlan | null): LocationQueryRaw {
  return {
    tour: tour.id,
    name: tour.name,
    ...(plan ? usual(plan) : {}),
  }
}

function usual(plan: SuggestedPlan): LocationQueryRaw {
  return {
    ...(plan.times.length ? { times: plan.times.join(',') } : {}),
    ...(plan.every_minutes === null ? {} : { every: plan.every_minutes }),
    ...(plan.weekdays.length ? { weekdays: plan.weekdays.join(',') } : {}),
    ...(plan.seasons.length ? { seasons: plan.seasons.map((one) => `${one.first}_${one.last}`).join(',') } : {}),
  }
}
