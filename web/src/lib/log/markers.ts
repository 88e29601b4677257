// What GitLab's runner writes into a log beside the job's own output: section markers and, with FF_TIMESTAMPS, a prefix on
// each line. Pure.

export interface Marker {
  kind: 'start' | 'end';
  name: string;
  /** Seconds since 1970. */
  time: number;
  collapsed: boolean;
}

const marker = /section_(start|end):(\d+):([\w.-]+)(\[[^\]\r\n]*\])?\r/g;

export function markersIn(raw: string): Marker[] {
  if (!raw.includes('section_')) return [];
  return Array.from(raw.matchAll(marker), (match) => ({
    kind: match[1] === 'start' ? 'start' : 'end',
    name: match[3] ?? '',
    time: Number(match[2]),
    collapsed: (match[4] ?? '').includes('collapsed=true'),
  }));
}

export function withoutMarkers(raw: string): string {
  return raw.includes('section_') ? raw.replaceAll(marker, '') : raw;
}

// 2024-05-22T12:43:46.962646Z 00O+text: moment, stream, O or E for output or error, + for the rest of the line before.
const prefix = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [\da-f]{2}[OE]([+ ])/;
const continued = /\r?\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [\da-f]{2}[OE]\+/g;

export function isStamped(raw: string): boolean {
  return prefix.test(raw);
}

/** The moment before a line, such as 2024-05-22T12:43:46.962646Z. */
export function timestampOf(raw: string): string | null {
  return isStamped(raw) ? raw.slice(0, raw.indexOf('Z') + 1) : null;
}

/** Whether this line goes on where the one before stopped. */
export function isContinuation(raw: string): boolean {
  return prefix.exec(raw)?.[1] === '+';
}

export function withoutTimestamp(raw: string): string {
  const text = raw.includes('\n') ? raw.replaceAll(continued, '') : raw;
  return text.replace(prefix, '');
}
