import { ElMessage } from 'element-plus/es/components/message/index'
import { api } from '@/api/client'
import type { Camera } from '@/api/types'
import { errorText } from '@/i18n'
import { cameras } from '@/stores'

export async function toggleFavourite(camera: Camera): Promise<void> {
  const path = { camera_id: camera.id }
  const result = camera.favourite ? await api.delete('/api/favourites/{camera_id}', { path }) : await api.put('/api/favourites/{camera_id}', { path })
  if (!result.ok) ElMessage.error(errorText(result.error))
  else {
    const current = cameras.byId.get(camera.id)
    if (current) cameras.put({ ...current, favourite: !camera.favourite })
  }
}
