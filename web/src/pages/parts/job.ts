/** A job as the page keeps it: its progress arrives over the WebSocket and by polling, in any order. */
import type { Job, JobProgress } from '@/api/types'

export function isOver(job: Pick<JobProgress, 'state'>): boolean {
  return job.state !== 'running'
}

/** The newer of what is known and what has just arrived: a late answer never moves the bar back or restarts a finished job. */
export function newer(known: Job, arrived: JobProgress | Job): Job {
  if (arrived.done < known.done || (isOver(known) && !isOver(arrived))) return known
  return { ...known, ...arrived }
}

/** Percent of the bar; full only when all is over. */
export function percent(job: Pick<JobProgress, 'state' | 'total' | 'done'>): number {
  if (job.state === 'done') return 100
  return job.total > 0 ? Math.min(99, Math.floor((job.done / job.total) * 100)) : 0
}
