// How a default branch has fared lately. Pure.
import type { Pipeline, TrendPoint } from '../../api/model';

const longest = 12;

export function trendPoint(pipeline: Pipeline): TrendPoint {
  return {
    id: pipeline.id,
    iid: pipeline.iid,
    status: pipeline.status,
    by: pipeline.user?.username ?? pipeline.commit.author_name,
    created_at: pipeline.created_at,
    duration: pipeline.duration,
  };
}

/** Oldest first, as the server sends it; a pipeline older than all of them is none of the trend. */
export function mergeTrend(trend: TrendPoint[], pipeline: Pipeline): TrendPoint[] {
  const point = trendPoint(pipeline);
  const others = trend.filter((other) => other.id !== point.id);
  return [...others, point].sort((a, b) => a.id - b.id).slice(-longest);
}

export interface RedSince {
  first: TrendPoint;
  failures: number;
  /** The trend ends before the branch was green: it has been red for longer. */
  longer: boolean;
}

/** Where the failures that still last began; null when the last one that ended did not fail. */
export function redSince(trend: TrendPoint[]): RedSince | null {
  const green = trend.findLastIndex((point) => point.status === 'success');
  const failures = trend.slice(green + 1).filter((point) => point.status === 'failed');
  const [first] = failures;
  return first === undefined ? null : { first, failures: failures.length, longer: green === -1 };
}

/** Heights between 0.25 and 1 for bars, by how long each took; one that has no duration yet is low. */
export function barHeights(trend: TrendPoint[]): number[] {
  const most = Math.max(...trend.map((point) => point.duration ?? 0), 1);
  return trend.map((point) => 0.25 + (0.75 * (point.duration ?? 0)) / most);
}
