/** One tour being edited: loading, undo, saving, and what happens when somebody else saves it at the same time. */
import { computed, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { api, type ApiError } from '@/api/client'
import type { Tour } from '@/api/types'
import { errorText } from '@/i18n'
import { useLoad } from '../parts/useLoad'
import { bodyOf, draftOf, EMPTY, sameTour, type TourDraft } from './draft'
import { useHistory, type History } from './history'
import { withoutWaiting } from './stops'
import { scenes, tours } from './store'

export interface TourEditor {
  readonly history: History<TourDraft>
  /** The tour as the hub has it and this page knows it; null: a new one. */
  readonly base: ShallowRef<Tour | null>
  readonly loaded: Ref<boolean>
  readonly error: Ref<ApiError | null>
  readonly dirty: ComputedRef<boolean>
  readonly busy: Ref<boolean>
  readonly problem: Ref<string>
  /** What somebody else has saved since `base`, while there are changes here. */
  readonly theirs: ShallowRef<Tour | null>
  load(): Promise<void>
  /** The saved tour; null: it was not saved, `problem` or `theirs` says why. */
  save(): Promise<Tour | null>
  /** Saves what is here as another tour. */
  saveAs(name: string): Promise<Tour | null>
  /** Shows what the other has saved; what was here can be had back by undo. */
  takeTheirs(): void
  /** Saves over what the other has saved. */
  overwrite(): Promise<Tour | null>
}

export function useTourEditor(id: Ref<number | null>): TourEditor {
  const history = useHistory<TourDraft>(EMPTY)
  const base = shallowRef<Tour | null>(null)
  const saved = shallowRef<TourDraft>(EMPTY)
  const loaded = ref(id.value === null)
  const busy = ref(false)
  const problem = ref('')
  const theirs = shallowRef<Tour | null>(null)
  const dirty = computed(() => !sameTour(history.state.value, saved.value))

  function adopt(tour: Tour): void {
    base.value = tour
    saved.value = draftOf(tour)
    theirs.value = null
  }
  const tour = useLoad((signal) => api.get('/api/tours/{tour_id}', { path: { tour_id: id.value ?? 0 }, signal }))
  watch(tour.data, (value) => {
    if (!value) return
    adopt(value)
    history.reset(saved.value)
    loaded.value = true
  })
  // Somebody else saves: without changes here the page simply follows.
  watch(
    () => (base.value ? tours.byId.get(base.value.id) : undefined),
    (now) => {
      if (!now || !base.value || now.revision <= base.value.revision || busy.value) return
      if (dirty.value) theirs.value = now
      else {
        adopt(now)
        history.reset(saved.value)
      }
    },
  )

  async function send(call: () => ReturnType<typeof put> | ReturnType<typeof post>): Promise<Tour | null> {
    if (busy.value) return null
    busy.value = true
    problem.value = ''
    const sent = history.state.value
    const answer = await call()
    busy.value = false
    if (answer.ok) {
      adopt(answer.data)
      if (sent === history.state.value) saved.value = sent
      tours.put(answer.data)
      return answer.data
    }
    if (answer.error.reason === 'tour_changed' && answer.error.params.tour) theirs.value = answer.error.params.tour as Tour
    else if (!answer.aborted) problem.value = errorText(answer.error)
    return null
  }
  const put = (to: Tour) => api.put('/api/tours/{tour_id}', { path: { tour_id: to.id }, body: { ...bodyOf(history.state.value), revision: to.revision } })
  const fresh = (draft: TourDraft): TourDraft => ({ ...draft, stops: withoutWaiting(draft.stops, scenes.byId) })
  const post = (name?: string) => api.post('/api/tours', { body: { ...bodyOf(fresh(history.state.value)), ...(name === undefined ? {} : { name, edit_roles: [] }) } })

  return {
    history,
    base,
    loaded,
    error: tour.error,
    dirty,
    busy,
    problem,
    theirs,
    load: tour.load,
    save: () => send(() => (base.value ? put(base.value) : post())),
    saveAs: (name) => send(() => post(name)),
    takeTheirs() {
      const other = theirs.value
      if (!other) return
      adopt(other)
      history.put(saved.value)
    },
    async overwrite() {
      const other = theirs.value
      if (!other) return null
      theirs.value = null
      return send(() => put(other))
    },
  }
}
