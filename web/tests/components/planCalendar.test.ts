import { type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import '@/pages/plans/PlansPage.vue' // loaded before the clock of a test runs
import routes from '@/pages/plans/routes'
import { setTimeZone } from '@/siteTime'
import { FakeHub, flushPromises, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
let asked: string[]

const counts = { night: 0, special: 0, done: 0, late: 0, missed: 0, open: 0, coming: 0, tours: [], other_tours: 0 }

beforeEach(async () => {
  asked = []
  hub = new FakeHub()
  hub.on('GET /api/plans', () => [])
  hub.on('GET /api/special-periods', () => [])
  hub.on('GET /api/occurrences', ({ query }) => {
    asked.push(`list ${query.from}`)
    return { occurrences: [], more: true }
  })
  hub.on('GET /api/occurrences/days', ({ query }) => {
    asked.push(`days ${query.first} ${query.last}`)
    const tours = [{ tour_id: 1, tour_name: '重点路段', count: 48 }]
    return [{ ...counts, day: '2026-11-05', planned: 48, night: 16, done: 40, missed: 2, late: 1, open: 6, tours }]
  })
  await signIn(hub)
  setTimeZone('Asia/Shanghai')
})
afterEach(() => {
  page.unmount()
  signOutAll()
})

describe('the calendar of plans', () => {
  it('shows a month in whole weeks, and opens the day that is clicked', async () => {
    page = await visit(routes, '/plans/calendar?view=month&day=2026-11-20')
    await flushPromises()
    expect(asked).toEqual(['days 2026-10-26 2026-12-06'])
    const cell = page.find('[data-day="2026-11-05"]')
    expect(cell.text().replace(/\s+/g, ' ')).toContain('应巡 48 次')
    expect(cell.text()).toContain('重点路段')
    expect(cell.attributes('aria-label')).toContain('已完成 40、逾期 1、漏巡 2、待完成 6')
    await cell.trigger('click')
    await flushPromises()
    expect(asked.slice(1).sort()).toEqual(['days 2026-11-05 2026-11-05', 'list 2026-11-04T16:00:00.000Z'])
    expect(page.find('[data-view="day"]').attributes('aria-pressed')).toBe('true')
  })

  it('sums up a day of a week that its list does not hold, instead of saying that nothing is due', async () => {
    page = await visit(routes, '/plans/calendar?view=week&day=2026-11-05')
    await flushPromises()
    const column = page.find('section[data-day="2026-11-05"]')
    expect(column.text()).toContain('应巡 48 次')
    expect(column.text()).not.toContain('无应巡')
    expect(page.find('section[data-day="2026-11-06"]').text()).toContain('无应巡')
  })
})
