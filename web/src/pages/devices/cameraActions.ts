/** Actions on cameras; each answer goes into the shared list at once, before its event arrives. */
import { api, type ApiError } from '@/api/client'
import { t } from '@/i18n'
import { cameras } from '@/stores'
import { dataOrShowError, confirmAction, showDone, showError } from '../parts/messages'
import { eachLimited } from './limited'
import type { Camera, PlaceClass } from '@/api/types'
import { devices, retiredCameras } from './store'

/** Puts a camera into the lists where it belongs by its state. */
function keep(camera: Camera): void {
  cameras.put(camera)
  retiredCameras.put(camera)
}

export async function renameCamera(camera: Camera, name: string): Promise<void> {
  await change(camera, { name })
}

export async function placeCamera(camera: Camera, place_class: PlaceClass): Promise<void> {
  await change(camera, { place_class })
}

/** One class for many; ends at the first refusal, since the others would be refused too. */
export async function placeCameras(many: readonly Camera[], place_class: PlaceClass): Promise<boolean> {
  const todo = many.filter((camera) => camera.place_class !== place_class)
  let refused: ApiError | null = null
  await eachLimited(todo, 4, async (camera) => {
    if (refused) return
    const answer = await api.patch('/api/cameras/{camera_id}', { path: { camera_id: camera.id }, body: { place_class } })
    if (answer.ok) keep(answer.data)
    else refused = answer.error
  })
  if (refused) showError(refused)
  else showDone(t('devices.classSet', { n: many.length, place: t(`place.${place_class}`) }))
  return refused === null
}

async function change(camera: Camera, body: { name?: string; place_class?: PlaceClass }): Promise<void> {
  keep({ ...camera, ...body }) // shown at once; undone if the hub refuses
  const answer = await api.patch('/api/cameras/{camera_id}', { path: { camera_id: camera.id }, body })
  keep(answer.ok ? answer.data : camera)
  if (!answer.ok) showError(answer.error)
}

export async function approve(ids: number[], place_class: PlaceClass | null = null): Promise<boolean> {
  const answer = await api.post('/api/cameras/approve', { body: { ids, place_class, places: placesOf(ids) } })
  if (!answer.ok) {
    showError(answer.error)
    if (answer.error.reason === 'address_changed') void devices.load() // so that the address that is asked about is seen
    return false
  }
  for (const camera of answer.data) keep(camera)
  showDone(t('devices.approved', { n: ids.length }))
  return true
}

/** Where the devices of these cameras are, as this page shows it: what was not seen is not approved. */
function placesOf(ids: number[]): Record<string, string> {
  const places: Record<string, string> = {}
  for (const id of ids) {
    const camera = cameras.byId.get(id) ?? retiredCameras.byId.get(id)
    const device = camera && devices.byId.get(camera.device_id)
    if (device) places[String(device.id)] = device.place
  }
  return places
}

export async function retire(ids: number[]): Promise<boolean> {
  const n = ids.length
  if (!(await confirmAction(t('devices.retireTitle', { n }), t('devices.retireText'), t('devices.retire')))) return false
  const answer = dataOrShowError(await api.post('/api/cameras/retire', { body: { ids } }))
  if (answer === null) return false
  for (const camera of answer) keep(camera)
  showDone(t('devices.retired', { n }))
  return true
}

export async function prove(camera: Camera): Promise<void> {
  const answer = dataOrShowError(await api.post('/api/cameras/{camera_id}/prove', { path: { camera_id: camera.id } }))
  if (answer) keep(answer)
}

/** All cameras of one village in their new order. */
export async function orderCameras(ids: number[]): Promise<void> {
  const before = ids.flatMap((id) => cameras.byId.get(id) ?? [])
  ids.forEach((id, position) => {
    const camera = cameras.byId.get(id)
    if (camera) keep({ ...camera, position })
  })
  const answer = await api.put('/api/cameras/order', { body: { ids } })
  if (answer.ok) return
  for (const camera of before) keep(camera)
  showError(answer.error)
}
