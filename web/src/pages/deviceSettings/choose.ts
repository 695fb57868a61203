/** Whom a change is for: the register as a list to tick. Pure. */
import type { Camera, Device, PlaceClass, Village } from '@/api/types'
import { matchesText } from '../devices/register'

export interface Filters {
  text: string
  village: number | null
  place: PlaceClass | null
  chosen: boolean
}

export type ChooseRow =
  | { type: 'village'; key: string; village: Village; members: Member[] }
  | { type: 'member'; key: string; member: Member }

/** A camera, or a device of which the register has no camera. */
export interface Member {
  camera: Camera | null
  device: Device | null
  deviceId: number
}

export interface Chosen {
  cameras: ReadonlySet<number>
  devices: ReadonlySet<number>
}

export const isChosen = (member: Member, chosen: Chosen): boolean => (member.camera ? chosen.cameras.has(member.camera.id) : chosen.devices.has(member.deviceId))

/** In the official order; cameras out of service are not set. */
export function membersOf(cameras: readonly Camera[], devices: readonly Device[]): Member[] {
  const byId = new Map(devices.map((device) => [device.id, device]))
  const serving = cameras.filter((camera) => camera.state !== 'retired')
  const withCamera = new Set(serving.map((camera) => camera.device_id))
  return [
    ...serving.map((camera) => ({ camera, device: byId.get(camera.device_id) ?? null, deviceId: camera.device_id })),
    ...devices.filter((device) => !withCamera.has(device.id)).map((device) => ({ camera: null, device, deviceId: device.id })),
  ]
}

function matches({ camera, device }: Member, text: string, village: Village | undefined): boolean {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean)
  if (camera) return matchesText(text, camera, device, village)
  return words.every((word) => [device?.name, device?.host, device?.model, village?.name, village?.initials].some((field) => field?.toLowerCase().includes(word)))
}

export function chooseRows(members: readonly Member[], villages: readonly Village[], filters: Filters, chosen: Chosen): ChooseRow[] {
  const byId = new Map(villages.map((village) => [village.id, village]))
  const ofVillage = new Map<number, Member[]>()
  for (const member of members) {
    const id = member.camera?.village_id ?? member.device?.village_id ?? 0
    if (filters.village !== null && id !== filters.village) continue
    if (filters.place !== null && member.camera?.place_class !== filters.place) continue
    if (filters.chosen && !isChosen(member, chosen)) continue
    if (!matches(member, filters.text, byId.get(id))) continue
    const own = ofVillage.get(id)
    if (own) own.push(member)
    else ofVillage.set(id, [member])
  }
  return villages.flatMap((village): ChooseRow[] => {
    const own = ofVillage.get(village.id)
    if (!own) return []
    return [
      { type: 'village', key: `v${village.id}`, village, members: own },
      ...own.map((member): ChooseRow => ({ type: 'member', key: member.camera ? `c${member.camera.id}` : `d${member.deviceId}`, member })),
    ]
  })
}
