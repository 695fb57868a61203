/** What is wrong with a row, in words: at which cell, why, and what to do. */
import { errorText, remedyText } from '@/i18n'
import type { ImportRow, SheetImport } from '@/api/types'
import { fieldWords, valueWords, widthOf } from './fields'

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
  for (const row of rows) {
    for (const { field } of row.problems) {
      if (!field || known.has(field)) continue
      known.add(field)
      columns.push({ field, header: '', width: widthOf(field) })
    }
  }
  return columns
}

export interface ProblemWords {
  /** Empty: the whole row. */
  field: string
  why: string
  remedy: string
}

export function problemWords(problem: Problem): ProblemWords {
  const params = { ...problem.params, ...(problem.field && { field: fieldWords(problem.field) }) }
  return {
    field: problem.field,
    why: errorText({ status: 0, kind: 'invalid', reason: problem.reason, detail: '', params }),
    remedy: remedyText(problem.reason, params),
  }
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
