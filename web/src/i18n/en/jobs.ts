export default {
  state: { running: 'Working', done: 'Done', cancelled: 'Cancelled', failed: 'Stopped by a failure; try again' },
  counts: '{done} of {total}',
  failed: '{n} failed',
  untried: '{n} not tried, left as they were',
  cancel: 'Cancel',
  cancelling: 'Stopping…',
  lost: 'The record of this job is gone (the hub was restarted, or more than an hour has passed); reload the page to see how things stand',
  showAll: 'Show all {n}',
}
