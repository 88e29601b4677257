// An EventSource that a test drives by hand: it records where it was opened and says what the test wants.

export class FakeEventSource {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static opened: FakeEventSource[] = [];

  readyState = FakeEventSource.CONNECTING;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  #listeners = new Map<string, ((event: { data: string; lastEventId: string }) => void)[]>();

  constructor(readonly address: string) {
    FakeEventSource.opened.push(this);
  }

  static get last(): FakeEventSource {
    return this.opened.at(-1)!;
  }

  addEventListener(
    kind: string,
    listener: (event: { data: string; lastEventId: string }) => void,
  ): void {
    this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
  }

  open(): void {
    this.readyState = FakeEventSource.OPEN;
    this.onopen?.();
  }

  say(kind: string, value: unknown, lastEventId = ''): void {
    for (const listener of this.#listeners.get(kind) ?? []) {
      listener({ data: JSON.stringify(value), lastEventId });
    }
  }

  /** The connection breaks; the browser goes on trying unless it was refused. */
  fail(how: 'cut' | 'refused'): void {
    this.readyState = how === 'cut' ? FakeEventSource.CONNECTING : FakeEventSource.CLOSED;
    this.onerror?.();
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED;
  }
}
