/** Short words at the top of the page about what was just done, or why not. */
import { ElMessage, ElMessageBox } from 'element-plus'
import type { ApiError, Result } from '@/api/client'
import { errorText, t } from '@/i18n'

export function tellDone(text: string): void {
  ElMessage({ message: text, type: 'success', duration: 2_000, grouping: true })
}

export function tellError(error: ApiError): void {
  if (error.reason === 'aborted') return
  ElMessage({ message: errorText(error), type: 'error', duration: 6_000, showClose: true, grouping: true })
}

/** The data of a good answer; a bad one is told and null. */
export function dataOrTell<T>(result: Result<T>): T | null {
  if (result.ok) return result.data
  tellError(result.error)
  return null
}

/** Asks before something that is not easily undone. */
export async function sure(title: string, text: string, yes: string): Promise<boolean> {
  try {
    await ElMessageBox.confirm(text, title, {
      confirmButtonText: yes,
      cancelButtonText: t('common.cancel'),
      autofocus: false,
    })
    return true
  } catch {
    return false
  }
}
