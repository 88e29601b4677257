// Links to lines: "#L12" and "#L12-L20". Lines are numbered from 1. Pure.

export interface LineRange {
  from: number;
  to: number;
}

export function parseLines(hash: string): LineRange | null {
  const match = /^#L([1-9]\d{0,8})(?:-L([1-9]\d{0,8}))?$/.exec(hash);
  if (match === null) return null;
  const from = Number(match[1]);
  const to = match[2] === undefined ? from : Number(match[2]);
  return { from: Math.min(from, to), to: Math.max(from, to) };
}

export function lineHash({ from, to }: LineRange): string {
  return from === to ? `#L${from}` : `#L${from}-L${to}`;
}

/** Clicking with shift stretches what is chosen to the line. */
export function stretch(chosen: LineRange | null, line: number): LineRange {
  if (chosen === null) return { from: line, to: line };
  return { from: Math.min(chosen.from, line), to: Math.max(chosen.from, line) };
}
