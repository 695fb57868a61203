/** What is read from a device and set on it, as the hub gives it. */
export type Param = string | number

export type Part = 'clock' | 'ntp' | 'osd_name' | 'osd_time' | 'sub'
export type Fact = string | number | boolean | null
/** What is compared of one part, by name. */
export type Facts = Record<string, Fact>
export type Source = 'ntp' | 'manual'

export interface Problem {
  part: string
  /** Null: of the device itself. */
  camera_id: number | null
  reason: string
  params: Record<string, Param>
}

export interface ClockSetting {
  source: Source | null
  device_time: string | null
  offset_s: number | null
  zone: string
  daylight: boolean
  ntp_server: string
  from_dhcp: boolean
}

export interface OsdText {
  token: string
  kind: 'name' | 'time' | 'other'
  text: string
  position: string
  shown: boolean
}

export interface SubStream {
  codec: string | null
  codecs: string[]
  width: number | null
  height: number | null
  fps: number | null
  gov_length: number | null
  bitrate_kbit: number | null
}

export interface CameraSettings {
  camera_id: number
  osd: OsdText[]
  sub: SubStream | null
}

/** What was read of one device, and when; `read_at` is null where it was never read. */
export interface DeviceSettings {
  device_id: number
  read_at: string | null
  clock: ClockSetting | null
  cameras: CameraSettings[]
  problems: Problem[]
  /** The recorder that sets this camera in its place. */
  recorder_id: number | null
  check: ClockCheck | null
}

export interface Change {
  clock?: { set_now: boolean; zone?: string; ntp_server?: string }
  osd?: { name?: string; time?: boolean }
  sub?: { codec?: 'h264'; gov_seconds?: number; fps?: number }
}

export interface Targets {
  device_ids?: number[]
  camera_ids?: number[]
  village_id?: number
}

export type Verdict = 'change' | 'same' | 'cannot'

/** One value of one device or camera, before and after. */
export interface PreviewItem {
  key: string
  device_id: number
  device_name: string
  camera_id: number | null
  camera_name: string | null
  part: string
  before: Facts
  after: Facts
  verdict: Verdict
  reason: string | null
  params: Record<string, Param>
  /** What is set otherwise than wanted, since the device does not offer it: name, and what was wanted. */
  bounded: Record<string, Param>
  /** The recorder on which it is to be set. */
  via_device_id: number | null
}

export interface Preview {
  id: string
  state: 'reading' | 'ready' | 'cancelled' | 'failed'
  items: PreviewItem[]
}

/** `lies`: it was set, was right, and is wrong again sooner than a clock drifts. */
export type ClockVerdict = 'ok' | 'warn' | 'wrong' | 'lies' | 'unknown'

/** The last check of a clock. `offset_s` above 0: it is fast. `since`: since when it has been off. */
export interface ClockCheck {
  checked_at: string | null
  offset_s: number | null
  source: Source | null
  verdict: ClockVerdict
  since: string | null
  reason: string | null
  /** When the hub set it last and read back that it was right. */
  set_at: string | null
}

/** One row of the drift list. */
export interface ClockRow {
  device_id: number
  village_id: number
  name: string
  host: string
  recorder_id: number | null
  check: ClockCheck
}

export interface ClockList {
  next_at: string
  warn_s: number
  fail_s: number
  clocks: ClockRow[]
}

/** What an empty form begins with. */
export interface Defaults {
  ntp_server: string
}
