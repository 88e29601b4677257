// One line out of the bytes of a log: its text without what the runner put around it. Pure.
import type { LogBytes } from './log_bytes';
import { timestampOf, withoutMarkers, withoutTimestamp } from './markers';

export interface LogLine {
  /** Raw text: colours and carriage returns are still in it. */
  raw: string;
  /** The moment that the runner put before it. */
  moment: string | null;
  /** Bytes that are not in `raw`, since a browser stalls on a line of megabytes. */
  left: number;
}

export const longestLine = 20_000;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

export function readLine(bytes: LogBytes, start: number, end: number): LogLine | null {
  if (end <= start) return { raw: '', moment: null, left: 0 };
  const head = bytes.read(start, Math.min(end, start + longestLine));
  if (head === null) return null;
  const text = utf8.decode(head);
  const raw = withoutMarkers(withoutTimestamp(text));
  const line = { raw, moment: timestampOf(text), left: end - start - head.length };
  if (line.left === 0 || !raw.includes('\r')) return line;
  // A long line with carriage returns is progress that was drawn over and over: what counts is how it ended.
  const tail = bytes.read(Math.max(start, end - longestLine), end);
  if (tail === null) return null;
  const last = utf8.decode(tail).replace(/\r+$/, '');
  const from = last.lastIndexOf('\r', last.length - 2) + 1;
  return from === 0 ? line : { raw: last.slice(from), moment: line.moment, left: 0 };
}
