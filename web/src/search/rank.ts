/** Finding cameras by what an operator types: parts of names, pinyin, pinyin initials; of camera and village. Pure. */

export interface Named {
  name: string
  pinyin: string
  initials: string
}

/** Smaller is better; null is no match. */
function wordScore(word: string, named: Named): number | null {
  const name = named.name.toLowerCase()
  if (name === word) return 0
  if (named.initials === word) return 1
  if (name.startsWith(word)) return 2
  if (named.initials.startsWith(word)) return 3
  if (name.includes(word)) return 4
  if (named.pinyin.startsWith(word)) return 5
  if (named.initials.includes(word)) return 6
  if (named.pinyin.includes(word)) return 7
  return null
}

/**
 * Every word must match camera, village, or both in one go (`dwcmk` = 大王村 + 门口); the sum ranks.
 * The camera's own name counts before its village's.
 */
export function score(query: string, camera: Named, village: Named | undefined): number | null {
  const words = query.toLowerCase().trim().split(/\s+/).filter(Boolean)
  const whole: Named = {
    name: `${village?.name ?? ''}${camera.name}`,
    pinyin: `${village?.pinyin ?? ''}${camera.pinyin}`,
    initials: `${village?.initials ?? ''}${camera.initials}`,
  }
  let sum = 0
  for (const word of words) {
    const own = wordScore(word, camera)
    const both = wordScore(word, whole)
    const place = village ? wordScore(word, village) : null
    const best = Math.min(own ?? Infinity, both === null ? Infinity : both + 0.5, place === null ? Infinity : place + 8)
    if (best === Infinity) return null
    sum += best
  }
  return sum
}

/** The best `limit` cameras for a query, ties in the order given (the official one). */
export function ranked<C extends Named & { village_id: number }>(
  query: string,
  cameras: readonly C[],
  villageOf: (id: number) => Named | undefined,
  limit: number,
): C[] {
  return cameras
    .map((camera, order) => ({ camera, order, score: score(query, camera, villageOf(camera.village_id)) }))
    .filter((found): found is typeof found & { score: number } => found.score !== null)
    .sort((a, b) => a.score - b.score || a.order - b.order)
    .slice(0, limit)
    .map((found) => found.camera)
}
