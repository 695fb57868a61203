/** Who may run and change a tour (patrol.tours.rights): all whose role does, unless the tour names roles; its owner and
 * township admins always. */
import type { Role, Tour } from '@/api/types'
import { can, me } from '@/stores'

function open(roles: readonly Role[], tour: Pick<Tour, 'owner_id'>): boolean {
  const who = me.value
  return who !== null && (!roles.length || roles.includes(who.role) || who.role === 'township_admin' || who.id === tour.owner_id)
}

export const mayRun = (tour: Pick<Tour, 'owner_id' | 'roles'>): boolean => can('run_tours') && open(tour.roles, tour)
export const mayEdit = (tour: Pick<Tour, 'owner_id' | 'edit_roles'>): boolean => can('edit_tours') && open(tour.edit_roles, tour)
