/** The typed client of the hub's API. A call never throws: its result is one of success, error, aborted. */
import type { paths } from './schema'

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Route<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: object } ? P : never }[keyof paths]
type Operation<P extends keyof paths, M extends Method> = paths[P][M]

type Json<T> = T extends { content: { 'application/json': infer B } } ? B : never
type Success<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 | 202 ? Json<R[S]> : never }[keyof R]
  : never
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? B : undefined
type PathOf<O> = O extends { parameters: { path: infer T } } ? T : undefined
type QueryOf<O> = O extends { parameters: { query?: infer T } } ? (T extends undefined ? undefined : T) : undefined

/** What the hub said is wrong (see camera_hub/errors.py), or `network` when it did not answer. */
export interface ApiError {
  status: number
  kind: string
  reason: string
  detail: string
  params: Record<string, unknown>
}

export type Result<T> =
  | { ok: true; data: T }
  | { ok: false; aborted: false; error: ApiError }
  | { ok: false; aborted: true; error: ApiError }

interface Common {
  signal?: AbortSignal
}
type Options<O> = Common &
  (PathOf<O> extends undefined ? { path?: undefined } : { path: PathOf<O> }) &
  (QueryOf<O> extends undefined ? { query?: undefined } : { query?: QueryOf<O> }) &
  (Body<O> extends undefined ? { body?: undefined } : { body: Body<O> })
type Arguments<O> = Record<never, never> extends Options<O> ? [options?: Options<O>] : [options: Options<O>]

const ABORTED: ApiError = { status: 0, kind: 'aborted', reason: 'aborted', detail: '', params: {} }
const NETWORK: ApiError = { status: 0, kind: 'network', reason: 'network', detail: '', params: {} }
/** A good answer that is not what it should be. */
const UNREADABLE: ApiError = { status: 0, kind: 'internal', reason: 'internal', detail: '', params: {} }

const STILL_DEADLINE_MS = 8_000

let signedOut: () => void = () => undefined

/** Calls under way belong to whoever is signed in: they end with the session. */
let session = new AbortController()

/** Ends every call under way, so that no answer meant for one person arrives while the next one is signed in. */
export function abortCalls(): void {
  session.abort()
  session = new AbortController()
}

/** Sets what is called when the hub says that the session has ended (401 on anything but signing in). */
export function onSignedOut(handler: () => void): void {
  signedOut = handler
}

function address(path: string, values: Record<string, unknown> = {}, query: Record<string, unknown> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) search.append(name, String(one))
    else if (value !== undefined && value !== null) search.set(name, String(value))
  }
  return search.size ? `${filled}?${search}` : filled
}

/** What a refusal says; `read` gives its body, `status` and `statusText` serve where that is not the hub's. */
async function errorOf(status: number, statusText: string, read: () => Promise<unknown>): Promise<ApiError> {
  try {
    const said = (await read()) as Partial<ApiError & { error: string }>
    const kind = said.error ?? 'internal'
    return { status, kind, reason: said.reason ?? kind, detail: said.detail ?? '', params: said.params ?? {} }
  } catch {
    return { status, kind: 'internal', reason: 'internal', detail: statusText, params: {} }
  }
}

/** A signal that aborts when either does, and its end. (AbortSignal.any is younger than the oldest browser that plays our video.) */
function either(first: AbortSignal, second: AbortSignal | undefined): { signal: AbortSignal; release: () => void } {
  const signals = second ? [first, second] : [first]
  const both = new AbortController()
  const abort = (): void => both.abort()
  for (const signal of signals) signal.addEventListener('abort', abort)
  if (signals.some((signal) => signal.aborted)) abort()
  const release = (): void => {
    for (const signal of signals) signal.removeEventListener('abort', abort)
  }
  return { signal: both.signal, release }
}

/** `read` takes what is wanted out of a good response; the call can be aborted until it is done. */
async function send<T>(
  method: Method,
  path: string,
  options: Common & { path?: unknown; query?: unknown; body?: unknown; file?: Blob },
  read: (response: Response) => Promise<T>,
): Promise<Result<T>> {
  const { signal, release } = either(session.signal, options.signal)
  let answered = false
  const headers: Record<string, string> = {}
  if (method !== 'get') headers['x-camera-hub'] = '1' // a foreign page cannot send it: our guard against forged requests
  if (options.body !== undefined) headers['content-type'] = 'application/json'
  try {
    const response = await fetch(address(path, options.path as Record<string, unknown>, options.query as Record<string, unknown>), {
      method: method.toUpperCase(),
      headers,
      body: options.file ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
      signal,
      credentials: 'same-origin',
    })
    answered = true
    const result: Result<T> = response.ok ? { ok: true, data: await read(response) } : { ok: false, aborted: false, error: await errorOf(response.status, response.statusText, () => response.json()) }
    if (signal.aborted) return { ok: false, aborted: true, error: ABORTED }
    if (response.status === 401 && path !== '/api/session') signedOut()
    return result
  } catch (problem) {
    if (signal.aborted) return { ok: false, aborted: true, error: ABORTED }
    const error = answered ? UNREADABLE : NETWORK
    return { ok: false, aborted: false, error: { ...error, detail: String(problem) } }
  } finally {
    release()
  }
}

/** Sends a file as the body of a call. Not by fetch, which cannot tell how much has gone out. */
function sendFile(method: 'POST' | 'PUT', path: string, file: Blob, signal: AbortSignal, onSent: (bytes: number) => void): Promise<Result<unknown>> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    const failed = (error: ApiError): void => resolve(signal.aborted ? { ok: false, aborted: true, error: ABORTED } : { ok: false, aborted: false, error })
    const read = async (): Promise<unknown> => JSON.parse(request.responseText)
    request.open(method, path)
    request.setRequestHeader('x-camera-hub', '1')
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.onprogress = (event) => onSent(event.loaded)
    request.onload = async () => {
      if (request.status >= 400) return failed(await errorOf(request.status, request.statusText, read))
      await read().then((data) => (signal.aborted ? failed(ABORTED) : resolve({ ok: true, data })), () => failed(UNREADABLE))
    }
    request.onerror = request.onabort = () => failed(NETWORK)
    signal.addEventListener('abort', () => request.abort())
    if (signal.aborted) failed(ABORTED)
    else request.send(file)
  })
}

function caller<M extends Method>(method: M) {
  return async <P extends Route<M>>(path: P, ...rest: Arguments<Operation<P, M>>): Promise<Result<Success<Operation<P, M>>>> =>
    send(method, path as string, rest[0] ?? {}, async (response) => (await response.json()) as Success<Operation<P, M>>)
}

export const api = {
  get: caller('get'),
  post: caller('post'),
  put: caller('put'),
  patch: caller('patch'),
  delete: caller('delete'),
  /** Uploads a file; `onSent` tells how many bytes have gone out. */
  async upload<P extends Route<'post'>>(
    path: P,
    options: Common & { query?: QueryOf<Operation<P, 'post'>>; file: Blob; onSent: (bytes: number) => void },
  ): Promise<Result<Success<Operation<P, 'post'>>>> {
    const { signal, release } = either(session.signal, options.signal)
    const result = await sendFile('POST', address(path, {}, options.query), options.file, signal, options.onSent)
    release()
    if (!result.ok && result.error.status === 401) signedOut()
    return result as Result<Success<Operation<P, 'post'>>>
  },
  /** Replaces the map's base picture; its corners in degrees. */
  async putBase(query: { west: number; south: number; east: number; north: number }, options: Common & { file: Blob; onSent: (bytes: number) => void }): Promise<Result<unknown>> {
    const { signal, release } = either(session.signal, options.signal)
    const result = await sendFile('PUT', address('/api/map/base', {}, query), options.file, signal, options.onSent)
    release()
    if (!result.ok && result.error.status === 401) signedOut()
    return result
  },
  /** A fresh JPEG of the camera; takes as long as its next key frame. */
  async snapshot(cameraId: number, quality: 'main' | 'sub' = 'main', signal?: AbortSignal): Promise<Result<Blob>> {
    return send('post', '/api/cameras/{camera_id}/snapshot', { path: { camera_id: cameraId }, query: { quality }, signal }, (response) => response.blob())
  },
  /** Adds a photo to a camera's file in the ledger. */
  async addPhoto(cameraId: number, kind: string, photo: Blob): Promise<Result<{ id: number }>> {
    const options = { path: { camera_id: cameraId }, query: { kind }, file: photo }
    return send('post', '/api/ledger/{camera_id}/photos', options, async (response) => (await response.json()) as { id: number })
  },
  /** Adds a person's photo to a finding. */
  async findingPhoto(findingId: number, photo: Blob): Promise<Result<unknown>> {
    return send('post', '/api/findings/{finding_id}/photo', { path: { finding_id: findingId }, file: photo }, (response) => response.json())
  },
  /** The last key-frame picture of a stream that a tile shows so, and how old it is in ms; null where it cannot be had. */
  async still(cameraId: number, stream: 'main' | 'sub', number: number): Promise<{ picture: Blob; age: number } | null> {
    const signal = AbortSignal.timeout(STILL_DEADLINE_MS)
    const options = { path: { camera_id: cameraId }, query: { stream, n: number }, signal }
    const result = await send('get', '/api/cameras/{camera_id}/still', options, async (response) => ({
      picture: await response.blob(),
      age: Number(response.headers.get('x-picture-age') ?? 0),
    }))
    return result.ok ? result.data : null
  },
}

/** The picture of a device that is not registered, which a question of identity is about. */
export function matchPictureUrl(matchId: number, at?: string | null): string {
  return address('/api/matches/{match_id}/picture', { match_id: matchId }, { at })
}

/** The address of a camera's last stored picture; `at` (camera.picture_at) makes a new picture a new address. */
/** The key frame of a camera that is not approved yet. */
export function waitingPictureUrl(cameraId: number, at?: string | null): string {
  return address('/api/inbox/cameras/{waiting_id}/picture', { waiting_id: cameraId }, { at })
}

export function pictureUrl(cameraId: number, at?: string | null): string {
  return address('/api/cameras/{camera_id}/picture', { camera_id: cameraId }, { at })
}

/** Files of sheet imports, to be downloaded by a link. */
export function templateUrl(): string {
  return address('/api/imports/template.xlsx')
}
/** What is registered, of one village or of all that the user may see. */
export function listUrl(villageId: number | null): string {
  return address('/api/imports/list.xlsx', {}, { village_id: villageId })
}
/** The reply to a list of the county, as a sheet. */
export function countyReplyUrl(checkId: number): string {
  return address('/api/county-checks/{check_id}/reply.xlsx', { check_id: checkId })
}
/** The rows that were not imported, with why and what to do. */
export function failedUrl(importId: number): string {
  return address('/api/imports/{import_id}/failed.xlsx', { import_id: importId })
}
