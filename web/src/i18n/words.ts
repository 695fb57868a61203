/**
 * The words of a language, fetched when it is chosen. Each page has its own message file, `<language>/<page>.ts`, whose default
 * export has the file's name as key: wall.layout is `layout` in wall.ts. Only reasons.ts has another key, `reason` (the codes of
 * camera_hub/errors.py).
 */
import type { Words } from './assemble'

export type Language = 'zh-CN' | 'en'

export async function wordsOf(language: Language): Promise<Words> {
  return (await (language === 'en' ? import('./en') : import('./zh-CN'))).default
}

/** The language that was chosen in this browser; Chinese until one is. */
export function rememberedLanguage(): Language {
  try {
    return localStorage.getItem('language') === 'en' ? 'en' : 'zh-CN'
  } catch {
    return 'zh-CN'
  }
}
