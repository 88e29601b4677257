import { describe, expect, it } from 'vitest';
import { lineHash, parseLines, stretch } from '../../../src/lib/log/line_link';

describe('a link to lines', () => {
  it.each([
    ['#L12', { from: 12, to: 12 }],
    ['#L12-L20', { from: 12, to: 20 }],
    ['#L20-L12', { from: 12, to: 20 }],
  ])('%s is read', (hash, lines) => {
    expect(parseLines(hash)).toEqual(lines);
  });

  it.each(['', '#', '#L0', '#L', '#l12', '#L12-20', '#L1L2', '#L12<script>'])(
    '%j is none',
    (hash) => {
      expect(parseLines(hash)).toBeNull();
    },
  );

  it('is written as it is read', () => {
    expect(lineHash({ from: 3, to: 3 })).toBe('#L3');
    expect(parseLines(lineHash({ from: 3, to: 9 }))).toEqual({ from: 3, to: 9 });
  });

  it('stretches in both directions', () => {
    expect(stretch(null, 4)).toEqual({ from: 4, to: 4 });
    expect(stretch({ from: 4, to: 4 }, 9)).toEqual({ from: 4, to: 9 });
    expect(stretch({ from: 4, to: 4 }, 2)).toEqual({ from: 2, to: 4 });
  });
});
