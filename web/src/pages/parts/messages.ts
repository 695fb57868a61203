/** Short messages at the top of the page: what was done, or why it failed. */
import { ElMessage, ElMessageBox } from 'element-plus'
import type { ApiError, Result } from '@/api/client'
import { errorText, t } from '@/i18n'

export function showDone(text: string): void {
  ElMessage({ message: text, type: 'success', duration: 2_000, grouping: true })
}

export function showError(error: ApiError): void {
  if (error.reason === 'aborted') return
  ElMessage({ message: errorText(error), type: 'error', duration: 6_000, showClose: true, grouping: true })
}

/** The data of a success; an error is shown, and the result is null. */
export function dataOrShowError<T>(result: Result<T>): T | null {
  if (result.ok) return result.data
  showError(result.error)
  return null
}

/** Asks for confirmation of what is not easily undone. */
export async function confirmAction(title: string, text: string, yes: string, no = t('common.cancel')): Promise<boolean> {
  try {
    await ElMessageBox.confirm(text, title, {
      confirmButtonText: yes,
      cancelButtonText: no,
      autofocus: false,
    })
    return true
  } catch {
    return false
  }
}

/** Asks which of two things to do; without a word for the second there is only the first. Closing it does neither. */
export async function chooseAction(title: string, text: string, yes: string, no: string | null): Promise<'yes' | 'no' | 'neither'> {
  try {
    await ElMessageBox.confirm(text, title, {
      confirmButtonText: yes,
      cancelButtonText: no ?? t('common.cancel'),
      distinguishCancelAndClose: true,
      autofocus: false,
    })
    return 'yes'
  } catch (action) {
    return action === 'cancel' && no !== null ? 'no' : 'neither'
  }
}
