// What is kept of a log that is read once from its beginning: where each line starts, its sections, the colour that each
// line starts with, and the lines that look like errors. The text itself is not kept: a million lines cost four bytes each.
//
// Bytes come in pieces of any size, in order. Lines are numbered from 0 here and from 1 for people. A line that the runner
// sent in parts (see markers.ts) is one line. The last line may be unfinished.
import { endStyle, plainStyle, plainText, type Style } from './ansi';
import { candidates, isErrorLine } from './errors';
import { isContinuation, isStamped, markersIn, withoutMarkers, withoutTimestamp } from './markers';
import { Numbers } from './numbers';

export interface Section {
  name: string;
  /** The line with the section's heading. */
  first: number;
  /** The last line that folds away; null while the section is open. */
  last: number | null;
  startTime: number;
  endTime: number | null;
  collapsed: boolean;
}

// One character for one byte, so that a place in the text is a place in the log. Patterns for characters beyond ASCII are
// written the same way.
const oneByte = new TextDecoder('windows-1252');
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

// Of a line that is not yet whole, as much as any marker or message needs, and its end for the colours.
const headKept = 65_536;
const tailKept = 4096;
const mostErrors = 500;
const mostCandidates = 100_000;

export class LogIndex {
  readonly sections: Section[] = [];
  /** Lines with nothing but markers; they are not shown. */
  readonly markerLines: number[] = [];
  /** Lines that look like errors; of neighbours only the first, since a stack trace is one error. */
  readonly errors: number[] = [];
  /** Whether the runner put the time before the lines. */
  stamped = false;
  /** Bytes read so far. */
  size = 0;

  #lineStarts = new Numbers();
  #head = '';
  #tail = '';
  #held = 0;
  #heldIsNew = false;
  #openSections: Section[] = [];
  #style: Style = plainStyle;
  #styleLines = new Numbers();
  #styleNumbers = new Numbers();
  #styles: Style[] = [plainStyle];
  #styleKeys = new Map<string, number>([[JSON.stringify(plainStyle), 0]]);
  #lastError = -10;
  #candidates = 0;

  get lineCount(): number {
    return this.#lineStarts.length + (this.#heldIsNew ? 1 : 0);
  }

  lineStart(line: number): number {
    return line < this.#lineStarts.length ? this.#lineStarts.at(line) : this.size - this.#held;
  }

  /** Where the line ends, without its line feed. */
  lineEnd(line: number): number {
    if (line >= this.#lineStarts.length) return this.size;
    if (line + 1 < this.#lineStarts.length) return this.#lineStarts.at(line + 1) - 1;
    return this.size - this.#held - 1;
  }

  /** The style that a line starts with. */
  lineStyle(line: number): Style {
    const at = this.#styleLines.lastAtMost(line);
    return (at === -1 ? undefined : this.#styles[this.#styleNumbers.at(at)]) ?? plainStyle;
  }

  append(bytes: Uint8Array): void {
    const text = oneByte.decode(bytes);
    let from = 0;
    if (this.#held > 0) {
      const end = text.indexOf('\n');
      if (end === -1) return this.#hold(text, bytes.length);
      this.#hold(text.slice(0, end), end);
      this.#completeHeld();
      this.size++;
      from = end + 1;
    }
    const whole = text.lastIndexOf('\n') + 1;
    if (whole > from) this.#scan(text, bytes, from, whole);
    this.size += Math.max(whole, from) - from;
    if (Math.max(whole, from) < text.length) {
      this.#hold(text.slice(Math.max(whole, from)), text.length - Math.max(whole, from));
    }
  }

  #hold(text: string, length: number): void {
    this.size += length;
    this.#held += length;
    const room = headKept - this.#head.length;
    if (room > 0) this.#head += text.slice(0, room);
    const beyond = text.slice(Math.max(0, room));
    if (beyond !== '') this.#tail = (this.#tail + beyond).slice(-tailKept);
    this.#heldIsNew = !(isContinuation(this.#head) && this.#lineStarts.length > 0);
  }

  #completeHeld(): void {
    const start = this.size - this.#held;
    const raw = this.#tail === '' ? this.#head : `${this.#head}\n${this.#tail}`;
    const line = this.#begin(raw, start);
    this.#obey(raw, line);
    candidates.lastIndex = 0;
    if (candidates.test(this.#head)) {
      const bytes = Uint8Array.from(this.#head.slice(0, 2000), byteOf);
      this.#weigh(utf8.decode(bytes), line);
    }
    this.#head = '';
    this.#tail = '';
    this.#held = 0;
    this.#heldIsNew = false;
  }

  /** Reads whole lines from one place of a piece to another. Only what may matter is looked at closely. */
  #scan(text: string, bytes: Uint8Array, from: number, to: number): void {
    const base = this.size - from;
    let escape = text.indexOf('\u001b', from);
    let marker = text.indexOf('section_', from);
    for (let start = from; start < to;) {
      const end = text.indexOf('\n', start);
      if (escape !== -1 && escape < start) escape = text.indexOf('\u001b', start);
      if (marker !== -1 && marker < start) marker = text.indexOf('section_', start);
      const special = (escape !== -1 && escape < end) || (marker !== -1 && marker < end);
      if (special || text[start + 26] === 'Z') {
        const raw = text.slice(start, end);
        const line = this.#begin(raw, base + start);
        if (special) this.#obey(raw, line);
      } else {
        this.#lineStarts.push(base + start);
      }
      start = end + 1;
    }
    this.#findErrors(text, bytes, from, to, base);
  }

  #begin(raw: string, start: number): number {
    if (isStamped(raw)) this.stamped = true;
    if (!(isContinuation(raw) && this.#lineStarts.length > 0)) this.#lineStarts.push(start);
    return this.#lineStarts.length - 1;
  }

  #findErrors(text: string, bytes: Uint8Array, from: number, to: number, base: number): void {
    candidates.lastIndex = from;
    while (this.errors.length < mostErrors && this.#candidates < mostCandidates) {
      const match = candidates.exec(text);
      if (match === null || match.index >= to) break;
      this.#candidates++;
      const start = text.lastIndexOf('\n', match.index) + 1;
      const end = text.indexOf('\n', match.index);
      const line = this.#lineStarts.lastAtMost(base + Math.max(start, from));
      this.#weigh(utf8.decode(bytes.subarray(start, Math.min(end, start + 2000))), line);
      candidates.lastIndex = end;
    }
    candidates.lastIndex = 0;
  }

  #weigh(raw: string, line: number): void {
    if (this.errors.length >= mostErrors) return;
    if (!isErrorLine(withoutMarkers(withoutTimestamp(raw)))) return;
    if (line > this.#lastError + 2) this.errors.push(line);
    this.#lastError = line;
  }

  /** Takes the markers and colours of a line. */
  #obey(raw: string, line: number): void {
    const hasMarkers = this.#readMarkers(raw, line);
    if (!raw.includes('\u001b')) return;
    if (hasMarkers && plainText(withoutMarkers(withoutTimestamp(raw))).trim() === '')
      this.markerLines.push(line);
    const style = endStyle(raw, this.#style);
    if (style === this.#style) return;
    this.#style = style;
    this.#styleLines.push(line + 1);
    this.#styleNumbers.push(this.#numberOf(style));
  }

  #numberOf(style: Style): number {
    const key = JSON.stringify(style);
    const known = this.#styleKeys.get(key);
    if (known !== undefined) return known;
    this.#styles.push(style);
    this.#styleKeys.set(key, this.#styles.length - 1);
    return this.#styles.length - 1;
  }

  #readMarkers(raw: string, line: number): boolean {
    const markers = markersIn(raw);
    const startsAnother = markers.some((marker) => marker.kind === 'start');
    for (const marker of markers) {
      if (marker.kind === 'start') {
        const section: Section = {
          name: marker.name,
          first: line,
          last: null,
          startTime: marker.time,
          endTime: null,
          collapsed: marker.collapsed,
        };
        this.sections.push(section);
        this.#openSections.push(section);
      } else {
        this.#close(marker.name, marker.time, startsAnother ? line - 1 : line);
      }
    }
    return markers.length > 0;
  }

  #close(name: string, time: number, last: number): void {
    const index = this.#openSections.findLastIndex((section) => section.name === name);
    if (index === -1) return;
    // A section that was left open inside ends with the one around it.
    for (const section of this.#openSections.splice(index)) {
      section.last = Math.max(last, section.first);
      section.endTime = time;
    }
  }
}

// What windows-1252 made of the bytes 80 to 9f, back again.
const highBytes = new Map(
  Array.from({ length: 32 }, (_, i) => [oneByte.decode(new Uint8Array([0x80 + i])), 0x80 + i]),
);
const byteOf = (character: string): number =>
  highBytes.get(character) ?? character.charCodeAt(0) & 0xff;
