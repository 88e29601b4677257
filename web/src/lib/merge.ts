// How a value told by the event stream enters what a page shows. Pure: new arrays come back, the old ones stay.
import type { Job, Page, Pipeline, Project, Runner } from '../api/model';
import { fits, type PipelineFilter } from './pipelines/pipeline_filter';
import { mergeTrend } from './pipelines/trend';

/** Replaces the item of the same id; an unknown one is left to the page, which knows whether it belongs to the list. */
export function replaceById<T extends { id: number }>(items: T[], item: T): T[] {
  const index = items.findIndex((other) => other.id === item.id);
  if (index === -1) return items;
  const copy = items.slice();
  copy[index] = { ...items[index], ...item };
  return copy;
}

/** A job of a pipeline: a retry is a new job of the same name and takes the place of the one before it. */
export function mergeJob(jobs: Job[], job: Job): Job[] {
  if (jobs.some((other) => other.id === job.id)) {
    return job.retried ? jobs.filter((other) => other.id !== job.id) : replaceById(jobs, job);
  }
  if (job.retried) return jobs;
  const before = jobs.findIndex((other) => other.name === job.name && other.id < job.id);
  if (before === -1) return [...jobs, job];
  const copy = jobs.slice();
  copy[before] = job;
  return copy;
}

/** What became of a pipeline shows on the trigger jobs that triggered it. */
export function mergeDownstream(jobs: Job[], pipeline: Pipeline): Job[] {
  if (!jobs.some((job) => job.downstream_pipeline?.id === pipeline.id)) return jobs;
  return jobs.map((job) =>
    job.downstream_pipeline?.id === pipeline.id
      ? { ...job, downstream_pipeline: { ...job.downstream_pipeline, status: pipeline.status } }
      : job,
  );
}

/** A pipeline in a filtered list that shows the newest first; a new one enters on top when it fits. */
export function mergePipeline(
  list: Page<Pipeline>,
  pipeline: Pipeline,
  filter: PipelineFilter,
): Page<Pipeline> {
  const { items } = list;
  if (items.some((other) => other.id === pipeline.id))
    return { ...list, items: replaceById(items, pipeline) };
  const newest = items[0] === undefined || pipeline.id > items[0].id;
  if (!newest || !fits(pipeline, filter)) return list;
  return {
    ...list,
    items: [pipeline, ...items],
    total: list.total === null ? null : list.total + 1,
  };
}

/** The newest pipeline of a project's default branch is what the list of projects shows. */
export function mergeLastPipeline(projects: Project[], pipeline: Pipeline): Project[] {
  return projects.map((project) => {
    if (project.id !== pipeline.project_id || pipeline.tag) return project;
    if (project.default_branch !== pipeline.ref) return project;
    if (project.last_pipeline !== null && project.last_pipeline.id > pipeline.id) return project;
    const trend = mergeTrend(project.trend, pipeline);
    return { ...project, last_pipeline: pipeline, trend };
  });
}

export function mergeRunner(runners: Runner[], runner: Runner): Runner[] {
  return runners.some((other) => other.id === runner.id)
    ? replaceById(runners, runner)
    : [...runners, runner];
}

export interface Progress {
  done: number;
  total: number;
  failed: number;
}

export function progress(jobs: Job[]): Progress {
  const counted = jobs.filter((job) => job.status !== 'manual');
  return {
    total: counted.length,
    done: counted.filter((job) => ['success', 'failed', 'canceled', 'skipped'].includes(job.status))
      .length,
    failed: counted.filter((job) => job.status === 'failed' && !job.allow_failure).length,
  };
}
