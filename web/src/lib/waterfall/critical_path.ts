// Which jobs decided how long a pipeline took: from the job that ended last back through what it waited for. Pure.
import type { Job } from '../../api/model';
import { isNeeded } from '../graph/graph_input';

const end = (job: Job): number => Date.parse(job.finished_at ?? '');
const latest = (jobs: Job[]): Job | undefined =>
  jobs
    .filter((job) => job.started_at !== null && job.finished_at !== null)
    .reduce<Job | undefined>(
      (last, job) => (last === undefined || end(job) > end(last) ? job : last),
      undefined,
    );

/** What a job had to wait for: its needs, or without any every job of the stages before. */
export function predecessors(job: Job, jobs: Job[], stages: string[]): Job[] {
  const { needs } = job;
  if (needs !== null)
    return jobs.filter(
      (other) => other.id !== job.id && needs.some((need) => isNeeded(need, other.name)),
    );
  const own = stages.indexOf(job.stage);
  return jobs.filter((other) => {
    const stage = stages.indexOf(other.stage);
    return stage !== -1 && stage < own;
  });
}

/** First job first. While the pipeline runs it ends with the job that has been running for the longest. */
export function criticalPath(jobs: Job[], stages: string[]): Job[] {
  const running = jobs
    .filter((job) => job.started_at !== null && job.finished_at === null)
    .sort((a, b) => Date.parse(a.started_at ?? '') - Date.parse(b.started_at ?? ''));
  const path: Job[] = [];
  let job = running[0] ?? latest(jobs);
  while (job !== undefined && !path.includes(job)) {
    path.unshift(job);
    job = latest(predecessors(job, jobs, stages));
  }
  return path;
}
