/** The verdicts of rows, in the order in which they need a person. */
import type { ImportCounts, ImportRow, SheetImport } from '@/api/types'

export type Verdict = ImportRow['verdict']
export type VerdictFilter = Verdict | 'all'

export const VERDICTS = ['bad', 'failed', 'staged', 'good', 'done', 'same'] as const satisfies readonly Verdict[]

/** The figures of the counts, in the same order; "same" rows, those of registered cameras, are of two kinds. */
export const FIGURES = ['bad', 'failed', 'staged', 'good', 'changed', 'done', 'unchanged'] as const satisfies readonly (keyof ImportCounts)[]

export function countOf(counts: ImportCounts, verdict: VerdictFilter): number {
  if (verdict === 'all') return counts.total
  return verdict === 'same' ? counts.changed + counts.unchanged : counts[verdict]
}

/** How many rows a run takes: new ones, and those that change a registered camera. */
export function importable(counts: ImportCounts): number {
  return counts.good + counts.changed
}

/** How many rows are tried again: those that failed, and those that wait in the inbox because they could not be described. */
export function retryable(counts: ImportCounts): number {
  return counts.failed + counts.staged
}

/** How a row is told: what is registered already either changes or does not. */
export function figureOf(row: Pick<ImportRow, 'verdict' | 'changes'>): (typeof FIGURES)[number] {
  if (row.verdict !== 'same') return row.verdict
  return row.changes.length ? 'changed' : 'unchanged'
}

/** What a person looks at first: what needs them. */
export function firstFilter(one: Pick<SheetImport, 'counts'>): VerdictFilter {
  return (['failed', 'bad', 'staged'] as const).find((verdict) => countOf(one.counts, verdict) > 0) ?? 'all'
}

/** Rows whose cells may still be changed: what is in is changed on the devices page. */
export function editable(row: Pick<ImportRow, 'verdict'>): boolean {
  return row.verdict !== 'done'
}
