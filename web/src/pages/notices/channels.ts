/** Channels in words: which alarms they get, and how the last attempt ended. */
import type { components } from '@/api/schema'
import type { NoticeChannel, NoticeRule } from '@/api/types'

type Schemas = components['schemas']
export type ChannelKind = NoticeChannel['kind']
type Options = Schemas['ChannelOptions']
export type Trial = Schemas['ChannelTrialAnswer']

export const KINDS: readonly ChannelKind[] = ['wecom', 'dingtalk', 'sms', 'smtp', 'webhook']
export const PORTS = { none: 25, starttls: 587, tls: 465 } as const
export const PLACEHOLDERS = '{text} {title} {phone} {phones} {id}'

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

/** What the dialog holds of a channel, secrets empty: they are sent only when somebody enters them. */
export interface ChannelDraft {
  name: string
  kind: ChannelKind
  url: string
  village_id: number | null
  aspect: NoticeRule['aspect']
  min_severity: NoticeRule['min_severity']
  method: 'GET' | 'POST'
  format: 'json' | 'form' | 'xml' | 'text'
  body: string
  phones: string
  accepted: string
  headerName: string
  headerValue: string
  sign: string
  security: keyof typeof PORTS
  port: number
  verify: boolean
  sender: string
  recipients: string
  username: string
  password: string
  proxy: string
  quietFrom: string
  quietTo: string
}

export function emptyDraft(): ChannelDraft {
  return {
    name: '', kind: 'wecom', url: '', village_id: null, aspect: null, min_severity: null,
    method: 'POST', format: 'json', body: '{"phones": "{phones}", "content": "{text}"}', phones: '', accepted: '', headerName: '', headerValue: '',
    sign: '', security: 'starttls', port: 587, verify: true, sender: '', recipients: '', username: '', password: '',
    proxy: '', quietFrom: '22:00', quietTo: '07:00',
  }
}

/** A stored channel in the dialog. */
export function draftOf(channel: NoticeChannel): ChannelDraft {
  const options = channel.options as Partial<Record<keyof Options, never>>
  const rule = channel.rules[0]
  const list = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : '')
  const empty = emptyDraft()
  const quiet = channel.quiet_from !== null && channel.quiet_to !== null
  return {
    ...empty,
    name: channel.name,
    kind: channel.kind,
    url: channel.kind === 'smtp' ? channel.host : '',
    village_id: rule?.village_id ?? null,
    aspect: rule?.aspect ?? null,
    min_severity: rule?.min_severity ?? null,
    method: options.method ?? empty.method,
    format: options.format ?? empty.format,
    body: options.body ?? empty.body,
    phones: list(options.phones),
    accepted: options.accepted ?? '',
    security: options.security ?? empty.security,
    port: options.port ?? empty.port,
    verify: options.verify ?? true,
    sender: options.sender ?? '',
    recipients: list(options.recipients),
    quietFrom: quiet ? channel.quiet_from! : '00:00',
    quietTo: quiet ? channel.quiet_to! : '00:00',
  }
}

/** Phones and mail addresses as people write them. */
export function words(text: string): string[] {
  return text.split(/[\s,;，；、]+/).filter((one) => one !== '')
}

export function optionsOf(draft: ChannelDraft): Options {
  switch (draft.kind) {
    case 'sms':
      return { method: draft.method, format: draft.format, body: draft.body, phones: words(draft.phones), accepted: draft.accepted.trim() }
    case 'wecom':
    case 'dingtalk':
      return { phones: words(draft.phones) }
    case 'smtp':
      return { port: draft.port, security: draft.security, verify: draft.verify, sender: draft.sender.trim(), recipients: words(draft.recipients) }
    default:
      return {}
  }
}

/** Only what was entered: null leaves a secret as it is. */
export function secretsOf(draft: ChannelDraft): Schemas['ChannelSecrets'] | null {
  const found: Schemas['ChannelSecrets'] = {}
  if (draft.kind === 'sms' && draft.headerName.trim()) found.headers = { [draft.headerName.trim()]: draft.headerValue }
  if (draft.kind === 'dingtalk' && draft.sign) found.sign = draft.sign.trim()
  if (draft.kind === 'smtp' && draft.username) found.username = draft.username
  if (draft.kind === 'smtp' && draft.password) found.password = draft.password
  return Object.keys(found).length ? found : null
}

/** Whether there is enough to send it; a stored channel keeps its address. */
export function isReady(draft: ChannelDraft, stored: boolean): boolean {
  if (!draft.name.trim()) return false
  if (draft.kind === 'smtp') return draft.url.trim() !== '' && draft.sender.includes('@') && words(draft.recipients).length > 0
  if (draft.kind === 'sms' && draft.method === 'POST' && !draft.body.includes('{text}')) return false
  return isWebAddress(draft.url) || (stored && draft.url.trim() === '')
}
