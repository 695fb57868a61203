/** Address ranges that were pasted beside the names of villages: two columns of somebody's list. */
import { api, type ApiError } from '@/api/client'
import { villages } from '@/stores'
import { rangesIn, withoutRanges } from '../devices/ranges'

/** Name → its ranges: those in its line, and in lines below it that have no name. `namesIn` tells the names of a line. */
export function rangesByName(text: string, namesIn: (line: string) => string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  let name: string | undefined
  for (const line of text.split(/[\r\n]+/u)) {
    name = namesIn(withoutRanges(line)).at(-1) ?? name
    const ranges = rangesIn(line)
    if (name !== undefined && ranges.length) found.set(name, [...new Set([...(found.get(name) ?? []), ...ranges])])
  }
  return found
}

/** Saves them for villages that have none yet. Answers the first error; what was saved before it stays. */
export async function saveRanges(byName: ReadonlyMap<string, string[]>): Promise<ApiError | null> {
  for (const village of villages.list.value) {
    const ranges = byName.get(village.name)
    if (!ranges || village.ranges.length) continue
    const answer = await api.patch('/api/villages/{village_id}', { path: { village_id: village.id }, body: { ranges } })
    if (!answer.ok) return answer.error
    villages.put(answer.data)
  }
  return null
}
