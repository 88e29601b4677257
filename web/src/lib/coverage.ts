// Figures about a project's coverage. Pure.
import type { CoveragePoint } from '../api/model';

export interface CoverageSummary {
  latest: number;
  /** Difference to the pipeline before; null when there is only one. */
  change: number | null;
  average: number;
  lowest: number;
}

export function summarise(points: CoveragePoint[]): CoverageSummary | null {
  const latest = points.at(-1);
  if (latest === undefined) return null;
  const values = points.map((point) => point.coverage);
  const before = points.at(-2);
  return {
    latest: latest.coverage,
    change: before === undefined ? null : latest.coverage - before.coverage,
    average: values.reduce((sum, value) => sum + value, 0) / values.length,
    lowest: Math.min(...values),
  };
}

/** The range of the chart: the data with some air, never a flat line on the edge, within 0 to 100. */
export function chartRange(values: number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const air = Math.max((high - low) * 0.2, 2);
  return [Math.max(0, Math.floor(low - air)), Math.min(100, Math.ceil(high + air))];
}
