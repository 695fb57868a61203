/** What is read from a device and set on it, under the names of this page. */
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type ApplySettings = Schemas['ApplySettings']
export type CameraSettings = Schemas['CameraSettingsAnswer']
export type Change = Schemas['SettingsChangeBody']
export type ClockCheck = Schemas['ClockCheckAnswer']
export type ClockList = Schemas['ClocksAnswer']
/** One row of the drift list. */
export type ClockRow = Schemas['CheckedClockAnswer']
export type Defaults = Schemas['SettingsDefaultsAnswer']
export type DeviceSettings = Schemas['DeviceSettingsAnswer']
export type Preview = Schemas['SettingsPreviewAnswer']
/** One part of one device or camera, before and after. */
export type PreviewItem = Schemas['PlannedItemAnswer']

/** `lies`: it was set, was right, and is wrong again sooner than a clock drifts. */
export type ClockVerdict = ClockCheck['verdict']
export type Source = NonNullable<ClockCheck['source']>
export type Param = PreviewItem['params'][string]
/** What is compared of one part, by name. */
export type Facts = PreviewItem['before']
export type Fact = Facts[string]

/** Exactly one of them. */
export interface Targets {
  device_ids?: number[]
  camera_ids?: number[]
}
