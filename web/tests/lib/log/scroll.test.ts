import { describe, expect, it } from 'vitest';
import {
  anchoredWindow,
  contentHeight,
  rowHeight,
  scrollTopAt,
  scrollTopFor,
  topRow,
  visibleWindow,
  wrappedHeight,
  wrappedScrollTop,
} from '../../../src/lib/log/scroll';

const view = 600;

describe('a short log', () => {
  it('draws what is in view and a little around it', () => {
    const shown = visibleWindow(1000, 4000, view);
    expect(shown.first).toBeLessThan(4000 / rowHeight);
    expect(shown.last).toBeGreaterThan((4000 + view) / rowHeight);
    expect(shown.last - shown.first).toBeLessThan(60);
    expect(shown.top).toBe(shown.first * rowHeight);
  });

  it('draws nothing when there is nothing', () => {
    expect(visibleWindow(0, 0, view).last).toBe(-1);
  });

  it('stops at its ends', () => {
    expect(visibleWindow(10, 0, view)).toEqual({ first: 0, last: 9, top: 0 });
  });
});

describe('a log taller than a browser can draw', () => {
  const rows = 5_000_000;

  it('is squeezed, and still reaches its first and last row', () => {
    const height = contentHeight(rows);
    expect(height).toBeLessThan(17_000_000);
    expect(visibleWindow(rows, 0, view).first).toBe(0);
    expect(visibleWindow(rows, height - view, view).last).toBe(rows - 1);
  });

  it('keeps what it draws inside the view', () => {
    for (const scrollTop of [0, 1, 12_345, 6_000_000, contentHeight(rows) - view]) {
      const { first, last, top } = visibleWindow(rows, scrollTop, view);
      expect(top).toBeLessThanOrEqual(scrollTop + 1);
      expect(top + (last - first + 1) * rowHeight).toBeGreaterThanOrEqual(scrollTop + view - 1);
    }
  });
});

describe('jumping to a row', () => {
  it.each([100, 1_000_000, 5_000_000])('brings it into view among %d', (rows) => {
    for (const row of [0, 7, Math.floor(rows / 2), rows - 1]) {
      const top = Math.min(scrollTopFor(row, rows, view), contentHeight(rows) - view);
      const { first, last } = visibleWindow(rows, top, view);
      expect(first).toBeLessThanOrEqual(row);
      expect(last).toBeGreaterThanOrEqual(row);
    }
  });
});

describe('wrapped lines', () => {
  it('begin with the first at the top and end with the last at the bottom', () => {
    expect(anchoredWindow(1000, 0, 600, 40_000)).toMatchObject({ first: 0, row: 0, share: 0 });
    const end = anchoredWindow(1000, 39_400, 600, 40_000);
    expect(end).toMatchObject({ last: 999, row: 999, part: 1, share: 1 });
    const middle = anchoredWindow(1000, 19_700, 600, 40_000);
    expect(middle).toMatchObject({ row: 500, part: 0, share: 0.5 });
    expect([middle.first, middle.last]).toEqual([468, 532]);
  });

  it('that fit do not scroll, and no line is no trouble', () => {
    expect(anchoredWindow(3, 0, 600, 60).share).toBe(0);
    expect(anchoredWindow(0, 0, 600, 0)).toMatchObject({ first: 0, last: -1 });
    expect(wrappedScrollTop(0, 0, 600, 0)).toBe(0);
  });

  it('are scrolled to', () => {
    const height = wrappedHeight(1000, 200_000, 100);
    expect(height).toBe(3000 * rowHeight);
    const top = wrappedScrollTop(700.5, 1000, 600, height);
    expect(anchoredWindow(1000, top, 600, height).row).toBe(700);
    expect(wrappedHeight(10_000_000, 1e9, 100)).toBe(12_000_000);
  });
});

describe('the place in a log that grows beyond what a browser can scroll', () => {
  it('is found again', () => {
    for (const rows of [1000, 500_000, 700_000, 5_000_000]) {
      const top = scrollTopAt(900.25, rows, view);
      expect(topRow(rows, top, view)).toBeCloseTo(900.25);
    }
  });
});
