// The failed jobs of a pipeline, to go through them one after the other. Pure.
import type { Job } from '../../api/model';

/** The failed job after `id` in the order of the pipeline, around its end; null when no other failed. */
export function nextFailed(jobs: Job[], id: number | null): Job | null {
  const at = jobs.findIndex((job) => job.id === id);
  const around = [...jobs.slice(at + 1), ...jobs.slice(0, Math.max(at, 0))];
  return around.find((job) => job.status === 'failed') ?? null;
}
