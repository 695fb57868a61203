/** An alarm of a camera that gives no picture → how far the hub came, and the step that failed. */

/** On the way to a picture, in order. */
export const STEPS = ['link', 'device', 'port', 'login', 'signalling', 'stream', 'picture'] as const
export type Step = (typeof STEPS)[number]

const FAILS_AT: Readonly<Record<Step, readonly string[]>> = {
  link: ['village_link', 'hub_uplink'],
  device: ['device_down', 'unreachable', 'timed_out', 'address_refused', 'address_changed', 'no_ranges', 'identity_changed', 'channel_offline'],
  port: ['port_closed', 'tls_failed', 'tls_needed', 'not_rtsp', 'redirected'],
  login: ['wrong_password', 'login_needed', 'locked_out', 'login_paused', 'clock_refused', 'no_rights', 'not_activated', 'onvif_user'],
  signalling: ['onvif_off', 'bad_reply', 'reply_too_large', 'soap_fault', 'stream_not_found', 'device_full', 'multicast_only', 'codec_unsupported'],
  stream: ['no_media', 'stalled', 'lossy', 'late'],
  picture: ['no_key_frame', 'no_parameter_sets', 'intra_refresh', 'undecodable', 'quarantined'],
}

/** null: the cause is about something else than the way to the picture. */
export function failedStep(aspect: string, cause: string): Step | null {
  if (aspect !== 'media') return null
  return STEPS.find((step) => FAILS_AT[step].includes(cause)) ?? null
}

export type StepState = 'passed' | 'failed' | 'unreached'

export function stepStates(failed: Step): { step: Step; state: StepState }[] {
  const at = STEPS.indexOf(failed)
  return STEPS.map((step, index) => ({ step, state: index < at ? 'passed' : index === at ? 'failed' : 'unreached' }))
}
