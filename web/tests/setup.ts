/** Before each file of tests: the words are there, as they are before the application is mounted. */
import { setLanguage } from '@/i18n'

await setLanguage('zh-CN')
