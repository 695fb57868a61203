import { ElMessage } from 'element-plus/es/components/message/index'
import { api } from '@/api/client'
import type { Camera } from '@/api/types'
import { errorText, t } from '@/i18n'
import { dateText, timeText } from '@/siteTime'
import { hubNow } from '@/stores'

/** `大王村_东门_20260723_140205.jpg`: place and time, without characters that file systems reject. */
export function snapshotName(village: string, camera: string, at: Date): string {
  const day = dateText(at).replaceAll('-', '')
  const time = timeText(at, true).replaceAll(':', '')
  // eslint-disable-next-line no-control-regex -- control characters are what must not get into a file name
  const safe = (text: string) => text.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, '-').trim()
  return [village, camera].filter(Boolean).map(safe).concat(day, time).join('_') + '.jpg'
}

/** Takes a fresh picture from the hub and saves it as a file. */
export async function takeSnapshot(camera: Camera, village: string): Promise<void> {
  const at = hubNow()
  const result = await api.snapshot(camera.id)
  if (!result.ok) {
    ElMessage.error(t('wall.snapshot_failed', { name: camera.name, reason: errorText(result.error) }))
    return
  }
  const link = document.createElement('a')
  link.href = URL.createObjectURL(result.data)
  link.download = snapshotName(village, camera.name, at)
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
