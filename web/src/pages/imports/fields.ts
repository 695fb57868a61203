/** What a column of a sheet can hold, in words. */
import { ref, type Ref } from 'vue'
import { api } from '@/api/client'
import { i18n, t } from '@/i18n'
import { PLACE_CLASSES, type ImportField, type SheetImport } from '@/api/types'

/** Widths in the table of rows, px. */
const WIDTHS: Record<string, number> = { village: 110, name: 180, host: 140, channel: 68, username: 100, password: 96, place_class: 104, port: 84, rtsp_port: 84, main_url: 280, sub_url: 280, id: 80 }

export function widthOf(field: string): number {
  return WIDTHS[field] ?? 128
}

/** All that a column can hold, in the template's order. */
export const importFields = ref<ImportField[]>([]) as Ref<ImportField[]>

/** Reads them once. Until they are there a field is told by its key. */
export async function loadImportFields(): Promise<void> {
  if (importFields.value.length) return
  const answer = await api.get('/api/imports/fields')
  if (answer.ok) importFields.value = answer.data
}

export function ofLedger(field: string): boolean {
  return field.startsWith('ledger.')
}

function known(field: string): ImportField | undefined {
  return importFields.value.find((one) => one.key === field)
}

export function fieldWords(field: string): string {
  const one = known(field)
  if (!one) return field
  return i18n.global.locale.value === 'en' ? one.english : one.header
}

/** The words that a field takes, where there is a list of them; they are the sheet's, so they are Chinese. */
export function choicesOf(field: string): readonly string[] {
  return known(field)?.choices ?? []
}

/** Whether a field takes one word of its list, not several. */
export function takesOne(field: string): boolean {
  return known(field)?.kind === 'code'
}

/** A stored place class as people say it. */
export function valueWords(field: string, value: string): string {
  return field === 'place_class' && (PLACE_CLASSES as readonly string[]).includes(value) ? t(`place.${value}`) : value
}

/** What is told of cameras that cannot be reached and only get a file. */
const WITHOUT_ADDRESS = ['ledger.access_kind', 'ledger.no_access_reason']

/** What a sheet must tell of each camera: an exported one its number; another its name and where it is reached. */
export function requiredFields(one: Pick<SheetImport, 'village_id'>, mapped: ReadonlySet<string>): string[] {
  if (mapped.has('id')) return []
  const village = one.village_id === null ? ['village'] : []
  if (!mapped.has('host') && WITHOUT_ADDRESS.some((field) => mapped.has(field))) return [...village, 'name']
  return [...village, 'name', mapped.has('main_url') && !mapped.has('host') ? 'main_url' : 'host']
}

export function missingFields(one: Pick<SheetImport, 'village_id'>, mapped: ReadonlySet<string>): string[] {
  return requiredFields(one, mapped).filter((field) => !mapped.has(field))
}
