/** Addresses of sheets to be saved: the hub writes them in the language of the page that asks. */
import { i18n } from './i18n'

/** What the hub calls the page's language. */
export function sheetLanguage(): 'zh' | 'en' {
  return i18n.global.locale.value === 'en' ? 'en' : 'zh'
}

/** The sheet at that path; parts of the query that are undefined are left out. */
export function sheetUrl(path: string, query: Readonly<Record<string, unknown>> = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined || value === null ? [] : [[name, String(value)]]))
  return `${path}?${new URLSearchParams([...given, ['language', sheetLanguage()]] as [string, string][]).toString()}`
}
