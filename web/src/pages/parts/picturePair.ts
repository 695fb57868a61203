/** Two pictures of one camera that are compared. */
import { reasonText, t } from '@/i18n'

export type PictureKind = 'reference' | 'present' | 'repair' | 'last_good' | 'now'
export interface ShownPicture {
  kind: PictureKind
  url: string | null
  at: string | null
  scores?: Record<string, number>
}
export type CompareMode = 'side' | 'slider' | 'flicker'
export const MODES: readonly CompareMode[] = ['side', 'slider', 'flicker']

const FAULT_BELOW = 60

export interface Score {
  reason: string
  text: string
  fault: boolean
}

/** What a picture was scored: its faults, the worst first; of a picture without one the three lowest scores. */
export function shownScores(scores: Record<string, number> = {}): Score[] {
  const all = Object.entries(scores).sort(([, a], [, b]) => a - b)
  const faults = all.filter(([, score]) => score < FAULT_BELOW)
  return (faults.length ? faults : all.slice(0, 3)).map(([reason, score]) => ({
    reason,
    text: t('pictures.score', { name: reasonText(reason), score: Math.round(score) }),
    fault: score < FAULT_BELOW,
  }))
}

export interface KeptPicture {
  camera_id: number
  camera_name: string
  kind: 'reference' | 'present' | 'repair' | 'last_good'
  at: string
  scores: Record<string, number>
  url: string
}
export interface CameraPictures {
  id: number
  name: string
  left: ShownPicture
  right: ShownPicture
  repair: ShownPicture | null
}

/** An alarm's pictures camera by camera: what should be seen and what was seen; before a loss and after its repair. */
export function pairs(kept: readonly KeptPicture[]): CameraPictures[] {
  const cameras = [...new Map(kept.map((one) => [one.camera_id, one.camera_name]))]
  return cameras.map(([id, name]) => {
    const of = (kind: KeptPicture['kind']): ShownPicture | null => kept.find((one) => one.camera_id === id && one.kind === kind) ?? null
    const none = (kind: PictureKind): ShownPicture => ({ kind, url: null, at: null })
    const [lastGood, repair] = [of('last_good'), of('repair')]
    if (lastGood || (!of('present') && !of('reference'))) return { id, name, left: lastGood ?? none('last_good'), right: repair ?? none('repair'), repair: null }
    return { id, name, left: of('reference') ?? none('reference'), right: of('present') ?? none('present'), repair }
  })
}
