// How the result of a test looks, by the shapes that jobs have, and which of the answers belong together. Pure.
import type { ComparedTest, ListedTest } from '../../api/model';
import type { Look } from '../status';

export type TestStatus = ListedTest['status'];

/** In the order in which a reader wants to see them. */
export const testStatuses: TestStatus[] = ['failed', 'error', 'skipped', 'success'];

export function testLook(status: TestStatus, flaky: boolean): Look {
  if (status === 'failed' || status === 'error') return { tone: 'bad', shape: 'cross' };
  if (status === 'skipped') return { tone: 'off', shape: 'skip' };
  return flaky ? { tone: 'warn', shape: 'bang' } : { tone: 'good', shape: 'check' };
}

/** Names a test in a pipeline: its key is only its job's. */
export function identity(test: { key: string; job: { id: number } }): string {
  return `${test.job.id}:${test.key}`;
}

export function identities(tests: ComparedTest[]): Set<string> {
  return new Set(tests.map(identity));
}
