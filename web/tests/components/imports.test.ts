import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ImportField, ImportRow, SheetImport } from '@/api/types'
import { fileProblem } from '@/pages/imports/file'
import { importFields } from '@/pages/imports/fields'
import ImportPage from '@/pages/imports/ImportPage.vue'
import ImportsPage from '@/pages/imports/ImportsPage.vue'
import { FakeHub, Refusal, flushPromises, person, signIn, signOutAll, visit, type Call } from './hub'

const COUNTS = { total: 3, good: 2, bad: 1, changed: 0, unchanged: 0, done: 0, failed: 0, staged: 0, outside: 0, approved: 0 }
const column = (index: number, header: string, field: string | null) => ({ index, header, samples: [`例${index}`], field })
const sheet = (more: Partial<SheetImport> = {}): SheetImport => ({
  id: 7, village_id: 1, name: '点位表.xlsx', state: 'preview', sheets: ['点位'], sheet: '点位', header_row: 2, columns: [column(0, '序号', null), column(1, '名称', 'name'), column(2, 'IP', 'host'), column(3, '密码', 'password')],
  counts: COUNTS, job_id: null, created_at: '2026-01-01T00:00:00Z', user: '张三', on_behalf: false, remembered: true, ...more,
})
const row = (number: number, more: Partial<ImportRow> = {}): ImportRow => ({
  number, village_id: 1, values: { name: `点位${number}`, host: `10.0.0.${number}` }, has_password: true, verdict: 'good', problems: [], changes: [], device_id: null, camera_id: null, candidate_id: null, ...more,
})
const bad = (): ImportRow => row(4, { values: { name: '桥头', host: '10.0.0' }, verdict: 'bad', problems: [{ field: 'host', reason: 'bad_host', params: {}, note: false }] })
const field = (key: string, header: string): ImportField => ({ key, header, english: key, kind: 'text', choices: [] })

const routes = [{ path: '/imports', component: ImportsPage }, { path: '/imports/:id(\\d+)', component: ImportPage }]

let hub: FakeHub
let page: VueWrapper
let rows: ImportRow[]
let now: SheetImport
const open = async (path: string): Promise<void> => {
  page = await visit(routes, path)
}
const shown = () => page.findAll('[data-row]').map((one) => Number(one.attributes('data-row')))
const press = async (selector: string): Promise<void> => {
  await page.find(selector).trigger('click')
  await flushPromises()
}

beforeEach(async () => {
  hub = new FakeHub()
  now = sheet()
  rows = [row(3), bad(), row(5)]
  hub.on('GET /api/imports', () => [now])
  hub.on('GET /api/imports/7', () => now)
  hub.on('GET /api/imports/fields', () => [field('name', '点位名称'), field('host', 'IP地址'), field('village', '所属村居'), field('password', '密码'), field('ledger.address', '安装地址')])
  hub.on('GET /api/imports/7/rows', ({ query }: Call) => ({ rows: rows.filter((one) => one.number > Number(query.after) && (!query.verdict || one.verdict === query.verdict)), counts: now.counts }))
  await signIn(hub, person(1, { villages: [{ id: 1, name: '村1' }] }))
})
afterEach(() => {
  page?.unmount()
  signOutAll()
  importFields.value = []
  vi.unstubAllGlobals()
})

describe('a file', () => {
  it.each([
    ['点位.xlsx', 10, null],
    ['点位.XLS', 10, null],
    ['点位.pdf', 10, 'kind'],
    ['点位.csv', 0, 'empty'],
    ['点位.csv', 8 * 1024 * 1024, null],
    ['点位.csv', 8 * 1024 * 1024 + 1, 'size'],
  ])('%s of %i bytes', (name, size, problem) => {
    expect(fileProblem({ name, size })).toBe(problem)
  })
})

describe('the columns', () => {
  it('cannot go on without an address, and give a field to the column chosen last', async () => {
    now = sheet({ state: 'mapping', remembered: false, columns: [column(0, '名称', 'name'), column(1, '内网地址', null), column(2, '备注', null)], counts: { ...COUNTS, total: 0 } })
    await open('/imports/7')
    const next = () => page.find<HTMLButtonElement>('[data-next]').element
    expect(page.find('.missing').text()).toContain('IP地址')
    expect(next().disabled).toBe(true)
    await page.find('[data-column="2"]').setValue('host')
    await page.find('[data-column="1"]').setValue('host')
    expect(page.find<HTMLSelectElement>('[data-column="2"]').element.value).toBe('')
    expect(next().disabled).toBe(false)
    hub.on('PUT /api/imports/7/mapping', () => (now = sheet()))
    await press('[data-next]')
    expect(hub.to('PUT /api/imports/7/mapping')[0]!.body).toEqual({ sheet: '点位', header_row: 2, columns: [{ index: 0, field: 'name' }, { index: 1, field: 'host' }, { index: 2, field: null }] })
    expect(shown()).toEqual([4])
  })

  it('are not shown again where they were confirmed before', async () => {
    await open('/imports/7?columns=')
    expect(page.find('[data-next]').exists()).toBe(false)
    expect(shown()).toEqual([4])
  })
})

describe('the rows', () => {
  it('begin with what needs a person, say why at the cell, and never show a password', async () => {
    await open('/imports/7')
    expect(shown()).toEqual([4])
    expect(page.find('[data-cell="4 host"]').attributes('aria-invalid')).toBe('true')
    expect(page.find('[data-row="4"] .problem').text()).toContain('地址不对')
    expect(page.find('[data-cell="4 password"]').text()).toContain('已填')
    await press('[data-filter=all]')
    expect(shown()).toEqual([3, 4, 5])
  })

  it('are mended in place: the row stays, with its new verdict', async () => {
    await open('/imports/7')
    hub.on('PATCH /api/imports/7/rows/4', ({ body }) => {
      const mended = row(4, { values: { name: '桥头', ...(body as { values: Record<string, string> }).values } })
      rows = [rows[0]!, mended, rows[2]!]
      now = sheet({ counts: { ...COUNTS, good: 3, bad: 0 } })
      return mended
    })
    await press('[data-cell="4 host"]')
    await page.find('[data-cell="4 host"] input').setValue('10.0.0.4')
    await page.find('[data-cell="4 host"] input').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(hub.to('PATCH /api/imports/7/rows/4')[0]!.body).toEqual({ values: { host: '10.0.0.4' } })
    expect(page.find('[data-row="4"]').attributes('data-verdict')).toBe('good')
    expect(page.find('[data-run]').text()).toContain('3 行')
  })

  it('offer the words of a list at once, whatever stands there', async () => {
    hub.on('GET /api/imports/fields', () => [field('name', '点位名称'), field('host', 'IP地址'), { ...field('place_class', '场所类别'), kind: 'code', choices: ['学校', '水域'] }])
    now = sheet({ columns: [...now.columns.slice(0, 2), { index: 2, header: '类别', samples: [], field: 'place_class' }] })
    rows = [row(4, { verdict: 'bad', values: { name: '桥头', host: '10.0.0.4', place_class: '养鸡场' }, problems: [{ field: 'place_class', reason: 'row_place_class', params: {}, note: false }] })]
    hub.on('PATCH /api/imports/7/rows/4', () => row(4))
    await open('/imports/7')
    await press('[data-cell="4 place_class"]')
    expect(page.findAll('[data-cell="4 place_class"] option').map((one) => one.text())).toEqual(['养鸡场', '学校', '水域'])
    await page.find('[data-cell="4 place_class"] select').setValue('水域')
    await flushPromises()
    expect(hub.to('PATCH /api/imports/7/rows/4')[0]!.body).toEqual({ values: { place_class: '水域' } })
  })

  it('keep what was typed open, with the reason, when the hub refuses it', async () => {
    await open('/imports/7')
    hub.on('PATCH /api/imports/7/rows/4', () => {
      throw new Refusal(409, 'import_running')
    })
    await press('[data-cell="4 host"]')
    await page.find('[data-cell="4 host"] input').setValue('10.0.0.4')
    await page.find('[data-cell="4 host"] input').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(page.find('[data-cell="4 host"] [role=alert]').text()).toContain('导入正在进行')
    expect(page.find<HTMLInputElement>('[data-cell="4 host"] input').element.value).toBe('10.0.0.4')
  })

  it('do not send a password that nobody typed', async () => {
    await open('/imports/7')
    await press('[data-cell="4 password"]')
    await page.find('[data-cell="4 password"] input').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(hub.to('PATCH /api/imports/7/rows/4')).toEqual([])
  })
})

describe('a run', () => {
  it('is followed as a job, and its end shows what failed, to be tried again', async () => {
    await open('/imports/7')
    hub.on('POST /api/imports/7/run', () => ({ job_id: 'j' }))
    const job = { id: 'j', kind: 'import', village_id: 1, state: 'running', started_at: '2026-01-01T00:00:00Z', total: 2, done: 1, failed: 0, verdicts: [] as object[] }
    hub.on('GET /api/jobs/j', () => job)
    await press('[data-run]')
    expect(hub.to('POST /api/imports/7/run')[0]!.body).toEqual({ only: 'good', approve: true, outside: false })
    expect(page.find('.job').text()).toContain('1 / 2')
    expect(page.find('[data-run]').exists()).toBe(false)

    now = sheet({ state: 'done', job_id: 'j', counts: { ...COUNTS, good: 0, bad: 1, done: 1, failed: 1 } })
    rows = [row(3, { verdict: 'done', camera_id: 9 }), bad(), row(5, { verdict: 'failed', problems: [{ field: '', reason: 'wrong_password', params: {}, note: false }] })]
    const verdict = (key: string, ok: boolean) => ({ key, name: key, ok, reason: ok ? null : 'wrong_password', detail: '', params: {} })
    Object.assign(job, { state: 'done', done: 2, failed: 1, verdicts: [verdict('0', true), verdict('1', false)] })
    hub.changed('job', 'j', { ...job, verdicts: undefined })
    await flushPromises()
    await flushPromises()
    expect(shown()).toEqual([5])
    expect(page.find('[data-row="5"] .problem').text()).toContain('密码错误')
    await press('[data-retry]')
    expect(hub.to('POST /api/imports/7/run')[1]!.body).toEqual({ only: 'failed', approve: true, outside: false })
  })
})

describe('a row worth a second look', () => {
  const button = (words: string) => [...document.querySelectorAll<HTMLButtonElement>('.el-message-box__btns button')].find((one) => one.textContent?.includes(words))!

  it('says so without being bad, and is brought in once somebody has confirmed it', async () => {
    now = sheet({ counts: { ...COUNTS, good: 2, bad: 0, outside: 1 } })
    rows = [row(3), row(5, { problems: [{ field: 'host', reason: 'row_public_address', params: { address: '8.8.8.8', village: '村1' }, note: true }] })]
    await open('/imports/7')
    hub.on('POST /api/imports/7/run', () => ({ job_id: 'j' }))
    expect(page.find('[data-row="5"] .problem.note').text()).toContain('8.8.8.8 是公网地址')
    expect(page.find('[data-cell="5 host"]').attributes('aria-invalid')).toBe('false')
    await press('[data-run]')
    expect(hub.to('POST /api/imports/7/run')).toEqual([])
    button('只导入其余的').click()
    await flushPromises()
    expect(hub.to('POST /api/imports/7/run')[0]!.body).toMatchObject({ only: 'good', outside: false })
    page.unmount()
    await open('/imports/7')
    await press('[data-run]')
    button('一并导入').click()
    await flushPromises()
    expect(hub.to('POST /api/imports/7/run')[1]!.body).toMatchObject({ only: 'good', outside: true })
  })

  it('leaves the approval to the inbox if the township wants to see the pictures first', async () => {
    signOutAll()
    hub = new FakeHub()
    hub.on('GET /api/imports/7', () => now)
    hub.on('GET /api/imports/fields', () => [])
    hub.on('GET /api/imports/7/rows', () => ({ rows, counts: now.counts }))
    hub.on('POST /api/imports/7/run', () => ({ job_id: 'j' }))
    await signIn(hub, person(2, { actions: ['intake', 'register', 'approve'] }))
    await open('/imports/7')
    expect(page.find<HTMLInputElement>('[data-approve]').element.checked).toBe(true)
    await page.find('[data-approve]').setValue(false)
    expect(page.find('.said').text()).toContain('看过画面再逐个批准')
    await press('[data-run]')
    expect(hub.to('POST /api/imports/7/run')[0]!.body).toMatchObject({ approve: false })
  })

  it('has a place for the reason why a camera cannot be reached', async () => {
    rows = [row(4, { values: { name: '桥头' }, verdict: 'bad', problems: [{ field: 'host', reason: 'row_address_missing', params: {}, note: false }] })]
    await open('/imports/7')
    expect(page.find('[data-cell="4 ledger.no_access_reason"]').exists()).toBe(true)
  })
})

describe('the list', () => {
  it('tells what is there without any import, and that one is gone', async () => {
    hub.on('GET /api/imports', () => [])
    await open('/imports')
    expect(page.text()).toContain('还没有导入过表格')
    page.unmount()
    hub.on('GET /api/imports/7', () => {
      throw new Refusal(404, 'not_found')
    })
    await open('/imports/7')
    expect(page.text()).toContain('没有这次导入')
  })
})
