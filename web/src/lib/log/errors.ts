// Which lines of a failed job's log a person would call an error. A guess, made to find the first one quickly.
import { plainText } from './ansi';
import type { LogText } from './log_text';

const candidate = /error|fatal|panic|exception|traceback|fail|not ok|✗|✖/gi;
const harmless =
  /\b(?:0|no|without) (?:errors?|failures?|failed|failing)\b|\b(?:errors?|failed|failures?)[:=] ?0\b/gi;
const sure =
  /(?:^|[^\w-])(?:\w*error|fatal|panic|\w*exception|traceback)\b[^\w.]*[:\](!]|^\W*(?:✗|✖|not ok\b|fail(?:ed|ure)?\b)|\b[1-9]\d* (?:failed|failing|failures?|errors?)\b|(?:^|[^\w-])failed\b/i;

export function isErrorLine(raw: string): boolean {
  return sure.test(plainText(raw.slice(0, 2000)).replaceAll(harmless, ''));
}

/** The lines with errors, in order. Neighbours count once: a stack trace is one error. */
export function errorLines(log: LogText, limit = 500): number[] {
  const lines: number[] = [];
  let last = -10;
  log.forEachCandidate(candidate, (line) => {
    if (isErrorLine(log.line(line))) {
      if (line > last + 2) lines.push(line);
      last = line;
    }
    return lines.length < limit;
  });
  return lines;
}
