/** The ledger's fields, fetched once: their words in both languages, groups, kinds and codes. */
import { ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import type { components } from '@/api/schema'
import { i18n } from '@/i18n'

export type LedgerField = components['schemas']['LedgerFieldAnswer']
export type LedgerRow = components['schemas']['LedgerRowAnswer']
export type LedgerFile = components['schemas']['LedgerFileAnswer']
export type VillageLedger = components['schemas']['VillageLedgerAnswer']
export type LedgerChange = components['schemas']['LedgerChangeAnswer']
export type LedgerPhoto = components['schemas']['PhotoAnswer']
export type PhotoKind = LedgerPhoto['kind']
export type Group = Exclude<LedgerField['group'], 'figures'>

export const GROUPS = ['place', 'people', 'technique', 'filing', 'state'] as const satisfies readonly Group[]
export const PHOTO_KINDS = ['close_up', 'location', 'view', 'sign'] as const satisfies readonly PhotoKind[]

export const fields = ref<LedgerField[]>([])
export const fieldsError = ref<ApiError | null>(null)

export async function loadFields(): Promise<void> {
  if (fields.value.length) return
  const result = await api.get('/api/ledger/fields')
  if (result.ok) {
    fields.value = result.data
    fieldsError.value = null
  } else if (!result.aborted) fieldsError.value = result.error
}

const english = (): boolean => i18n.global.locale.value === 'en'

export function labelOf(field: LedgerField): string {
  return english() ? field.english : field.header
}

export function labelOfKey(key: string): string {
  const field = fields.value.find((one) => one.key === key)
  return field ? labelOf(field) : key
}

/** A stored value in words: codes by their names, several ones joined. */
export function shownValue(field: LedgerField | undefined, value: string): string {
  if (!field?.codes.length) return value
  const word = (one: string): string => {
    const code = field.codes.find((known) => known.value === one)
    return code ? (english() ? code.en : code.zh) : one
  }
  return value.split('/').map(word).join(english() ? ', ' : '、')
}

/** What the form shows of a group: fields that can be typed, and those that the hub fills in. */
export function fieldsOf(group: Group): LedgerField[] {
  return fields.value.filter((one) => one.group === group && (one.settable || one.source === 'hub') && !HIDDEN.has(one.key))
}

/** Shown elsewhere on the page: coordinates have a place of their own, photos too. */
export const POSITION = ['longitude', 'latitude', 'datum'] as const
const HIDDEN = new Set<string>([...POSITION, 'scene_photo', 'updated_at'])
