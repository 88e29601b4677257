// The parts of a log that are in memory: a bounded number of blocks, those used last. What is missing is fetched when it
// is asked for; `changed` is called when it has come.

export const blockSize = 262_144;
const pauseAfterFailureMs = 2000;

export type FetchRange = (from: number, to: number) => Promise<Uint8Array>;

export class LogBytes {
  /** How many bytes the log has, as far as is known. */
  size = 0;

  #fetch: FetchRange;
  #changed: () => void;
  #most: number;
  /** In the order of their last use. Each holds its bytes from the beginning; the last one may still grow. */
  #blocks = new Map<number, Uint8Array>();
  #asked = new Set<number>();

  constructor(fetch: FetchRange, changed: () => void, most = 48) {
    this.#fetch = fetch;
    this.#changed = changed;
    this.#most = most;
  }

  get blockCount(): number {
    return this.#blocks.size;
  }

  /** Takes bytes that go on where the log ended so far. */
  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const place = this.size + at;
      const index = Math.floor(place / blockSize);
      const inside = place - index * blockSize;
      const part = bytes.subarray(at, at + blockSize - inside);
      const before = this.#blocks.get(index) ?? new Uint8Array();
      // Where the beginning of the block was let go, the rest is of no use.
      if (before.length === inside) this.#keep(index, joined(before, part));
      at += part.length;
    }
    this.size += bytes.length;
  }

  /** The bytes from one place to another, or null when some of them must be fetched first. */
  read(from: number, to: number): Uint8Array | null {
    let whole: Uint8Array | null = new Uint8Array();
    for (let index = Math.floor(from / blockSize); index * blockSize < to; index++) {
      const start = index * blockSize;
      const end = Math.min(to, start + blockSize) - start;
      const block = this.#blocks.get(index);
      if (block === undefined || block.length < end) {
        this.#ask(index);
        whole = null;
      } else {
        this.#keep(index, block);
        if (whole !== null) whole = joined(whole, block.subarray(Math.max(0, from - start), end));
      }
    }
    return whole;
  }

  #ask(index: number): void {
    if (this.#asked.has(index)) return;
    this.#asked.add(index);
    const start = index * blockSize;
    this.#fetch(start, Math.min(start + blockSize, this.size)).then(
      (bytes) => {
        this.#asked.delete(index);
        this.#keep(index, bytes);
        this.#changed();
      },
      () => {
        // The view asks again when it is drawn again.
        setTimeout(() => {
          this.#asked.delete(index);
          this.#changed();
        }, pauseAfterFailureMs);
      },
    );
  }

  #keep(index: number, block: Uint8Array): void {
    this.#blocks.delete(index);
    this.#blocks.set(index, block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= this.#most) break;
      this.#blocks.delete(oldest);
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b.slice();
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
