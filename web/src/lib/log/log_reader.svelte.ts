// Reads a job's log from the server's event stream into a LogText: the whole backlog, then the tail, resumed where it was
// cut. `version` changes at most once a frame, however many events arrive. A page in the background lets its stream go:
// browsers open only six connections to a server, and a few forgotten tabs would use them all up.
import { LogText } from './log_text';

const firstPauseMs = 1000;
const longestPauseMs = 30_000;

export class LogReader {
  readonly text = new LogText();
  version = $state(0);
  ended = $state(false);
  offline = $state(false);

  #address: string;
  #source: EventSource | null = null;
  #nextOffset = 0;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pauseMs = firstPauseMs;

  constructor(address: string) {
    this.#address = address;
  }

  start(): void {
    document.addEventListener('visibilitychange', this.#seenOrNot);
    this.#open();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#seenOrNot);
    this.#close();
  }

  #seenOrNot = (): void => {
    if (this.ended) return;
    this.#close();
    if (document.visibilityState === 'visible') this.#open();
  };

  #open(): void {
    const source = new EventSource(
      this.#nextOffset === 0 ? this.#address : `${this.#address}?offset=${this.#nextOffset}`,
    );
    this.#source = source;
    source.onopen = () => {
      this.offline = false;
      this.#pauseMs = firstPauseMs;
    };
    source.addEventListener('trace', (event) => this.#take(event));
    source.addEventListener('end', () => {
      source.close();
      this.#show();
      this.ended = true;
    });
    source.onerror = () => {
      this.offline = true;
      if (source.readyState !== EventSource.CLOSED) return;
      this.#timer = setTimeout(() => this.#open(), this.#pauseMs * (0.75 + Math.random() / 2));
      this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    };
  }

  #close(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#source?.close();
  }

  #take(event: MessageEvent<string>): void {
    const { offset, text } = JSON.parse(event.data) as { offset: number; text: string };
    // After a resume the server may send again what is already here.
    if (offset < this.#nextOffset) return;
    this.text.append(text);
    this.#nextOffset = Number(event.lastEventId) || offset + new TextEncoder().encode(text).length;
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#show());
  }

  #show(): void {
    this.#frame = 0;
    this.version++;
  }
}
