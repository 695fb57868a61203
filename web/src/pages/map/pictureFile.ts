/** What is said of a base picture before it is sent. The hub judges it again. Pure. */
import { BASE_KINDS, BASE_MB } from './mapApi'

export type PictureProblem = 'kind' | 'size' | 'empty' | 'broken'

export function pictureProblem(file: Pick<File, 'type' | 'size'>): PictureProblem | null {
  if (!BASE_KINDS.includes(file.type)) return 'kind'
  if (file.size === 0) return 'empty'
  return file.size > BASE_MB * 1024 * 1024 ? 'size' : null
}
