/** The form of a change: what is ticked and typed, and what of it is sent. Pure. */
import type { Change, Targets } from './types'

export interface Form {
  now: boolean
  ntp: boolean
  ntpServer: string
  /** The site's zone. */
  zone: boolean
  name: boolean
  time: boolean
  codec: boolean
  gov: boolean
  govSeconds: string
  fps: boolean
  fpsValue: string
}

export const EMPTY: Form = { now: false, ntp: false, ntpServer: '', zone: false, name: false, time: false, codec: false, gov: false, govSeconds: '2', fps: false, fpsValue: '15' }

export const GOV_SECONDS = { min: 0.5, max: 10 }
export const FPS = { min: 1, max: 60 }

export type FormProblem = 'ntpServer' | 'govSeconds' | 'fpsValue'

/** A number as people type it, with a full-width point or a comma too; NaN where it is none. */
export function numberOf(text: string): number {
  const plain = text.trim().normalize('NFKC').replace('。', '.').replace(',', '.')
  return /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : NaN
}

const within = (value: number, { min, max }: { min: number; max: number }): boolean => value >= min && value <= max

/** An address or a name of a time server: no spaces, no scheme, no path. */
const SERVER = /^[\p{L}\p{N}.:[\]_-]{1,253}$/u

export function problems(form: Form): FormProblem[] {
  const found: FormProblem[] = []
  if (form.ntp && !SERVER.test(form.ntpServer.trim())) found.push('ntpServer')
  if (form.gov && !within(numberOf(form.govSeconds), GOV_SECONDS)) found.push('govSeconds')
  if (form.fps && !(Number.isInteger(numberOf(form.fpsValue)) && within(numberOf(form.fpsValue), FPS))) found.push('fpsValue')
  return found
}

export const changesClock = (form: Form): boolean => form.now || form.ntp || form.zone
export const changesCamera = (form: Form): boolean => form.name || form.time || form.codec || form.gov || form.fps
export const isEmpty = (form: Form): boolean => !changesClock(form) && !changesCamera(form)

/** What is sent: only what is ticked. `siteZone`: by its name, such as Asia/Shanghai. */
export function changeOf(form: Form, siteZone: string): Change {
  const change: Change = {}
  if (changesClock(form)) {
    change.clock = { set_now: form.now, ...(form.zone ? { zone: siteZone } : {}), ...(form.ntp ? { ntp_server: form.ntpServer.trim() } : {}) }
  }
  if (form.name || form.time) change.osd = { ...(form.name ? { name: 'camera_name' } : {}), ...(form.time ? { time: true } : {}) }
  if (form.codec || form.gov || form.fps) {
    change.sub = {
      ...(form.codec ? { codec: 'h264' as const } : {}),
      ...(form.gov ? { gov_seconds: numberOf(form.govSeconds) } : {}),
      ...(form.fps ? { fps: numberOf(form.fpsValue) } : {}),
    }
  }
  return change
}

/** What was chosen: cameras, and devices that have none in the register. */
export interface Choice {
  cameras: ReadonlySet<number>
  devices: ReadonlySet<number>
}

/**
 * Whom the change is about. A clock is the device's: a change of nothing else names devices. Whatever is the camera's names
 * cameras, whose devices' clocks are set along with them.
 */
export function targetsOf(form: Form, choice: Choice, deviceOf: (camera: number) => number | undefined): Targets {
  if (changesCamera(form)) return { camera_ids: [...choice.cameras] }
  return { device_ids: [...new Set([...choice.devices, ...[...choice.cameras].flatMap((id) => deviceOf(id) ?? [])])] }
}

/** Numbers of a query such as `?cameras=3,5`; whatever is none is left out. */
export function idsOf(query: unknown): number[] {
  if (typeof query !== 'string') return []
  return [...new Set(query.split(',').map(Number))].filter((id) => Number.isSafeInteger(id) && id > 0)
}
