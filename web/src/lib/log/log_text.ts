// A job's log in memory: the pieces as they came, an index of lines, the sections, and the colour that each line starts
// with. Text is never copied into an object per line, so that a million lines cost their bytes and a few more each.
//
// Lines are numbered from 0 here and from 1 for people. A line may span pieces. The last one may be unfinished.
import { endStyle, plainStyle, plainText, type Style } from './ansi';
import { isContinuation, markersIn, withoutMarkers, withoutTimestamp } from './markers';

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

/** A list of numbers that grows without keeping each in an object. */
class Numbers {
  #values = new Uint32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }

  /** Index of the last value that is at most this one; -1 when all are greater. */
  lastAtMost(value: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle) <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

export class LogText {
  readonly sections: Section[] = [];
  /** Lines with nothing but markers; they are not shown. */
  readonly markerLines: number[] = [];

  #pieces: string[] = [];
  #pieceStarts = new Numbers();
  #lineStarts = new Numbers();
  #length = 0;
  #partial = '';
  #openSections: Section[] = [];
  #style: Style = plainStyle;
  #styleLines = new Numbers();
  #styles: Style[] = [];

  get length(): number {
    return this.#length;
  }

  get lineCount(): number {
    return this.#lineStarts.length + (this.#partial === '' ? 0 : 1);
  }

  append(text: string): void {
    if (text === '') return;
    this.#pieces.push(text);
    this.#pieceStarts.push(this.#length);
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      const start = this.#length + from - this.#partial.length;
      this.#complete(this.#partial + text.slice(from, end), start);
      this.#partial = '';
      from = end + 1;
    }
    this.#partial += text.slice(from);
    this.#length += text.length;
  }

  /** The raw text of a line, without its line feed, markers and timestamps. */
  line(index: number): string {
    return withoutMarkers(withoutTimestamp(this.#rawLine(index)));
  }

  /** The style that a line starts with. */
  lineStyle(index: number): Style {
    return this.#styles[this.#styleLines.lastAtMost(index)] ?? plainStyle;
  }

  /** Calls back for every line that may name an error, in order, until it answers false. */
  forEachCandidate(pattern: RegExp, found: (line: number) => boolean): void {
    let last = -1;
    for (const [index, piece] of this.#pieces.entries()) {
      const base = this.#pieceStarts.at(index);
      for (const match of piece.matchAll(pattern)) {
        const line = Math.max(0, this.#lineStarts.lastAtMost(base + match.index));
        if (line === last) continue;
        last = line;
        if (!found(line)) return;
      }
    }
  }

  #rawLine(index: number): string {
    if (index >= this.#lineStarts.length) return this.#partial;
    const start = this.#lineStarts.at(index);
    const end =
      index + 1 < this.#lineStarts.length
        ? this.#lineStarts.at(index + 1)
        : this.#length - this.#partial.length;
    return this.#slice(start, end - 1);
  }

  #slice(start: number, end: number): string {
    let text = '';
    for (let i = this.#pieceStarts.lastAtMost(start); i < this.#pieces.length; i++) {
      const base = this.#pieceStarts.at(i);
      if (base >= end) break;
      text += (this.#pieces[i] ?? '').slice(Math.max(0, start - base), end - base);
    }
    return text;
  }

  #complete(raw: string, start: number): void {
    if (!(isContinuation(raw) && this.#lineStarts.length > 0)) this.#lineStarts.push(start);
    const line = this.#lineStarts.length - 1;
    const hasMarkers = raw.includes('section_') && this.#readMarkers(raw, line);
    if (!raw.includes('\u001b')) return;
    if (hasMarkers && plainText(withoutMarkers(withoutTimestamp(raw))).trim() === '')
      this.markerLines.push(line);
    const style = endStyle(raw, this.#style);
    if (style === this.#style) return;
    this.#style = style;
    this.#styleLines.push(line + 1);
    this.#styles.push(style);
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
