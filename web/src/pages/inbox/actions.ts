/** What is done in the inbox. Each change is shown at once; the hub's next answer confirms or corrects it. */
import { api } from '@/api/client'
import type { Candidate, InboxCamera, InboxDevice, PlaceClass } from '@/api/types'
import { t } from '@/i18n'
import { eachLimited } from '../devices/limited'
import { confirmAction, dataOrShowError, showDone, showError } from '../parts/messages'
import { addressOf } from './inbox'
import type { InboxRoom } from './useInbox'

export function useActions(room: InboxRoom) {
  async function change(camera: InboxCamera, body: { name?: string; place_class?: PlaceClass }): Promise<void> {
    room.patch(camera.id, body)
    const answer = await api.patch('/api/cameras/{camera_id}', { path: { camera_id: camera.id }, body })
    if (answer.ok) return
    room.patch(camera.id, { name: camera.name, place_class: camera.place_class })
    showError(answer.error)
  }

  /** `devices`: as they are shown, so that nothing is approved at an address that was not seen. */
  async function approve(devices: readonly InboxDevice[], ids: readonly number[], place_class: PlaceClass | null = null): Promise<boolean> {
    const chosen = new Set(ids)
    const places = Object.fromEntries(devices.filter((device) => device.cameras.some((one) => chosen.has(one.id))).map((device) => [String(device.id), device.place]))
    const answer = await api.post('/api/cameras/approve', { body: { ids: [...ids], place_class, places } })
    if (!answer.ok) {
      showError(answer.error)
      room.refresh()
      return false
    }
    for (const id of ids) room.patch(id, null)
    showDone(t('devices.approved', { n: ids.length }))
    room.refresh()
    return true
  }

  async function giveBack(ids: readonly number[], note: string): Promise<boolean> {
    const done = dataOrShowError(await api.post('/api/cameras/return', { body: { ids: [...ids], note } }))
    if (done) showDone(t('inbox.returned', { n: ids.length }))
    room.refresh()
    return done !== null
  }

  async function submit(ids: readonly number[]): Promise<boolean> {
    const done = dataOrShowError(await api.post('/api/cameras/submit', { body: { ids: [...ids] } }))
    if (done) showDone(t('inbox.submitted', { n: ids.length }))
    room.refresh()
    return done !== null
  }

  async function prove(ids: readonly number[]): Promise<void> {
    for (const id of ids) room.patch(id, { proof_state: 'pending', proof: null })
    let failed = false
    await eachLimited([...ids], 4, async (camera_id) => {
      if (failed) return
      const answer = await api.post('/api/cameras/{camera_id}/prove', { path: { camera_id } })
      if (!answer.ok) {
        failed = true
        showError(answer.error)
      }
    })
    room.refresh()
  }

  async function place(cameras: readonly InboxCamera[], place_class: PlaceClass): Promise<void> {
    await eachLimited(cameras.filter((one) => one.place_class !== place_class), 4, (camera) => change(camera, { place_class }))
    showDone(t('devices.classSet', { n: cameras.length, place: t(`place.${place_class}`) }))
  }

  /** Tries one device; true when it is registered now. */
  async function retry(candidate: Candidate): Promise<boolean> {
    const answer = await api.post('/api/candidates/{candidate_id}/try', { path: { candidate_id: candidate.id } })
    room.refresh()
    if (!answer.ok) {
      showError(answer.error)
      return false
    }
    const registered = answer.data.device_id !== null
    if (registered) showDone(t('inbox.nowRegistered', { n: answer.data.cameras.length }))
    return registered
  }

  async function dismiss(candidate: Candidate): Promise<void> {
    if (!(await confirmAction(t('inbox.dismissTitle', { name: candidate.name || addressOf(candidate) }), t('inbox.dismissText'), t('inbox.dismiss')))) return
    dataOrShowError(await api.post('/api/candidates/{candidate_id}/dismiss', { path: { candidate_id: candidate.id } }))
    room.refresh()
  }

  return { change, approve, giveBack, submit, prove, place, retry, dismiss }
}
