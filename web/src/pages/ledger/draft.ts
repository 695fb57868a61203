/** What is typed into a file and not saved yet, and what the hub said about it. */
import { computed, reactive, ref, type Ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import { errorText } from '@/i18n'
import type { LedgerFile } from './catalogue'

/** The errors of an answer by field; what belongs to no field is under "". */
export function errorsByField(error: ApiError): Map<string, string> {
  const several = error.params.fields
  const found = new Map<string, string>()
  if (error.reason === 'ledger_values' && Array.isArray(several)) {
    for (const one of several as { field: string; reason: string; detail: string; params: Record<string, unknown> }[]) {
      found.set(one.field, errorText({ ...error, reason: one.reason, detail: one.detail, params: one.params }))
    }
  } else found.set(typeof error.params.field === 'string' ? error.params.field : '', errorText(error))
  return found
}

/** Which typed values differ from those of the file. */
export function changedValues(typed: ReadonlyMap<string, string>, file: LedgerFile): Record<string, string> {
  return Object.fromEntries([...typed].filter(([key, value]) => value.trim() !== (file.values[key] ?? '')))
}

export function useDraft(file: Ref<LedgerFile | null>): {
  typed: Map<string, string>
  errors: Map<string, string>
  saving: Ref<boolean>
  dirty: Ref<number>
  valueOf(key: string): string
  type(key: string, value: string): void
  save(keys?: readonly string[]): Promise<boolean>
  discard(): void
} {
  const typed = reactive(new Map<string, string>())
  const errors = reactive(new Map<string, string>())
  const saving = ref(false)
  const dirty = computed(() => (file.value ? Object.keys(changedValues(typed, file.value)).length : 0))

  function valueOf(key: string): string {
    return typed.get(key) ?? file.value?.values[key] ?? ''
  }
  function type(key: string, value: string): void {
    typed.set(key, value)
    errors.delete(key)
    errors.delete('')
  }
  /** Saves all that is typed, or these fields. Coordinates and their datum go together, since the datum tells how to read them. */
  async function save(keys?: readonly string[]): Promise<boolean> {
    const now = file.value
    if (!now) return false
    let values = changedValues(typed, now)
    if (keys) values = Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)))
    if (!Object.keys(values).length) return true
    if ('longitude' in values || 'latitude' in values || 'datum' in values) {
      for (const key of ['longitude', 'latitude', 'datum']) values[key] = valueOf(key)
    }
    saving.value = true
    const result = await api.patch('/api/ledger/{camera_id}', { path: { camera_id: now.camera_id }, body: { values } })
    saving.value = false
    errors.clear()
    if (result.ok) {
      file.value = result.data
      // What was typed meanwhile stays typed.
      for (const [key, value] of Object.entries(values)) if (typed.get(key) === value || !typed.has(key)) typed.delete(key)
      return true
    }
    if (!result.aborted) for (const [key, words] of errorsByField(result.error)) errors.set(key, words)
    return false
  }
  function discard(): void {
    typed.clear()
    errors.clear()
  }
  return { typed, errors, saving, dirty, valueOf, type, save, discard }
}
