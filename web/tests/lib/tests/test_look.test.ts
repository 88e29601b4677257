import { describe, expect, it } from 'vitest';
import { identities, identity, testLook } from '../../../src/lib/tests/test_look';

const test = (key: string, job: number) => ({
  status: 'failed' as const,
  name: 'adds',
  classname: 'Calc',
  key,
  job: { id: job, name: 'unit' },
});

describe('the look of a test', () => {
  it('has a shape and a tone for each result', () => {
    expect(testLook('failed', false)).toEqual({ tone: 'bad', shape: 'cross' });
    expect(testLook('error', true)).toEqual({ tone: 'bad', shape: 'cross' });
    expect(testLook('skipped', false)).toEqual({ tone: 'off', shape: 'skip' });
    expect(testLook('success', false)).toEqual({ tone: 'good', shape: 'check' });
    expect(testLook('success', true)).toEqual({ tone: 'warn', shape: 'bang' });
  });
});

describe('the identity of a test', () => {
  it('is its key in its job: two jobs may run the same test', () => {
    expect(identity(test('k', 1))).not.toBe(identity(test('k', 2)));
    expect(identities([test('k', 1), test('l', 1)]).has('1:l')).toBe(true);
  });
});
