/** Closing a dialog in which something has been written: by Esc, its cross or Cancel it is asked first. */
import { t } from '@/i18n'
import { confirmAction } from './messages'

/** What closes the dialog: at once while nothing is `written`, else when the user gives it up. */
export function leaving(written: () => boolean, close: () => void): () => Promise<void> {
  let asking = false
  return async () => {
    if (asking) return
    asking = true
    const goes = !written() || (await confirmAction(t('common.giveUpTitle'), t('common.giveUpText'), t('common.giveUp'), t('common.goOnWriting')))
    asking = false
    if (goes) close()
  }
}

/** Whether what `read` tells differs from what it told at the beginning, or when `settle` was called last. */
export function changes(read: () => unknown): { written: () => boolean; settle: () => void } {
  const now = (): string => JSON.stringify(read())
  let before = now()
  return { written: () => now() !== before, settle: () => void (before = now()) }
}
