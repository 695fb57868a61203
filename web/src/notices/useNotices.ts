/** What the shell does about notices, whatever page is shown: the tab's title counts them, and some sound. */
import { onBeforeUnmount, onMounted, watch } from 'vue'
import { i18n, t } from '@/i18n'
import { can, me } from '@/stores'
import { notices } from '@/stores/notices'
import { chime, prepare } from './chime'

export function titleWith(unread: number | null, title: string): string {
  return unread ? `(${unread > 99 ? '99+' : unread}) ${title}` : title
}

export function useNotices(): void {
  let stop: () => void = () => undefined
  onMounted(() => {
    const stopNew = notices.onNew((notice) => {
      if (notice.sound) chime(notice.id)
    })
    let end: () => void = () => undefined
    const stopReader = watch(
      () => me.value !== null && can('read_health'),
      (reader) => {
        end()
        end = reader ? prepare() : () => undefined
      },
      { immediate: true },
    )
    const stopTitle = watch([notices.unread, i18n.global.locale], ([unread]) => (document.title = titleWith(unread, t('shell.title'))), { immediate: true })
    stop = () => {
      stopNew()
      stopReader()
      stopTitle()
      end()
    }
  })
  onBeforeUnmount(() => stop())
}
