/** Degrees and the eight directions of the ledger. Pure. */
export const POINTS = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const

export function pointOf(degrees: number): (typeof POINTS)[number] {
  return POINTS[Math.round((((degrees % 360) + 360) % 360) / 45) % 8]!
}
