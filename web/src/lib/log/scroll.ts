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
  const realTop = topRow(rows, scrollTop, viewHeight) * rowHeight;
  const first = Math.max(0, Math.floor(realTop / rowHeight) - margin);
  const last = Math.min(rows - 1, Math.ceil((realTop + viewHeight) / rowHeight) + margin);
  return { first, last, top: first * rowHeight - realTop + scrollTop };
}

/** The row at the top of the view, with the part of it that is above. */
export function topRow(rows: number, scrollTop: number, viewHeight: number): number {
  const height = contentHeight(rows);
  const real = rows * rowHeight;
  if (height === real) return scrollTop / rowHeight;
  return ((scrollTop / Math.max(1, height - viewHeight)) * (real - viewHeight)) / rowHeight;
}

/** The scroll position that brings a row to the top of the view. */
export function scrollTopAt(row: number, rows: number, viewHeight: number): number {
  const height = contentHeight(rows);
  const real = rows * rowHeight;
  const wanted = Math.max(0, row * rowHeight);
  if (height === real) return wanted;
  return (wanted / Math.max(1, real - viewHeight)) * (height - viewHeight);
}

/** The scroll position that brings a row to a third of the view from its top. */
export function scrollTopFor(row: number, rows: number, viewHeight: number): number {
  return scrollTopAt(row - viewHeight / 3 / rowHeight, rows, viewHeight);
}

export interface Anchored {
  first: number;
  last: number;
  /** The row that stands at `share` of the view, and how much of it stands above that place. */
  row: number;
  part: number;
  /** How much of the whole way is scrolled, 0 to 1. */
  share: number;
}

/** Wrapped rows have heights that nobody knows before they are drawn. So the share of the way that is scrolled says which
 *  row stands at that same share of the view: the first one at the top, the last one at the bottom. */
export function anchoredWindow(
  rows: number,
  scrollTop: number,
  viewHeight: number,
  height: number,
): Anchored {
  const travel = height - viewHeight;
  const share = travel <= 0 ? 0 : Math.min(1, Math.max(0, scrollTop / travel));
  const at = share * rows;
  const row = Math.max(0, Math.min(rows - 1, Math.floor(at)));
  const around = Math.ceil(viewHeight / rowHeight) + 2;
  return {
    first: Math.max(0, row - around),
    last: Math.min(rows - 1, row + around),
    row,
    part: Math.min(1, at - row),
    share,
  };
}

/** About how tall wrapped rows are together: each has one line, and the rest of the text fills more. */
export function wrappedHeight(rows: number, bytes: number, columns: number): number {
  return Math.min(tallest, (rows + Math.floor(bytes / Math.max(20, columns))) * rowHeight);
}

export function wrappedScrollTop(
  row: number,
  rows: number,
  viewHeight: number,
  height: number,
): number {
  return rows === 0 ? 0 : (row / rows) * Math.max(0, height - viewHeight);
}
