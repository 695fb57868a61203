/** One cell in the hand: what was typed is sent when the cell is left, and stays open where the hub refuses it. */
import { ref } from 'vue'
import type { ApiError } from '@/api/client'
import type { ImportRow } from '@/api/types'
import { valueOf } from './problems'

export type ChangeCell = (row: ImportRow, field: string, text: string) => Promise<ApiError | null>

export function useCellEdit(change: ChangeCell) {
  const open = ref<{ number: number; field: string } | null>(null)
  const saving = ref(false)
  const error = ref<ApiError | null>(null)

  function isOpen(row: ImportRow, field: string): boolean {
    return open.value?.number === row.number && open.value.field === field
  }
  function begin(row: ImportRow, field: string): void {
    if (saving.value) return
    error.value = null
    open.value = { number: row.number, field }
  }
  function cancel(): void {
    if (!saving.value) open.value = null
  }
  /** True: the cell is closed. */
  async function save(row: ImportRow, field: string, text: string): Promise<boolean> {
    if (saving.value || !isOpen(row, field)) return false
    const same = field === 'password' ? text === '' : text.trim() === valueOf(row, field)
    if (!same) {
      saving.value = true
      error.value = await change(row, field, text.trim())
      saving.value = false
      if (error.value) return false
    }
    open.value = null
    return true
  }
  return { saving, error, isOpen, begin, cancel, save }
}
