export default {
  place: 'Township safety centre',
  username: 'User name',
  password: 'Password',
  go: 'Sign in',
  busy: 'Signing in…',
  paused: 'Too many failed sign-ins: try again in {time}, or ask a township admin for a new password.',
  both: 'Enter user name and password.',
  setup_needed: 'This hub is not set up yet. Open the one-time link that it printed when it started, to make the first administrator. An expired link is renewed by starting the hub again.',
  old_password: 'Old password',
  new_password: 'New password',
  password_changed: 'Password changed',
}
