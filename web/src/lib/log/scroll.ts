// The arithmetic of a virtual list. Browsers cannot make an element taller than some 17 million pixels, so a very long
// log is squeezed: one pixel of scrolling then means more than one pixel of text. Pure.

export const rowHeight = 20;
const tallest = 12_000_000;

export function contentHeight(rows: number): number {
  return Math.min(rows * rowHeight, tallest);
}

export interface Window {
  first: number;
  last: number;
  /** Where the first row stands inside the content. */
  top: number;
}

// Rows beyond the edge, so that fast scrolling shows text and not paper.
const margin = 12;

export function visibleWindow(rows: number, scrollTop: number, viewHeight: number): Window {
  const height = contentHeight(rows);
  const real = rows * rowHeight;
  const travel = Math.max(1, height - viewHeight);
  const realTop = height === real ? scrollTop : (scrollTop / travel) * (real - viewHeight);
  const first = Math.max(0, Math.floor(realTop / rowHeight) - margin);
  const last = Math.min(rows - 1, Math.ceil((realTop + viewHeight) / rowHeight) + margin);
  return { first, last, top: first * rowHeight - realTop + scrollTop };
}

/** The scroll position that brings a row to a third of the view from its top. */
export function scrollTopFor(row: number, rows: number, viewHeight: number): number {
  const height = contentHeight(rows);
  const real = rows * rowHeight;
  const wanted = Math.max(0, row * rowHeight - viewHeight / 3);
  if (height === real) return wanted;
  return (wanted / Math.max(1, real - viewHeight)) * (height - viewHeight);
}
