/** First passwords: generated here, shown once, changed by the user. */

export const SHORTEST = 10
const LETTERS = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789' // without look-alikes

/** A password that can be read out over the telephone; ~70 bits. */
export function newPassword(length = 12): string {
  const result: string[] = []
  while (result.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // Bytes beyond the last full round would favour the first letters.
      if (byte < 256 - (256 % LETTERS.length) && result.length < length) result.push(LETTERS[byte % LETTERS.length] as string)
    }
  }
  return result.join('')
}
