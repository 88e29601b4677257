// The jobs of a pipeline on an axis of time, and what the time of its critical path went to. Pure; moments are in
// milliseconds since 1970.
import type { Job } from '../../api/model';

export interface Bar {
  job: Job;
  /** When it could be handed out; null when the server does not say. */
  queued: number | null;
  started: number;
  ended: number;
  running: boolean;
}

export interface Waterfall {
  from: number;
  to: number;
  bars: Bar[];
  /** Jobs that never started. */
  absent: Job[];
}

function moment(text: string | null): number | null {
  const value = text === null ? NaN : Date.parse(text);
  return Number.isNaN(value) ? null : value;
}

/** Bars in the order in which they started. */
export function waterfall(jobs: Job[], begun: string, now: number): Waterfall {
  const bars: Bar[] = [];
  const absent: Job[] = [];
  for (const job of jobs) {
    const started = moment(job.started_at);
    if (started === null) {
      absent.push(job);
      continue;
    }
    const finished = moment(job.finished_at);
    const queued = moment(job.queued_at);
    // The browser's clock may be behind the server's.
    const ended = Math.max(started, finished ?? now);
    bars.push({
      job,
      queued: queued === null ? null : Math.min(queued, started),
      started,
      ended,
      running: finished === null,
    });
  }
  bars.sort((a, b) => a.started - b.started || a.job.id - b.job.id);
  const first = bars[0];
  const start = moment(begun) ?? first?.started ?? now;
  // A retried job may have begun long after: the axis begins with the pipeline, unless nothing of its first run is left.
  const from = Math.min(start, ...bars.map((bar) => bar.queued ?? bar.started));
  const to = Math.max(from + 1000, ...bars.map((bar) => bar.ended));
  return { from, to, bars, absent };
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];

/** Seconds from the beginning at which the axis has a mark: at most `most` of them, at round times. */
export function ticks(seconds: number, most = 6): number[] {
  const step = steps.find((one) => seconds / one <= most) ?? Math.ceil(seconds / most);
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}

export interface PathTime {
  /** Waiting for a runner, in seconds. */
  queued: number;
  ran: number;
  /** Neither: before the first job, between jobs, waiting for a hand. */
  between: number;
  total: number;
  /** A job of the path does not say since when it waited: its wait is part of `between`. */
  queueUnknown: boolean;
}

/** The path's bars follow each other, first one first. */
export function pathTime(path: Bar[], from: number): PathTime {
  const time = { queued: 0, ran: 0, between: 0, total: 0, queueUnknown: false };
  let at = from;
  for (const bar of path) {
    // Where jobs overlap (a retry that began while the next already ran), only what is new counts.
    const started = Math.max(at, bar.started);
    const queued = bar.queued === null ? started : Math.min(started, Math.max(at, bar.queued));
    const ended = Math.max(started, bar.ended);
    time.queueUnknown ||= bar.queued === null;
    time.between += (queued - at) / 1000;
    time.queued += (started - queued) / 1000;
    time.ran += (ended - started) / 1000;
    at = ended;
  }
  time.total = (at - from) / 1000;
  return time;
}
