// Which lines of a failed job's log a person would call an error. A guess, made to find the first one quickly. Pure.
import { plainText } from './ansi';

// In the log's bytes read one by one: the two crosses are three bytes each.
const crosses = ['✗', '✖'].map((cross) =>
  new TextDecoder('windows-1252').decode(new TextEncoder().encode(cross)),
);
/** Finds the lines that are worth a closer look. */
export const candidates = new RegExp(
  `error|fatal|panic|exception|traceback|fail|not ok|${crosses.join('|')}`,
  'gi',
);
const harmless =
  /\b(?:0|no|without) (?:errors?|failures?|failed|failing)\b|\b(?:errors?|failed|failures?)[:=] ?0\b/gi;
const sure =
  /(?:^|[^\w-])(?:\w*error|fatal|panic|\w*exception|traceback)\b[^\w.]*[:\](!]|^\W*(?:✗|✖|not ok\b|fail(?:ed|ure)?\b)|\b[1-9]\d* (?:failed|failing|failures?|errors?)\b|(?:^|[^\w-])failed\b/i;

export function isErrorLine(raw: string): boolean {
  return sure.test(plainText(raw.slice(0, 2000)).replaceAll(harmless, ''));
}
