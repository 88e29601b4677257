// ANSI colours and nothing else. A line of raw log becomes spans of plain text with a look; the only sequences obeyed are
// SGR (colours), erase in line, and the carriage return. Every other control character, escape sequence, bidi or
// zero-width character becomes visible text, so that a log can neither hide nor become anything. Pure.

/** Palette index, "#rrggbb", or null for the default. */
export type Colour = number | string | null;

export interface Style {
  readonly fg: Colour;
  readonly bg: Colour;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly inverse: boolean;
}

export interface Span {
  text: string;
  style: Style;
  /** The text stands for a character that must not act. */
  control: boolean;
}

export const plainStyle: Style = Object.freeze({
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
});

const escape = '\u001b';
const cubeSteps = [0, 95, 135, 175, 215, 255];

const hex = (...parts: number[]): string =>
  `#${parts.map((part) => Math.min(255, Math.max(0, part)).toString(16).padStart(2, '0')).join('')}`;

/** Colours 16 to 255 of the 256-colour palette; the first 16 belong to the theme. */
export function paletteColour(index: number): Colour {
  if (index < 16) return index;
  if (index >= 232) return hex(...Array<number>(3).fill(8 + (index - 232) * 10));
  const cube = index - 16;
  const step = (value: number): number => cubeSteps[value % 6] ?? 0;
  return hex(step(Math.floor(cube / 36)), step(Math.floor(cube / 6)), step(cube));
}

/** Reads the colour after 38 or 48: `5;n` or `2;r;g;b`. Tells how many parameters it took. */
function extendedColour(codes: number[], at: number): { colour: Colour; used: number } {
  if (codes[at] === 5) return { colour: paletteColour(Math.min(255, codes[at + 1] ?? 0)), used: 2 };
  if (codes[at] === 2) {
    return { colour: hex(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), used: 4 };
  }
  return { colour: null, used: 1 };
}

const switches: Record<number, Partial<Style>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { bold: false },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { fg: null },
  49: { bg: null },
};

/** The style after `ESC [ parameters m`. Codes that mean nothing here change nothing. */
export function applySgr(before: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map((part) => Number(part) || 0);
  let style: Style = before;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) style = plainStyle;
    else if (switches[code] !== undefined) style = { ...style, ...switches[code] };
    else if (code >= 30 && code <= 37) style = { ...style, fg: code - 30 };
    else if (code >= 40 && code <= 47) style = { ...style, bg: code - 40 };
    else if (code >= 90 && code <= 97) style = { ...style, fg: code - 82 };
    else if (code >= 100 && code <= 107) style = { ...style, bg: code - 92 };
    else if (code === 38 || code === 48) {
      const { colour, used } = extendedColour(codes, i + 1);
      style = { ...style, [code === 38 ? 'fg' : 'bg']: colour };
      i += used;
    }
  }
  return style;
}

/** `ESC [ parameters letter` at this place of the text, or null. */
function controlSequence(
  raw: string,
  at: number,
): { parameters: string; letter: string; length: number } | null {
  if (raw[at] !== escape || raw[at + 1] !== '[') return null;
  let end = at + 2;
  while (end < raw.length && /[0-9;:]/.test(raw[end] ?? '')) end++;
  const letter = raw[end];
  if (letter === undefined) return null;
  return { parameters: raw.slice(at + 2, end), letter, length: end + 1 - at };
}

/** The style at the end of a line, which is the style that the next one starts with. */
export function endStyle(raw: string, start: Style): Style {
  let style = start;
  for (let at = raw.indexOf(escape); at !== -1; at = raw.indexOf(escape, at + 1)) {
    const sequence = controlSequence(raw, at);
    if (sequence?.letter === 'm') style = applySgr(style, sequence.parameters);
  }
  return style;
}

/** What a character that must not act looks like: a control picture, or its code point. */
export function visibleCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** A line under construction: cells as on a terminal, so that a carriage return overwrites. */
class Cells {
  #cells: Span[] = [];
  #at = 0;

  write(text: string, style: Style, control: boolean): void {
    if (this.#at === this.#cells.length && !this.#overwrites) {
      this.#cells.push({ text, style, control });
      this.#at = this.#cells.length;
      return;
    }
    for (const character of control ? [text] : text) {
      this.#cells[this.#at++] = { text: character, style, control };
    }
  }

  carriageReturn(): void {
    this.#split();
    this.#at = 0;
  }

  erase(mode: string): void {
    if (mode === '' || mode === '0') {
      this.#cells.length = Math.min(this.#cells.length, this.#at);
    } else if (mode === '1' || mode === '2') {
      this.#split();
      const end = mode === '1' ? Math.min(this.#at + 1, this.#cells.length) : this.#cells.length;
      for (let i = 0; i < end; i++)
        this.#cells[i] = { text: ' ', style: plainStyle, control: false };
    }
  }

  /** Whole runs stand in one cell until something reaches back; from then on one character each. */
  #overwrites = false;

  #split(): void {
    if (this.#overwrites) return;
    const atEnd = this.#at === this.#cells.length;
    this.#cells = this.#cells.flatMap((cell) =>
      cell.control ? [cell] : Array.from(cell.text, (text) => ({ ...cell, text })),
    );
    if (atEnd) this.#at = this.#cells.length;
    this.#overwrites = true;
  }

  spans(): Span[] {
    const spans: Span[] = [];
    for (const cell of this.#cells) {
      const last = spans.at(-1);
      if (last !== undefined && last.style === cell.style && last.control === cell.control)
        last.text += cell.text;
      else spans.push({ ...cell });
    }
    return spans;
  }
}

// Tabs stay: they are text that a terminal shows as space.
const special = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Renders one line, without its line feed. */
export function renderLine(raw: string, start: Style = plainStyle): Span[] {
  const cells = new Cells();
  const text = raw.replace(/\r+$/, '');
  let style = start;
  let plainFrom = 0;
  special.lastIndex = 0;
  for (let match = special.exec(text); match !== null; match = special.exec(text)) {
    const character = match[0];
    if (character === '\t') continue;
    const at = match.index;
    if (at > plainFrom) cells.write(text.slice(plainFrom, at), style, false);
    plainFrom = at + character.length;
    const sequence = controlSequence(text, at);
    if (sequence !== null && (sequence.letter === 'm' || sequence.letter === 'K')) {
      if (sequence.letter === 'm') style = applySgr(style, sequence.parameters);
      else cells.erase(sequence.parameters);
      plainFrom = at + sequence.length;
    } else if (character === '\r') {
      cells.carriageReturn();
    } else {
      cells.write(visibleCharacter(character), style, true);
    }
    special.lastIndex = plainFrom;
  }
  if (plainFrom < text.length) cells.write(text.slice(plainFrom), style, false);
  return cells.spans();
}

/** The text of a line without any colour, for searching. */
export function plainText(raw: string): string {
  return renderLine(raw)
    .map((span) => span.text)
    .join('');
}

/** CSS classes of a style; colours beyond the 16 of the theme come back as values. */
export function styleLook(style: Style): {
  classes: string;
  colour: string | null;
  background: string | null;
} {
  const fg = style.inverse ? (style.bg ?? 'bg') : style.fg;
  const bg = style.inverse ? (style.fg ?? 'fg') : style.bg;
  const classes: string[] = [];
  for (const name of ['bold', 'dim', 'italic', 'underline', 'strike'] as const) {
    if (style[name]) classes.push(name);
  }
  const named = (colour: Colour): boolean =>
    typeof colour === 'number' || colour === 'fg' || colour === 'bg';
  if (fg !== null && named(fg)) classes.push(`f-${fg}`);
  if (bg !== null && named(bg)) classes.push(`b-${bg}`);
  return {
    classes: classes.join(' '),
    colour: typeof fg === 'string' && !named(fg) ? fg : null,
    background: typeof bg === 'string' && !named(bg) ? bg : null,
  };
}
