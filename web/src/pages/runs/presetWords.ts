/** What is said of the PTZ presets at which a stop shows its cameras: while it is on, and in the record. */
import type { ItineraryStop, Run, RunStep } from '@/api/types'
import { reasonText, t } from '@/i18n'
import { cameraNames } from './confirming'

/** More domes than this on their way are counted, not named. */
const NAMED = 2

export interface PresetNote {
  key: string
  text: string
  /** The camera is not where it should be, and will not get there by itself. */
  bad: boolean
}

/** What the operator should know: which cameras are still turning, and which do not show what was meant. Those that are there need no word. */
export function presetNotes(run: Pick<Run, 'presets'>, stop: ItineraryStop | null): PresetNote[] {
  const names = stop ? cameraNames(stop) : new Map<number, string>()
  const nameOf = (camera: number): string => names.get(camera) ?? String(camera)
  const turning = run.presets.filter((one) => one.state === 'moving')
  const wrong = run.presets.filter((one) => one.state === 'taken' || one.state === 'failed')
  const notes: PresetNote[] = wrong.map((one) => ({ key: `bad${one.camera_id}`, text: t('running.presetMissed', { camera: nameOf(one.camera_id), preset: one.name, reason: reasonText(one.reason ?? '', one.params) }), bad: true }))
  if (turning.length > NAMED) notes.push({ key: 'turning', text: t('running.presetsTurning', { n: turning.length }), bad: false })
  else for (const one of turning) notes.push({ key: `turning${one.camera_id}`, text: t('running.presetTurning', { camera: nameOf(one.camera_id), preset: one.name }), bad: false })
  return notes
}

type StepCamera = RunStep['cameras'][number]

/** "预置位：桥栏杆 · 已到位"; empty: none was asked for. */
export function presetText(camera: StepCamera | undefined): string {
  if (!camera?.preset) return ''
  const { preset_state: state, preset } = camera
  const words = state === null ? t('records.presetUnknown') : state === 'reached' || state === 'moving' || state === 'ptz_locked' ? t(`records.presetState.${state}`) : t('records.presetMissed', { reason: reasonText(state) })
  return [t('records.preset', { name: preset }), words].filter(Boolean).join(' · ')
}

export const presetMissed = (camera: StepCamera | undefined): boolean => Boolean(camera?.preset) && camera?.preset_state !== 'reached' && camera?.preset_state !== null

/** Nobody knows whether it had come to its preset. */
export const presetUnknown = (camera: StepCamera | undefined): boolean => Boolean(camera?.preset) && camera?.preset_state === null

/** The last time that the camera was shown at a preset, of these times that its stop was on; of the one that still goes on nothing is known. */
export function lastAtPreset(visits: readonly RunStep[], camera: number): StepCamera | undefined {
  return visits.flatMap((step) => (step.ended_at === null ? [] : step.cameras.filter((one) => one.id === camera && one.preset !== null))).at(-1)
}
