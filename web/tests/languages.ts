/** The words of all languages. */
import en from '@/i18n/en'
import zh from '@/i18n/zh-CN'

export const messages = { 'zh-CN': zh, en }
