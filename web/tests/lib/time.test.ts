import { describe, expect, it } from 'vitest';
import { briefDuration, duration, elapsed, exactTime, relativeTime } from '../../src/lib/time';

const now = Date.parse('2025-03-10T12:00:00Z');

describe('a duration', () => {
  it.each([
    [0, '0 s'],
    [0.44, '0.4 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [60, '1 m 00 s'],
    [185, '3 m 05 s'],
    [3599.7, '1 h 00 m'],
    [7620, '2 h 07 m'],
    [-3, '0 s'],
  ])('of %d seconds is said as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe('a brief duration', () => {
  it.each([
    [0, '0 ms'],
    [0.0123, '12 ms'],
    [0.9994, '999 ms'],
    [1, '1 s'],
    [75, '1 m 15 s'],
    [-1, '0 ms'],
  ])('of %d seconds is said as %s', (seconds, text) => {
    expect(briefDuration(seconds)).toBe(text);
  });
});

describe('a moment', () => {
  it.each([
    ['2025-03-10T11:59:31Z', 'just now'],
    ['2025-03-10T11:57:00Z', '3 minutes ago'],
    ['2025-03-10T10:00:00Z', '2 hours ago'],
    ['2025-03-09T11:00:00Z', 'yesterday'],
    ['2025-01-01T00:00:00Z', '2 months ago'],
    ['2025-03-10T12:05:00Z', 'in 5 minutes'],
    ['nonsense', ''],
  ])('%s is said as "%s"', (moment, text) => {
    expect(relativeTime(moment, now)).toBe(text);
  });

  it('is told exactly, with year and second', () => {
    expect(exactTime('2025-03-10T11:59:31Z', 'en')).toMatch(/2025.*:59:31/);
    expect(exactTime('nonsense')).toBe('');
  });
});

describe('what a job took', () => {
  it('is what the server says once it has finished', () => {
    const job = {
      duration: 12.5,
      started_at: '2025-03-10T11:00:00Z',
      finished_at: '2025-03-10T11:01:00Z',
    };
    expect(elapsed(job, now)).toBe(12.5);
    expect(elapsed({ ...job, duration: null }, now)).toBe(60);
  });

  it('counts on while it runs, and never below nothing', () => {
    const job = { duration: null, started_at: '2025-03-10T11:59:50Z', finished_at: null };
    expect(elapsed(job, now)).toBe(10);
    expect(elapsed(job, now - 60_000)).toBe(0);
  });

  it('is unknown before it starts', () => {
    expect(elapsed({ duration: null, started_at: null, finished_at: null }, now)).toBeNull();
    expect(
      elapsed({ duration: null, started_at: null, finished_at: '2025-03-10T11:00:00Z' }, now),
    ).toBeNull();
  });
});
