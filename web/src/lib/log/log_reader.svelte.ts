// Reads a job's log: first what is there, in pieces by range requests, then the tail from the server's event stream, resumed
// where it was cut. Pieces pass through the index and are let go again; what is in view is fetched when it is needed, so
// that a log of any length takes little memory. `version` changes at most once a frame, however much arrives. A page in the
// background lets its stream go: browsers open only six connections to a server, and forgotten tabs would use them all up.
import { fetchPart, sizeOf } from './fetch_part';
import { LogBytes } from './log_bytes';
import { LogIndex } from './log_index';
import { readLine, type LogLine } from './log_line';

const firstPauseMs = 1000;
const longestPauseMs = 30_000;
const firstPiece = 262_144;
const largestPiece = 4_194_304;
/** A longer log shows its end before the whole of it is read. */
const longLog = 2_097_152;
const tailSize = 32_768;

export class LogReader {
  readonly index = new LogIndex();
  version = $state(0);
  /** Everything that was there at the beginning has been read. */
  caughtUp = $state(false);
  ended = $state(false);
  offline = $state(false);
  /** Bytes of the log when reading began. */
  total = $state(0);
  /** The last lines of a long log that is still being read. */
  tail = $state.raw<string[]>([]);

  #address: string;
  #bytes: LogBytes;
  #source: EventSource | null = null;
  #reading: AbortController | null = null;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pauseMs = firstPauseMs;

  constructor(address: string) {
    this.#address = address;
    this.#bytes = new LogBytes(
      (from, to) => fetchPart(this.#address, from, to),
      () => this.#changed(),
    );
  }

  start(): void {
    document.addEventListener('visibilitychange', this.#seenOrNot);
    this.#goOn();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#seenOrNot);
    this.#close();
  }

  /** A line as it is shown, or null while its text is on its way. */
  line(line: number): LogLine | null {
    return readLine(this.#bytes, this.index.lineStart(line), this.index.lineEnd(line));
  }

  /** The raw text from one line to another, both counted; at most so many bytes of it. */
  async textOf(first: number, last: number, most: number): Promise<string> {
    const from = this.index.lineStart(first);
    const to = Math.min(this.index.lineEnd(last), from + most);
    if (to <= from) return '';
    return new TextDecoder().decode(await fetchPart(this.#address, from, to));
  }

  #seenOrNot = (): void => {
    if (this.ended) return;
    if (document.visibilityState !== 'visible') {
      if (this.caughtUp) this.#close();
    } else if (this.#reading === null) {
      this.#close();
      this.#goOn();
    }
  };

  #goOn(): void {
    if (this.caughtUp) this.#follow();
    else void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    const reading = new AbortController();
    this.#reading = reading;
    try {
      this.total = await sizeOf(this.#address, reading.signal);
      this.offline = false;
      if (this.total > longLog && this.tail.length === 0) void this.#readTail(reading.signal);
      await this.#readPieces(reading.signal);
    } catch {
      if (reading.signal.aborted) return;
      this.#reading = null;
      this.#tryLater();
      return;
    }
    this.#reading = null;
    this.#pauseMs = firstPauseMs;
    this.caughtUp = true;
    this.tail = [];
    this.version++;
    this.#follow();
  }

  /** The next piece is on its way while one is read. */
  async #readPieces(signal: AbortSignal): Promise<void> {
    let length = firstPiece;
    let from = this.index.size;
    const next = (): Promise<Uint8Array> | null => {
      if (from >= this.total) return null;
      const to = Math.min(this.total, from + length);
      const piece = fetchPart(this.#address, from, to, signal);
      // Awaited below; until then a failure is not an unhandled one.
      piece.catch(() => undefined);
      from = to;
      length = Math.min(length * 2, largestPiece);
      return piece;
    };
    for (let piece = next(); piece !== null;) {
      const bytes: Uint8Array = await piece;
      piece = next();
      await this.#takeLarge(bytes);
      signal.throwIfAborted();
    }
  }

  /** A piece in parts that leave the page time to answer. */
  async #takeLarge(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += firstPiece * 2) {
      if (at > 0) await new Promise((resolve) => setTimeout(resolve));
      this.#take(bytes.subarray(at, at + firstPiece * 2));
    }
  }

  async #readTail(signal: AbortSignal): Promise<void> {
    try {
      const bytes = await fetchPart(this.#address, this.total - tailSize, this.total, signal);
      const lines = new TextDecoder().decode(bytes).split('\n').slice(1);
      if (!this.caughtUp) this.tail = lines.slice(-60).map((line) => line.slice(0, 2000));
    } catch {
      // It is only a glance ahead; the reading of the whole says what is wrong.
    }
  }

  #follow(): void {
    const source = new EventSource(
      this.index.size === 0
        ? `${this.#address}/events`
        : `${this.#address}/events?offset=${this.index.size}`,
    );
    this.#source = source;
    source.onopen = () => {
      this.offline = false;
      this.#pauseMs = firstPauseMs;
    };
    source.addEventListener('trace', (event) => this.#takeEvent(event));
    source.addEventListener('end', () => {
      source.close();
      this.#show();
      this.ended = true;
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) this.#tryLater();
      else this.offline = true;
    };
  }

  #tryLater(): void {
    this.offline = true;
    this.#timer = setTimeout(() => this.#goOn(), this.#pauseMs * (0.75 + Math.random() / 2));
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  #close(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#source?.close();
    this.#reading?.abort();
    this.#reading = null;
  }

  #takeEvent(event: MessageEvent<string>): void {
    const { offset, text } = JSON.parse(event.data) as { offset: number; text: string };
    // After a resume the server may send again what is already here.
    if (offset < this.index.size) return;
    const bytes = new TextEncoder().encode(text);
    const end = Number(event.lastEventId) || offset + bytes.length;
    if (end - offset === bytes.length) {
      this.#take(bytes);
      return;
    }
    // Bytes that are no UTF-8 were replaced on the way: the places would not fit. They are read as they are.
    this.#close();
    this.caughtUp = false;
    this.#goOn();
  }

  #take(bytes: Uint8Array): void {
    this.#bytes.append(bytes);
    this.index.append(bytes);
    this.#changed();
  }

  #changed(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#show());
  }

  #show(): void {
    this.#frame = 0;
    this.version++;
  }
}
