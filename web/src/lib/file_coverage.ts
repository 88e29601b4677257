// How the coverage of files is written. Pure.
import type { CoverageLines } from '../api/model';

export type Range = CoverageLines['uncovered'][number];

/** Rounded down, as the server does it, so that 100 % is said of nothing else. */
export function percentText(percent: number): string {
  return `${(Math.floor(percent * 100 + 1e-6) / 100).toFixed(2)} %`;
}

/** Points against before, with their sign; null when nothing changed, or nothing is known. */
export function changeOf(percent: number, before: number | null): number | null {
  if (before === null) return null;
  const points = Math.round((percent - before) * 100) / 100;
  return points === 0 ? null : points;
}

export function changeText(points: number): string {
  return `${points > 0 ? '+' : '−'}${Math.abs(points).toFixed(2)}`;
}

/** "12" or "12–18". */
export function rangeText(range: Range): string {
  return range.from === range.to ? String(range.from) : `${range.from}–${range.to}`;
}
