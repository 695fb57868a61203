/** What an alarm is about, in words. */
import { t } from '@/i18n'
import type { Alarm } from '@/api/types'

export function placeOf(alarm: Alarm): string {
  const { level, village_name, device_name, camera_name } = alarm
  if (level === 'hub') return t(alarm.aspect === 'load' ? 'alarms.levelOf.load' : 'alarms.levelOf.hub')
  if (level === 'village') return village_name ?? ''
  return [village_name, level === 'camera' ? camera_name : device_name].filter(Boolean).join(' · ')
}
