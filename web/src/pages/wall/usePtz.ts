/** What an open pad knows of its camera, and what its controls do. The engine behind it is wall/ptzDrive.ts. */
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import type { ApiError, Result } from '@/api/client'
import type { Ptz, Role } from '@/api/types'
import { errorText, reasonText, remedyText } from '@/i18n'
import { link, live, me, now } from '@/stores'
import { PtzDrive, type PtzOrder } from '@/wall/ptzDrive'
import { GamepadPoll } from '@/wall/ptzGamepad'
import { guard } from '@/wall/ptzGuard'
import { endsKeys, keyControl, ptzKey } from '@/wall/ptzKeys'
import { isStill, motion, type Motion, type Sign } from '@/wall/ptzMotion'
import { readPtz } from './ptzCalls'
import { holderAt, ptzStates } from './ptzStates'

/** How a pad is set: kept for the next one that is opened. */
export const speed = ref(50)
/** 0: turns for as long as it is pressed; else one step of that size per press. */
export const stepSize = ref<0 | 1 | 2 | 3>(0)

/** Said already where the holder is named. */
const OF_THE_LOCK: ReadonlySet<string> = new Set(['ptz_locked', 'ptz_taken_over'])
const STICK = 'stick'
const FIELDS = 'input:not([type=range]), textarea, select, [role=dialog], .el-popper'

/** As the hub ranks who steers (cameras/ptz/lock.py). */
function priorityOf(role: Role | undefined): number {
  return role === 'township_admin' ? 3 : role === 'operator' ? 2 : 1
}

export function usePtz(cameraId: number, close: () => void) {
  const ptz = shallowRef<Ptz | null>(null)
  const problem = shallowRef<ApiError | null>(null)
  const working = ref(false)
  const moving = ref(false)
  const stopping = ref(false)
  const takenBy = ref<string | null>(null)
  const gamepad = ref<string | null>(null)
  /** Clicks on the picture centre what was clicked. */
  const centring = ref(false)
  const state = computed(() => ptzStates.get(cameraId) ?? ptz.value?.state ?? null)
  const holder = computed(() => holderAt(state.value, now.value))
  const mine = computed(() => holder.value !== null && holder.value.user_id === me.value?.id)
  const can = computed(() => ptz.value?.capabilities ?? null)
  const steps = computed(() => (can.value && !can.value.continuous ? Math.max(1, stepSize.value) : stepSize.value) as 0 | 1 | 2 | 3)
  /** Somebody else steers: nothing that this page does would count, unless it may and wants to take over. */
  const locked = computed(() => holder.value !== null && !mine.value && !taking.value)
  const taking = ref(false)
  const mayTake = computed(() => locked.value && holder.value !== null && holder.value.priority < priorityOf(me.value?.role))
  /** Whether it can turn to where the picture is clicked. */
  const pointing = computed(() => can.value?.point === true)
  const ready = computed(() => ptz.value !== null && link.value === 'open' && !locked.value)
  const failed = computed(() => {
    if (problem.value) return { words: errorText(problem.value), remedy: remedyText(problem.value.reason, problem.value.params) }
    const last = state.value?.last_error
    return last && !(locked.value && OF_THE_LOCK.has(last.reason)) ? { words: reasonText(last.reason, last.params), remedy: remedyText(last.reason, last.params) } : null
  })

  const drive = new PtzDrive(cameraId, {
    send: (command) => live.steer(command),
    now: () => performance.now(),
    later: (ms, what) => {
      const timer = setTimeout(what, ms)
      return () => clearTimeout(timer)
    },
    onChange: () => {
      moving.value = drive.moving
      stopping.value = drive.stopping
    },
  })

  const offPtz = live.on('ptz', (message) => {
    if (message.camera === cameraId) drive.confirmed(message.state.moving, message.serial)
  })
  const offHello = live.on('hello', () => void open())
  watch(link, (now) => now !== 'open' && drive.lost())
  watch(
    () => holder.value?.user_id,
    (_, before) => {
      taking.value = false
      takenBy.value = before !== undefined && before === me.value?.id && holder.value && !mine.value ? holder.value.name : null
      if (holder.value && !mine.value) drive.lost()
    },
  )

  /** Reads what the camera can do, and its presets. */
  async function open(): Promise<void> {
    const before = ptzStates.get(cameraId)
    const result = await readPtz(cameraId)
    if (!result.ok) {
      if (!result.aborted) problem.value = result.error
      return
    }
    problem.value = null
    ptz.value = result.data
    if (ptzStates.get(cameraId) !== before) return // the hub has said something newer meanwhile
    ptzStates.set(cameraId, result.data.state)
    drive.confirmed(result.data.state.moving, Infinity)
  }

  function press(control: string, wanted: Motion): void {
    if (ready.value) drive.press(control, wanted)
  }
  function order(wanted: Exclude<PtzOrder, { do: 'move' | 'stop' }>): void {
    problem.value = null
    if (ready.value) drive.order(wanted)
  }
  function step(pan: Sign, tilt: Sign, zoom: Sign, size = steps.value || 1): void {
    order({ do: 'step', pan, tilt, zoom, size: size })
  }
  /** A control is pressed in this direction: a step, or a motion at the chosen speed for as long as it is held. */
  function turn(control: string, direction: Motion): void {
    if (steps.value) return step(Math.sign(direction.pan) as Sign, Math.sign(direction.tilt) as Sign, Math.sign(direction.zoom) as Sign)
    const part = speed.value / 100
    press(control, motion(direction.pan * part, direction.tilt * part, direction.zoom * part))
  }
  function toggleCentring(): void {
    centring.value = !centring.value
  }
  function goTo(token: string): void {
    order({ do: 'preset', token })
  }
  function goToNumber(number: number): void {
    const preset = ptz.value?.presets[number - 1]
    if (preset) goTo(preset.token)
  }

  /** A change over HTTP, and then what stands; answers whether it was made. */
  async function change(call: () => Promise<Result<unknown>>): Promise<boolean> {
    if (working.value) return false
    working.value = true
    const result = await call()
    if (!result.ok && !result.aborted) problem.value = result.error
    else problem.value = null
    if (result.ok) await open()
    working.value = false
    return result.ok
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (endsKeys(event.key)) return drive.halt()
    const target = event.target as HTMLElement
    if (event.defaultPrevented || target.closest?.(FIELDS)) return
    const key = ptzKey(event)
    if (!key) return
    event.preventDefault()
    event.stopImmediatePropagation() // before the wall's keys
    if (key.do === 'close') return close()
    if (event.repeat) return
    if (key.do === 'hold') turn(key.control, key.motion)
    else if (key.do === 'preset') goToNumber(key.number)
    else order({ do: 'home' })
  }
  function onKeyUp(event: KeyboardEvent): void {
    drive.letGo(keyControl(event.code || event.key))
  }
  window.addEventListener('keydown', onKeyDown, { capture: true })
  window.addEventListener('keyup', onKeyUp, { capture: true })
  const unguard = guard(() => drive.halt())
  drive.distrust(STICK)
  const poll = new GamepadPoll({
    pads: () => navigator.getGamepads?.() ?? [],
    frame: (what) => {
      const request = requestAnimationFrame(what)
      return () => cancelAnimationFrame(request)
    },
    onMotion: (stick) => {
      if (ready.value || isStill(stick)) drive.press(STICK, stick)
      else drive.distrust(STICK) // held while somebody else steers: it does not begin by itself afterwards
    },
    onPreset: goToNumber,
    onHome: () => order({ do: 'home' }),
    onPresent: (name) => (gamepad.value = name),
  })
  void open()

  onBeforeUnmount(() => {
    poll.end()
    unguard()
    window.removeEventListener('keydown', onKeyDown, { capture: true })
    window.removeEventListener('keyup', onKeyUp, { capture: true })
    offPtz()
    offHello()
    drive.end()
  })

  return {
    ptz, can, state, holder, mine, locked, mayTake, pointing, ready, failed, working, moving, stopping, takenBy, gamepad, centring, steps,
    open, turn, press, letGo: (control: string) => drive.letGo(control), step, order, goTo, toggleCentring, change, stop: () => drive.stop(), take: () => (taking.value = true), halt: () => drive.halt(),
  }
}

export type PtzControls = ReturnType<typeof usePtz>
