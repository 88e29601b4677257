// Durations and moments as people say them. Pure but for the language: the caller says what time it is.
import { t } from '../messages';

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86400],
  ['month', 30 * 86400],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
];

/** "3 minutes ago", "yesterday"; under a minute it is "just now", because a counting second only distracts. */
export function relativeTime(moment: string, now: number, { language, justNow } = t): string {
  const seconds = (Date.parse(moment) - now) / 1000;
  if (Number.isNaN(seconds)) return '';
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return justNow;
}

export function exactTime(moment: string, language?: string): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return '';
  return new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'long' }).format(date);
}

const two = (value: number): string => String(value).padStart(2, '0');

/** "0.4 s", "12 s", "3 m 05 s", "2 h 07 m". */
export function duration(seconds: number): string {
  const { second, minute, hour } = t.units;
  const value = Math.max(0, seconds);
  if (value < 9.95) return `${(Math.round(value * 10) / 10).toString()} ${second}`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} ${second}`;
  if (whole < 3600) return `${Math.floor(whole / 60)} ${minute} ${two(whole % 60)} ${second}`;
  const minutes = two(Math.floor((whole % 3600) / 60));
  return `${Math.floor(whole / 3600)} ${hour} ${minutes} ${minute}`;
}

/** As `duration`, but "12 ms" below a second: tests are quick. */
export function briefDuration(seconds: number): string {
  if (seconds >= 1) return duration(seconds);
  return `${Math.round(Math.max(0, seconds) * 1000)} ${t.units.milli}`;
}

interface Timed {
  duration: number | null;
  started_at: string | null;
  finished_at: string | null;
}

/** Seconds that a job or pipeline took, or has taken so far; null when it has not started. */
export function elapsed(timed: Timed, now: number): number | null {
  if (timed.finished_at !== null) {
    if (timed.duration !== null) return timed.duration;
    if (timed.started_at === null) return null;
    return (Date.parse(timed.finished_at) - Date.parse(timed.started_at)) / 1000;
  }
  if (timed.started_at === null) return null;
  // The browser's clock may be behind the server's: never show less than nothing.
  return Math.max(0, Math.floor((now - Date.parse(timed.started_at)) / 1000));
}
