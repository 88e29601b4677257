import { describe, expect, it } from 'vitest';
import { contentHeight, rowHeight, scrollTopFor, visibleWindow } from '../../../src/lib/log/scroll';

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
