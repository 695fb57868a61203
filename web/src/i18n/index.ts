/** The page's language. */
import { createI18n, type I18nOptions } from 'vue-i18n'
import type { ApiError } from '@/api/client'
import { rememberedLanguage, wordsOf, type Language } from './words'

export type { Language } from './words'

const ANSWER_MS = 5_000

const options: I18nOptions & { legacy: false } = { legacy: false, locale: rememberedLanguage(), fallbackLocale: 'zh-CN', messages: {} }
export const i18n = createI18n<false, typeof options>(options)

export const t = i18n.global.t as unknown as (key: string, values?: Record<string, unknown> | number) => string
const te = i18n.global.te

/** Switches to a language when its words are there. Rejects, and changes nothing, when they cannot be fetched. */
export async function setLanguage(language: Language): Promise<void> {
  const words = await wordsOf(language)
  i18n.global.setLocaleMessage(language, words as never) // keys are checked by tests/i18n.test.ts; as types they are too deep for the compiler
  i18n.global.locale.value = language
  document.documentElement.lang = language
  document.title = t('shell.title')
  keep(language)
}

function keep(language: Language): void {
  try {
    localStorage.setItem('language', language)
  } catch {
    /* private window: kept for this page only */
  }
}

/**
 * The user's own switch. Once the hub has been updated, a page that is still open finds its other words gone: it is loaded anew
 * then, in that language. Rejects, and changes nothing, when the hub does not answer.
 */
export async function switchLanguage(language: Language): Promise<void> {
  try {
    await setLanguage(language)
  } catch (problem) {
    const page = await fetch('/', { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) })
    if (!page.ok) throw problem
    keep(language)
    location.reload()
  }
}

/** A reason code in words. A code unknown to this page is shown as it is, so that it can be reported. */
export function reasonText(reason: string, values: Record<string, unknown> = {}): string {
  return te(`reason.${reason}`) ? t(`reason.${reason}`, values) : reason
}

/**
 * What to do about a reason, in a sentence: the one for its finer cause where there is one, with the values of the same observation.
 * Empty where there is none.
 */
export function remedyText(reason: string, values: Record<string, unknown> = {}): string {
  const keys = [`alarms.remedy.${reason}_${String(values.cause ?? values.codec)}`, `alarms.remedy.${reason}`]
  const key = keys.find((one) => te(one))
  return key ? t(key, values) : ''
}

/** The hub's own technical sentence, which is English: undefined where the page is not. */
export function detailText(detail: string): string | undefined {
  return i18n.global.locale.value === 'en' && detail ? detail : undefined
}

/** An error of the API in words: its exact reason, else its kind, with the hub's own sentence where the page is English. */
export function errorText(error: ApiError): string {
  if (te(`reason.${error.reason}`)) {
    const why = `why.${error.reason}.${String(error.params.why)}`
    return te(why) ? t(why, error.params) : t(`reason.${error.reason}`, error.params)
  }
  const kind = te(`error.${error.kind}`) ? t(`error.${error.kind}`) : t('error.internal')
  const detail = detailText(error.detail)
  return detail ? `${kind} (${detail})` : kind
}
