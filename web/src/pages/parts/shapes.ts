/** Short names for generated types that only these pages use, beside those of the API module. */
import type { components } from '@/api/schema'

export type {
  Alarm,
  Camera,
  Device,
  LayoutName,
  Observation,
  PlaceClass,
  Role,
  Run,
  RunRecord,
  Scene,
  Sweep,
  System,
  Tour,
  User,
  Village,
} from '@/api/types'

type Schemas = components['schemas']

export type Found = Schemas['FoundDeviceAnswer']
export type Plan = Schemas['SweepPlanAnswer']
export type PlanStop = Schemas['PlanStop']
export type RunStep = Schemas['RunStepAnswer']
export type StopBody = Schemas['StopBody']
export type StopCamera = Schemas['StopCamera']
export type DeviceRegistered = Schemas['DeviceRegistered']
export type NewDevice = Schemas['NewDevice']

export const PLACE_CLASSES = [
  'key_road',
  'key_unit',
  'high_incidence',
  'entrance',
  'school',
  'water',
  'square',
  'other',
] as const satisfies readonly Schemas['CameraAnswer']['place_class'][]
