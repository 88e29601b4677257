// Which lines stand in which rows when some are folded away. Pure.
import type { Section } from './log_index';

export type Range = readonly [from: number, to: number];

/** Lines that are not shown: the inside of collapsed sections and lines of markers, as sorted ranges that do not touch. */
export function hiddenRanges(
  sections: Section[],
  collapsed: ReadonlySet<Section>,
  markerLines: number[],
  lineCount: number,
): Range[] {
  const ranges: Range[] = markerLines.map((line) => [line, line]);
  for (const section of sections) {
    if (!collapsed.has(section)) continue;
    const last = section.last ?? lineCount - 1;
    if (last > section.first) ranges.push([section.first + 1, last]);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of ranges) {
    const before = merged.at(-1);
    if (before !== undefined && from <= before[1] + 1) before[1] = Math.max(before[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

export class Rows {
  readonly count: number;
  #ranges: readonly Range[];
  /** How many lines are hidden before each range. */
  #hiddenBefore: number[] = [];

  constructor(lineCount: number, ranges: readonly Range[]) {
    this.#ranges = ranges;
    let hidden = 0;
    for (const [from, to] of ranges) {
      this.#hiddenBefore.push(hidden);
      hidden += to - from + 1;
    }
    this.count = Math.max(0, lineCount - hidden);
  }

  lineAt(row: number): number {
    // Ranges before the row are those that start no later than the row with the lines hidden before them.
    const index = this.#search(
      (i) => (this.#ranges[i]?.[0] ?? 0) - (this.#hiddenBefore[i] ?? 0) <= row,
    );
    return index === -1 ? row : row + this.#hiddenUpTo(index);
  }

  /** The row of a line; for a hidden one the row before it. */
  rowOf(line: number): number {
    const index = this.#search((i) => (this.#ranges[i]?.[0] ?? 0) <= line);
    if (index === -1) return line;
    const [from, to] = this.#ranges[index] ?? [0, 0];
    if (line <= to) return Math.max(0, from - (this.#hiddenBefore[index] ?? 0) - 1);
    return line - this.#hiddenUpTo(index);
  }

  #hiddenUpTo(index: number): number {
    const [from, to] = this.#ranges[index] ?? [0, -1];
    return (this.#hiddenBefore[index] ?? 0) + to - from + 1;
  }

  /** The last index for which the condition, true for a beginning only, holds. */
  #search(holds: (index: number) => boolean): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(middle)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
