import { describe, expect, it } from 'vitest';
import type { Status, TrendPoint } from '../../../src/api/model';
import { barHeights, mergeTrend, redSince } from '../../../src/lib/pipelines/trend';
import { makePipeline } from '../../support/values';

const point = (id: number, status: Status, duration: number | null = 1): TrendPoint => ({
  id,
  iid: id,
  status,
  by: 'ada',
  created_at: '2025-03-10T11:00:00Z',
  duration,
});

describe('red since', () => {
  it('is the first failure after the last success', () => {
    const trend = [point(1, 'failed'), point(2, 'success'), point(3, 'failed'), point(4, 'failed')];
    expect(redSince(trend)).toMatchObject({ first: { id: 3 }, failures: 2, longer: false });
  });

  it('is not known where the trend has no success', () => {
    expect(redSince([point(1, 'failed')])).toMatchObject({ first: { id: 1 }, longer: true });
  });

  it('does not count what neither passed nor failed', () => {
    const trend = [
      point(1, 'success'),
      point(2, 'failed'),
      point(3, 'canceled'),
      point(4, 'running'),
    ];
    expect(redSince(trend)).toMatchObject({ first: { id: 2 }, failures: 1 });
  });

  it('is nothing for a green branch, and for an empty one', () => {
    expect(redSince([point(1, 'failed'), point(2, 'success')])).toBeNull();
    expect(redSince([])).toBeNull();
  });
});

describe('a trend', () => {
  it('takes a new pipeline at its end and changes one that it has', () => {
    const trend = [point(1, 'success'), point(2, 'running')];
    const merged = mergeTrend(trend, makePipeline({ id: 2, status: 'failed' }));
    expect(merged.map((one) => one.status)).toEqual(['success', 'failed']);
    expect(mergeTrend(trend, makePipeline({ id: 3 })).map((one) => one.id)).toEqual([1, 2, 3]);
  });

  it('keeps the last twelve', () => {
    const trend = Array.from({ length: 12 }, (_, index) => point(index + 1, 'success'));
    const merged = mergeTrend(trend, makePipeline({ id: 20 }));
    expect(merged).toHaveLength(12);
    expect(merged[0]?.id).toBe(2);
  });

  it('is drawn as high as each took', () => {
    expect(
      barHeights([point(1, 'success', 10), point(2, 'success', 5), point(3, 'running', null)]),
    ).toEqual([1, 0.625, 0.25]);
  });
});
