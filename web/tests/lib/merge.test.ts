import { describe, expect, it } from 'vitest';
import {
  mergeDownstream,
  mergeJob,
  mergeLastPipeline,
  mergePipeline,
  mergeRunner,
  progress,
  replaceById,
} from '../../src/lib/merge';
import { noFilter } from '../../src/lib/pipelines/pipeline_filter';
import { makeJob, makePipeline, makeProject, makeRunner } from '../support/values';

describe('a job that changed', () => {
  it('takes the place of its older self and leaves the others alone', () => {
    const other = makeJob({ id: 2, name: 'lint' });
    const jobs = mergeJob([makeJob(), other], makeJob({ status: 'success' }));

    expect(jobs.map((job) => job.status)).toEqual(['success', 'running']);
    expect(jobs[1]).toBe(other);
  });

  it('takes the place of the run that it retries', () => {
    const jobs = mergeJob(
      [makeJob({ status: 'failed' }), makeJob({ id: 2, name: 'lint' })],
      makeJob({ id: 9 }),
    );
    expect(jobs.map((job) => job.id)).toEqual([9, 2]);
  });

  it('leaves when it was retried, whichever of the two events comes first', () => {
    const old = makeJob({ status: 'failed', retried: true });
    expect(mergeJob([makeJob()], old)).toEqual([]);
    expect(mergeJob([makeJob({ id: 9 })], old).map((job) => job.id)).toEqual([9]);
  });

  it('joins when nothing of its name is there', () => {
    expect(mergeJob([makeJob()], makeJob({ id: 2, name: 'new' }))).toHaveLength(2);
  });
});

describe('a pipeline in a list', () => {
  const list = { items: [makePipeline({ id: 5 }), makePipeline({ id: 4 })], total: 7, next: 2 };

  it('is changed in place', () => {
    const merged = mergePipeline(list, makePipeline({ id: 4, status: 'success' }), noFilter);
    expect(merged.items.map((one) => one.status)).toEqual(['running', 'success']);
    expect(merged.total).toBe(7);
  });

  it('is put on top and counted when it is new and fits the filter', () => {
    const fresh = makePipeline({ id: 6, ref: 'topic' });
    expect(mergePipeline(list, fresh, noFilter).items[0]?.id).toBe(6);
    expect(mergePipeline(list, fresh, { ...noFilter, ref: 'topic' })).toMatchObject({ total: 8 });
    const empty = { items: [], total: 0, next: null };
    expect(mergePipeline(empty, fresh, noFilter).items).toHaveLength(1);
  });

  it('stays away from filters that it does not fit', () => {
    const fresh = makePipeline({ id: 6, ref: 'topic' });
    expect(mergePipeline(list, fresh, { ...noFilter, ref: 'main' })).toBe(list);
    expect(mergePipeline(list, fresh, { ...noFilter, status: 'failed' })).toBe(list);
  });

  it('that is older than the list is not new', () => {
    expect(mergePipeline(list, makePipeline({ id: 3 }), noFilter)).toBe(list);
  });
});

describe('the last pipeline of a project', () => {
  const projects = [makeProject({ last_pipeline: makePipeline({ id: 5 }) })];
  const last = (pipeline: Parameters<typeof makePipeline>[0]) =>
    mergeLastPipeline(projects, makePipeline(pipeline))[0]?.last_pipeline?.id;

  it('is the newest of the default branch', () => {
    expect(last({ id: 6 })).toBe(6);
    expect(last({ id: 4 })).toBe(5);
    expect(last({ id: 6, ref: 'topic' })).toBe(5);
    expect(last({ id: 6, tag: true })).toBe(5);
    expect(last({ id: 6, project_id: 2 })).toBe(5);
  });

  it('is the end of its trend', () => {
    const [project] = mergeLastPipeline(projects, makePipeline({ id: 6, status: 'failed' }));
    expect(project?.trend.map((point) => point.status)).toEqual(['failed']);
  });
});

describe('a list by id', () => {
  it('is the same list when the item is not in it', () => {
    const list = [{ id: 1 }];
    expect(replaceById(list, { id: 2 })).toBe(list);
  });

  it('of runners takes new ones at its end', () => {
    expect(mergeRunner([makeRunner()], makeRunner({ id: 2 })).map((one) => one.id)).toEqual([1, 2]);
    expect(mergeRunner([makeRunner()], makeRunner({ paused: true }))[0]?.paused).toBe(true);
  });
});

describe('progress', () => {
  it('counts what has ended, and failures that matter', () => {
    const jobs = [
      makeJob({ status: 'success' }),
      makeJob({ status: 'failed' }),
      makeJob({ status: 'failed', allow_failure: true }),
      makeJob({ status: 'running' }),
      makeJob({ status: 'manual' }),
    ];
    expect(progress(jobs)).toEqual({ done: 3, total: 4, failed: 1 });
  });
});

describe('a pipeline that a trigger job triggered', () => {
  const triggered = makeJob({
    id: 4,
    is_bridge: true,
    downstream_pipeline: {
      id: 9,
      iid: 2,
      project_id: 1,
      project_path: 'demo/shop',
      status: 'running',
      ref: 'main',
      sha: 'a'.repeat(40),
      source: 'parent_pipeline',
      web_url: '',
      created_at: '2025-03-10T11:00:00Z',
      updated_at: '2025-03-10T11:00:00Z',
    },
  });

  it('shows its new state on that job alone', () => {
    const other = makeJob({ id: 5 });
    const jobs = mergeDownstream([triggered, other], makePipeline({ id: 9, status: 'failed' }));
    expect(jobs[0]?.downstream_pipeline?.status).toBe('failed');
    expect(jobs[0]?.status).toBe('running');
    expect(jobs[1]).toBe(other);
  });

  it('leaves a list alone that has nothing to do with it', () => {
    const jobs = [triggered];
    expect(mergeDownstream(jobs, makePipeline({ id: 8 }))).toBe(jobs);
  });
});
