import { describe, expect, it } from 'vitest'
import { fitted } from '@/wall/layout'
import { plainScene, sceneFromQuery, sceneFromStorage, sceneToQuery, type SceneState } from '@/wall/scene'

describe('the scene in the URL', () => {
  it('goes there and comes back', () => {
    const scene = plainScene('4', [12, 15, null, 7])
    expect(sceneToQuery(scene)).toEqual({ layout: '4', cams: '12,15,,7' })
    expect(sceneFromQuery(sceneToQuery(scene))).toEqual(scene)
  })

  it('names no cameras when there are none, and drops empty tiles at the end', () => {
    expect(sceneToQuery(plainScene('9', []))).toEqual({ layout: '9' })
    expect(sceneToQuery(plainScene('9', [null, 3]))).toEqual({ layout: '9', cams: ',3' })
  })

  it('takes a layout whose plus became a blank', () => {
    expect(sceneFromQuery({ layout: '1 5', cams: '1' })?.layout).toBe('1+5')
  })

  it('finds a layout for bare cameras and shows nothing for what is no id', () => {
    expect(sceneFromQuery({ cams: '5,x,-1,0,8' })).toEqual(plainScene('9', [5, null, null, null, 8]))
    expect(sceneFromQuery({})).toBeNull()
    expect(sceneFromQuery({ layout: '7' })).toBeNull()
  })

  it('carries what turns', () => {
    const source = { cameras: [], place_class: null, village_id: null }
    const scene: SceneState = {
      layout: '3x4',
      cameras: fitted('3x4', [1, null, null, null, 5]),
      carousels: { 1: { ...source, cameras: [12, 15], seconds: 15 }, 2: { ...source, place_class: 'key_road', seconds: 5 }, 3: { ...source, village_id: 3, seconds: 60 } },
      magnify: 10,
    }
    const query = { layout: '3x4', cams: '1,,,,5', turns: '1:15:c12.15,2:5:pkey_road,3:60:v3', magnify: '10' }
    expect(sceneToQuery(scene)).toEqual(query)
    expect(sceneFromQuery(query)).toEqual(scene)
    expect(sceneFromStorage({ query })).toEqual(scene)
    expect(sceneFromStorage({ layout: '4', cameras: [1, 'x', 3] })).toEqual(plainScene('4', [1, null, 3]))
    expect([null, 7, {}, { layout: 'x', cameras: [] }].map(sceneFromStorage)).toEqual([null, null, null, null])
  })

  it('has no carousel of what is none', () => {
    for (const turns of ['0:15:c', '0:15:c0', '0:4:pschool', '0:9999:pschool', '0:15:pmoon', '0:15:v0', '99:15:v1', 'x:15:v1', '0', ',,', '0:15:x1', '0:15:c1x']) {
      expect([turns, sceneFromQuery({ layout: '4', turns })?.carousels]).toEqual([turns, {}])
    }
    expect(sceneFromQuery({ layout: '1', magnify: '10' })?.magnify).toBeNull()
    expect(sceneFromQuery({ layout: '4', magnify: '3' })?.magnify).toBeNull()
    expect(sceneFromQuery({ turns: '5:15:v1' })?.layout).toBe('9')
  })
})
