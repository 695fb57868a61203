import { describe, expect, it } from 'vitest'
import { chosen, grantsOf, inOrder, rowsOf, standing } from '@/pages/users/grants'

const NOON = Date.parse('2026-11-28T12:00:00Z')

describe('villages that bound a user', () => {
  it('come back from the form as they went in', () => {
    const grants = [
      { village_id: 7, from: null, until: '2026-12-01T08:30:00.000Z' },
      { village_id: 8, from: '2026-11-01T00:00:00.000Z', until: null },
    ]
    expect(grantsOf(rowsOf(grants))).toEqual(grants)
    expect(rowsOf(null)).toEqual([])
  })
  it('keep their times while others are chosen', () => {
    const rows = [{ village_id: 7, from: '', until: '2026-12-01T08:30' }]
    expect(chosen(rows, [9, 7])).toEqual([rows[0], { village_id: 9, from: '', until: '' }])
    expect(chosen(rows, [9])).toEqual([{ village_id: 9, from: '', until: '' }])
  })
  it('end after they begin', () => {
    expect(inOrder({ village_id: 7, from: '2026-12-01T08:30', until: '2026-12-01T08:30' })).toBe(false)
    expect(inOrder({ village_id: 7, from: '2026-12-01T08:30', until: '2026-12-01T08:31' })).toBe(true)
    expect(inOrder({ village_id: 7, from: '', until: '' })).toBe(true)
  })
  it('stand as the hub judges them: the end itself is over', () => {
    expect(standing({ village_id: 7, from: null, until: null }, NOON)).toBe('valid')
    expect(standing({ village_id: 7, from: null, until: '2026-11-28T12:00:00Z' }, NOON)).toBe('over')
    expect(standing({ village_id: 7, from: '2026-11-28T12:00:01Z', until: null }, NOON)).toBe('coming')
    expect(standing({ village_id: 7, from: '2026-11-28T12:00:00Z', until: null }, NOON)).toBe('valid')
  })
})
