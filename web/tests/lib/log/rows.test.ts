import { describe, expect, it } from 'vitest';
import type { Section } from '../../../src/lib/log/log_index';
import { hiddenRanges, Rows } from '../../../src/lib/log/rows';

const section = (first: number, last: number | null): Section => ({
  name: 's',
  first,
  last,
  startTime: 0,
  endTime: null,
  collapsed: false,
});

describe('lines that are not shown', () => {
  it('are the inside of folded sections and lines of markers, joined', () => {
    const outer = section(1, 8);
    const inner = section(3, 5);
    const open = section(20, null);
    const all = [outer, inner, open];

    expect(hiddenRanges(all, new Set([inner]), [6, 12], 30)).toEqual([
      [4, 6],
      [12, 12],
    ]);
    expect(hiddenRanges(all, new Set([outer, inner]), [], 30)).toEqual([[2, 8]]);
    expect(hiddenRanges(all, new Set([open]), [], 30)).toEqual([[21, 29]]);
    expect(hiddenRanges(all, new Set(), [], 30)).toEqual([]);
  });

  it('are none in a section of one line', () => {
    expect(hiddenRanges([section(4, 4)], new Set([section(4, 4)]), [], 10)).toEqual([]);
  });
});

describe('rows', () => {
  it('count what is shown', () => {
    expect(new Rows(10, [[2, 4]]).count).toBe(7);
    expect(new Rows(0, []).count).toBe(0);
  });

  it('and lines find each other, whatever is hidden', () => {
    for (const ranges of [
      [],
      [[0, 0]],
      [[2, 4]],
      [
        [0, 1],
        [5, 5],
        [8, 9],
      ],
      [
        [1, 1],
        [3, 3],
        [5, 8],
      ],
    ] as [number, number][][]) {
      const hidden = new Set(
        ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
      );
      const shown = Array.from({ length: 10 }, (_, line) => line).filter(
        (line) => !hidden.has(line),
      );
      const rows = new Rows(10, ranges);

      expect(Array.from({ length: rows.count }, (_, row) => rows.lineAt(row))).toEqual(shown);
      shown.forEach((line, row) => expect(rows.rowOf(line)).toBe(row));
    }
  });

  it('give a hidden line the row of its heading', () => {
    const rows = new Rows(10, [[3, 5]]);
    expect(rows.rowOf(4)).toBe(2);
    expect(new Rows(10, [[0, 2]]).rowOf(1)).toBe(0);
  });
});
