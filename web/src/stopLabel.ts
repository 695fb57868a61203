/** What a stop of a patrol is called, everywhere on pages and in print: its own name, or one camera's and how many it shows in all. */
import { t } from '@/i18n'

/** `more`: how many cameras it shows beside the one that it is named after. */
export function stopLabel(stop: { readonly name: string; readonly more?: number }): string {
  return stop.more ? t('common.cameraAndMore', { name: stop.name, all: stop.more + 1 }) : stop.name
}
