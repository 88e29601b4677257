import { describe, expect, it } from 'vitest';
import type { Job } from '../../../src/api/model';
import { criticalPath } from '../../../src/lib/waterfall/critical_path';
import { pathTime, ticks, waterfall } from '../../../src/lib/waterfall/waterfall';
import { makeJob } from '../../support/values';

const begun = '2025-03-10T11:00:00Z';
const at = (seconds: number | null) =>
  seconds === null ? null : new Date(Date.parse(begun) + seconds * 1000).toISOString();

let nextId = 1;
function timed(
  name: string,
  stage: string,
  [queued, started, finished]: [number | null, number | null, number | null],
  values: Partial<Job> = {},
): Job {
  return makeJob({
    id: nextId++,
    name,
    stage,
    queued_at: at(queued),
    started_at: at(started),
    finished_at: at(finished),
    ...values,
  });
}
const names = (jobs: Job[]) => jobs.map((job) => job.name);
const now = Date.parse(begun) + 100_000;

const build = timed('build', 'build', [1, 3, 20]);
const lint = timed('lint', 'build', [1, 2, 8]);
const unit = timed('unit', 'test', [20, 25, 40]);
const quick = timed('quick', 'test', [8, 9, 12], { needs: ['lint'] });
const deploy = timed('deploy', 'deploy', [41, 42, 50]);
const jobs = [build, lint, unit, quick, deploy];
const stages = ['build', 'test', 'deploy'];

describe('the critical path', () => {
  it('goes back from the last end through what each job waited for', () => {
    expect(names(criticalPath(jobs, stages))).toEqual(['build', 'unit', 'deploy']);
  });

  it('follows needs instead of stages', () => {
    const late = timed('late', 'deploy', [12, 60, 70], { needs: ['quick'] });
    expect(names(criticalPath([...jobs, late], stages))).toEqual(['lint', 'quick', 'late']);
  });

  it('knows the copies of a job that was multiplied', () => {
    const copies = [1, 2].map((n) => timed(`unit ${n}/2`, 'test', [1, 2, 10 * n]));
    const after = timed('after', 'deploy', [20, 21, 22], { needs: ['unit'] });
    expect(names(criticalPath([...copies, after], stages))).toEqual(['unit 2/2', 'after']);
  });

  it('ends with the job that has been running for the longest', () => {
    const running = timed('slow', 'deploy', [41, 43, null]);
    const younger = timed('young', 'deploy', [41, 44, null]);
    expect(names(criticalPath([...jobs, younger, running], stages))).toEqual([
      'build',
      'unit',
      'slow',
    ]);
  });

  it('ends, even where jobs need each other, and is empty before anything ran', () => {
    const a = timed('a', 'test', [1, 2, 3], { needs: ['b'] });
    const b = timed('b', 'test', [1, 2, 4], { needs: ['a'] });
    expect(criticalPath([a, b], stages)).toHaveLength(2);
    expect(criticalPath([timed('c', 'test', [1, null, null])], stages)).toEqual([]);
  });
});

describe('a waterfall', () => {
  it('has bars in the order of their start, and the jobs that never started', () => {
    const skipped = timed('skipped', 'deploy', [null, null, null], { status: 'skipped' });
    const made = waterfall([...jobs, skipped], begun, now);
    expect(names(made.bars.map((bar) => bar.job))).toEqual([
      'lint',
      'build',
      'quick',
      'unit',
      'deploy',
    ]);
    expect(made.absent).toEqual([skipped]);
    expect((made.to - made.from) / 1000).toBe(50);
  });

  it('lets what runs grow with the time, but never backwards', () => {
    const running = timed('slow', 'build', [1, 2, null]);
    expect(waterfall([running], begun, now).bars[0]).toMatchObject({ running: true, ended: now });
    const [bar] = waterfall([running], begun, Date.parse(begun)).bars;
    expect(bar?.ended).toBe(bar?.started);
  });

  it('has marks at round times', () => {
    expect(ticks(50)).toEqual([0, 10, 20, 30, 40, 50]);
    expect(ticks(0.4)).toEqual([0]);
    expect(ticks(400)).toEqual([0, 120, 240, 360]);
    expect(ticks(3e6).length).toBeLessThanOrEqual(7);
  });
});

describe('the time of the path', () => {
  const timeOf = (path: Job[]) => pathTime(waterfall(path, begun, now).bars, Date.parse(begun));

  it('is waiting for a runner, running, and the rest', () => {
    expect(timeOf([build, unit, deploy])).toEqual({
      queued: 2 + 5 + 1,
      ran: 17 + 15 + 8,
      between: 1 + 0 + 1,
      total: 50,
      queueUnknown: false,
    });
  });

  it('says when a job does not tell since when it waited', () => {
    const silent = timed('silent', 'build', [null, 5, 10]);
    expect(timeOf([silent])).toMatchObject({ queued: 0, between: 5, queueUnknown: true });
  });

  it('counts no second twice', () => {
    const retried = timed('retried', 'test', [2, 4, 30]);
    const time = timeOf([build, retried]);
    expect(time.queued + time.ran + time.between).toBe(time.total);
    expect(time.total).toBe(30);
  });
});
