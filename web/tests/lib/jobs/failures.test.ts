import { expect, it } from 'vitest';
import { nextFailed } from '../../../src/lib/jobs/failures';
import { makeJob } from '../../support/values';

const jobs = [
  makeJob({ id: 3, status: 'failed' }),
  makeJob({ id: 1, status: 'success' }),
  makeJob({ id: 2, status: 'failed', allow_failure: true }),
];

it('goes from one failed job to the next, and around', () => {
  expect(nextFailed(jobs, null)?.id).toBe(3);
  expect(nextFailed(jobs, 3)?.id).toBe(2);
  expect(nextFailed(jobs, 1)?.id).toBe(2);
  expect(nextFailed(jobs, 2)?.id).toBe(3);
});

it('finds none where no other failed', () => {
  expect(nextFailed([makeJob({ id: 1, status: 'failed' })], 1)).toBeNull();
  expect(nextFailed([], null)).toBeNull();
});
