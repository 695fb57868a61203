/** What is said of a file before it is sent. The hub judges it again. */

export const MAX_MB = 8
export const MAX_ROWS = 5_000
export const ENDINGS = ['.xlsx', '.xls', '.csv'] as const

export type FileProblem = 'kind' | 'size' | 'empty'

/** Why the file need not be sent at all; null: it may. */
export function fileProblem(file: Pick<File, 'name' | 'size'>): FileProblem | null {
  const name = file.name.toLowerCase()
  if (!ENDINGS.some((ending) => name.endsWith(ending))) return 'kind'
  if (file.size === 0) return 'empty'
  return file.size > MAX_MB * 1024 * 1024 ? 'size' : null
}

export function megabytes(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(1)
}
