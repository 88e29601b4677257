import { describe, expect, it } from 'vitest';
import { chartRange, summarise } from '../../src/lib/coverage';
import { bytes } from '../../src/lib/size';

describe('a size', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [3400, '3.4 kB'],
    [51_000_000, '51 MB'],
    [2_500_000_000, '2.5 GB'],
  ])('of %d bytes is %s', (size, text) => {
    expect(bytes(size)).toBe(text);
  });
});

describe('coverage', () => {
  const point = (coverage: number) => ({
    pipeline_id: 1,
    pipeline_iid: 1,
    ref: 'main',
    sha: '',
    coverage,
    created_at: '',
  });

  it('is summed up by its latest, change, average and lowest', () => {
    expect(summarise([point(80), point(90), point(85)])).toEqual({
      latest: 85,
      change: -5,
      average: 85,
      lowest: 80,
    });
    expect(summarise([point(80)])?.change).toBeNull();
    expect(summarise([])).toBeNull();
  });

  it('is drawn with air around it, within 0 and 100', () => {
    expect(chartRange([80, 90])).toEqual([78, 92]);
    expect(chartRange([100, 100])).toEqual([98, 100]);
    expect(chartRange([0.5])).toEqual([0, 3]);
  });
});
