/** What a device is called on these pages. */
import type { Device } from '@/api/types'
import { t } from '@/i18n'

export function deviceName(device: Device | undefined, id: number): string {
  return device?.name || device?.model || device?.host || `${t('devices.device')} ${id}`
}
