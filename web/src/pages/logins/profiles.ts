/** What a page shows of login profiles. Pure. */
import type { LoginProfile, Village } from '@/api/types'

export type Use = LoginProfile['uses'][number]
export type Purpose = Use['purpose']
export const PURPOSES = ['ordinary', 'onvif', 'rtsp', 'http'] as const satisfies readonly Purpose[]

/** A device that has the profile, however many purposes it serves there: as bad as the worst of them. */
export interface UsedBy {
  id: number
  name: string
  host: string
  state: Use['state']
  reason: string | null
  at: string | null
}
const RANK: Record<Use['state'], number> = { accepted: 0, untried: 1, refused: 2 }

export function usedBy(profile: LoginProfile): UsedBy[] {
  const found = new Map<number, UsedBy>()
  for (const use of profile.uses) {
    const known = found.get(use.device_id)
    if (known && RANK[known.state] >= RANK[use.state]) continue
    found.set(use.device_id, { id: use.device_id, name: use.name, host: use.host, state: use.state, reason: use.reason, at: use.asked_at })
  }
  return [...found.values()].sort((a, b) => RANK[b.state] - RANK[a.state] || a.name.localeCompare(b.name, 'zh-CN') || a.id - b.id)
}

export function tally(uses: readonly UsedBy[]): Record<Use['state'], number> {
  const counts = { accepted: 0, refused: 0, untried: 0 }
  for (const use of uses) counts[use.state] += 1
  return counts
}

/** The profiles under their villages, in the official order; villages without any are left out. */
export function byVillage(profiles: readonly LoginProfile[], villages: readonly Village[]): { village: Village; profiles: LoginProfile[] }[] {
  return villages.map((village) => ({ village, profiles: profiles.filter((one) => one.village_id === village.id) })).filter((one) => one.profiles.length > 0)
}
