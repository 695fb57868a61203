/** What is wrong with a row, in words: at which cell, why, and what to do. */
import { errorText, remedyText } from '@/i18n'
import type { ImportRow, SheetImport } from '@/api/types'
import { fieldWords, valueWords, widthOf } from './fields'

const WHY_NOT = 'ledger.no_access_reason'

export type Problem = ImportRow['problems'][number]

export interface ShownColumn {
  field: string
  /** The sheet's own header; empty for a field that the sheet has no column for. */
  header: string
  width: number
}

/** The mapped columns in the sheet's order, and behind them fields that rows have problems with though no column holds them. */
export function shownColumns(one: Pick<SheetImport, 'columns'>, rows: readonly ImportRow[]): ShownColumn[] {
  const columns: ShownColumn[] = []
  for (const { field, header } of one.columns) if (field !== null) columns.push({ field, header, width: widthOf(field) })
  const known = new Set(columns.map((column) => column.field))
  const show = (field: string): void => {
    if (!field || known.has(field)) return
    known.add(field)
    columns.push({ field, header: '', width: widthOf(field) })
  }
  for (const row of rows) {
    for (const { field, reason } of row.problems) {
      show(field)
      if (reason === 'row_address_missing') show(WHY_NOT) // where a person says that it cannot be reached
    }
  }
  return columns
}

export interface ProblemWords {
  /** Empty: the whole row. */
  field: string
  why: string
  remedy: string
  /** It keeps no row out. */
  note: boolean
}

export function problemWords(problem: Problem): ProblemWords {
  const params = { ...problem.params, ...(problem.field && { field: fieldWords(problem.field) }) }
  return {
    field: problem.field,
    why: errorText({ status: 0, kind: 'invalid', reason: problem.reason, detail: '', params }),
    remedy: remedyText(problem.reason, params),
    note: problem.note,
  }
}

/** Whether a cell must be mended before its row can come in. */
export function isBad(row: Pick<ImportRow, 'problems'>, field: string): boolean {
  return row.problems.some((problem) => problem.field === field && !problem.note)
}

/** What a registered camera has now, where the row has something else. */
export function beforeOf(row: ImportRow, field: string): string | null {
  const change = row.changes.find((one) => one.field === field)
  return change ? valueWords(field, change.before) : null
}

/** The text of a cell; a password is never among the values. */
export function valueOf(row: ImportRow, field: string): string {
  return row.values[field] ?? ''
}
