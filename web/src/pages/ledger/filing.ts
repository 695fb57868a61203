/** Filing with the police in words: its state, and how many days are left or over. */
import { t } from '@/i18n'
import type { LedgerRow } from './catalogue'

type Filing = LedgerRow['filing']
const SOON = 7

export function filingText(filing: Filing): string {
  const left = filing.days_left
  if (filing.state === 'due') return t('ledger.filing.due', { n: left ?? 0 })
  if (filing.state === 'overdue') return t('ledger.filing.overdue', { n: -(left ?? 0) })
  return t(`ledger.filing.${filing.state}`)
}

export function filingTone(filing: Filing): 'red' | 'amber' | '' {
  if (filing.state === 'overdue') return 'red'
  return filing.state === 'due' && (filing.days_left ?? SOON) < SOON ? 'amber' : ''
}
