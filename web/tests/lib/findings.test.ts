import { describe, expect, it } from 'vitest';
import type { FindingsSummary } from '../../src/api/model';
import {
  basesOf,
  countOf,
  placeText,
  severities,
  severityLook,
  totalOf,
} from '../../src/lib/findings';

const none = { critical: 0, high: 0, medium: 0, low: 0, info: 0, unknown: 0 };
const counts = {
  new: { ...none, critical: 1, low: 2 },
  known: { ...none, low: 3 },
  fixed: { ...none, low: 9 },
};

describe('findings', () => {
  it('have a shape of their own for each severity', () => {
    expect(new Set(severities.map((one) => severityLook(one).shape)).size).toBe(severities.length);
  });

  it('count while they are there, and in each state', () => {
    expect(countOf(counts, 'low')).toBe(5);
    expect(countOf(counts, 'critical')).toBe(1);
    expect(totalOf(counts, 'new')).toBe(3);
    expect(totalOf(counts, 'fixed')).toBe(9);
  });

  it('stand in a file, maybe at a line', () => {
    expect(placeText({ file: 'a.py', line: 12 })).toBe('a.py:12');
    expect(placeText({ file: 'a.py', line: null })).toBe('a.py');
    expect(placeText({ file: null, line: 3 })).toBeNull();
  });

  it('tell each pipeline that they are compared with once', () => {
    const summary: FindingsSummary = {
      counts,
      reports: [],
      bases: [
        { kind: 'sast', ref: 'main', pipeline_id: 4 },
        { kind: 'dast', ref: 'main', pipeline_id: null },
        { kind: 'sarif', ref: 'main', pipeline_id: 4 },
        { kind: 'codequality', ref: 'main', pipeline_id: 3 },
      ],
    };
    expect(basesOf(summary)).toEqual([
      { ref: 'main', id: 4, kinds: ['sast', 'sarif'] },
      { ref: 'main', id: 3, kinds: ['codequality'] },
    ]);
  });
});
