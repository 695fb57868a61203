/** By kind, for errors without a reason of their own; see camera_hub/errors.py. */
export default {
  invalid: 'Something was filled in wrongly',
  unauthenticated: 'Please sign in',
  forbidden: 'This account may not do that',
  not_found: 'Not found; it may have been removed',
  conflict: 'Somebody else changed it meanwhile; reload and try again',
  too_large: 'Too large',
  busy: 'Too many attempts; try again later',
  unsupported: 'Not supported',
  unreachable: 'The device cannot be reached',
  timeout: 'It took too long',
  unavailable: 'Not available at the moment',
  storage_full: 'The server’s disk is full',
  internal: 'The hub had an internal error; tell the maintainer',
  network: 'The hub cannot be reached; check the network',
  aborted: 'Cancelled',
}
