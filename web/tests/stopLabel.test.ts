import { afterEach, expect, it } from 'vitest'
import { setLanguage } from '@/i18n'
import { stopLabel } from '@/stopLabel'
import { stopName } from '@/pages/tours/stopWords'
import { groupStop } from '@/pages/tours/stops'
import { cameras } from '@/stores'
import { camera } from './components/hub'

afterEach(() => {
  return setLanguage('zh-CN')
})

it('names a stop of several cameras by one of them and their number, unless it has a name of its own', async () => {
  expect(stopLabel({ name: '大桥北', more: 1 })).toBe('大桥北等 2 路')
  expect(stopLabel({ name: '河堤', more: 0 })).toBe('河堤')
  expect(stopLabel({ name: '大桥北 +1' })).toBe('大桥北 +1') // a record of before keeps what it says
  await setLanguage('en')
  expect(stopLabel({ name: 'Bridge north', more: 3 })).toBe('Bridge north (4 cameras)')
})

it('is the same in the editor', () => {
  cameras.put(camera(901, { name: '大桥北' }))
  cameras.put(camera(902, { name: '大桥南' }))
  expect(stopName(groupStop([901, 902]), new Map())).toBe('大桥北等 2 路')
  expect(stopName(groupStop([901, 902], 15, '大桥'), new Map())).toBe('大桥')
})
