/** Lengths in words. */
import { t } from '@/i18n'

export function lengthText(metres: number): string {
  if (metres >= 10_000) return t('map.kilometres', { n: Math.round(metres / 1_000) })
  if (metres >= 1_000) return t('map.kilometres', { n: Number((metres / 1_000).toFixed(1)) })
  return t('map.metres', { n: metres >= 10 ? Math.round(metres) : Number(metres.toFixed(1)) })
}
