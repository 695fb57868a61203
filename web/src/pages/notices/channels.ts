/** Channels in words: which alarms they get, and how the last attempt ended. */
import type { NoticeChannel, NoticeRule } from '@/api/types'

export type LastResult = 'disabled' | 'unused' | 'delivered' | 'failed'

export function lastResult(channel: Pick<NoticeChannel, 'enabled' | 'last_attempt_at' | 'last_error'>): LastResult {
  if (!channel.enabled) return 'disabled'
  if (channel.last_attempt_at === null) return 'unused'
  return channel.last_error === null ? 'delivered' : 'failed'
}

type Words = (key: string, values?: Record<string, unknown>) => string

/** One rule: its village, aspect and lowest severity; a rule that limits nothing means every alarm. */
export function ruleWords(rule: NoticeRule, t: Words, villageName: (id: number) => string): string {
  const parts = [
    rule.village_id === null ? null : villageName(rule.village_id),
    rule.aspect === null ? null : t(`notices.aspect.${rule.aspect}`),
    rule.min_severity === null ? null : t('notices.atLeast', { severity: t(`notices.severity.${rule.min_severity}`) }),
  ].filter((part) => part !== null)
  return parts.length ? parts.join(' · ') : t('notices.everything')
}

/** What the hub accepts as a channel's address. */
export function isWebAddress(text: string): boolean {
  return /^https?:\/\/./.test(text.trim())
}
