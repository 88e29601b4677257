// Whether the server is there, and the one event stream of the application. The browser resumes it by itself with Last-Event-ID; where it gives up (the
// server answered an error) a new stream is opened with growing pauses, and the pages read again, since events were lost.
import { ApiError } from '../api/client';
import { currentUser, eventsAddress } from '../api/endpoints';
import type { Job, Pipeline, Runner } from '../api/model';

interface Events {
  pipeline: Pipeline;
  job: Job;
  runner: Runner;
  /** Events may have been missed: read everything again. */
  resync: null;
}

type Listeners = { [K in keyof Events]: Set<(value: Events[K]) => void> };

// A short cut, such as leaving a tunnel, should not flash a warning.
const graceMs = 1500;
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

class Live {
  offline = $state(false);

  #source: EventSource | null = null;
  #listeners: Listeners = {
    pipeline: new Set(),
    job: new Set(),
    runner: new Set(),
    resync: new Set(),
  };
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pauseMs = firstPauseMs;
  #doubtTimer: ReturnType<typeof setTimeout> | undefined;
  #doubtPauseMs = firstPauseMs;
  #probing = false;

  start(): void {
    if (this.#source === null) this.#open(false);
  }

  stop(): void {
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#doubtTimer);
    this.#doubtTimer = undefined;
    this.#doubtPauseMs = firstPauseMs;
    this.#source?.close();
    this.#source = null;
    this.offline = false;
  }

  retryNow(): void {
    this.stop();
    this.#pauseMs = firstPauseMs;
    this.#open(true);
  }

  /** Calls back until the returned function is called; meant to be returned from an $effect. */
  on<K extends keyof Events>(kind: K, listener: (value: Events[K]) => void): () => void {
    this.#listeners[kind].add(listener);
    return () => this.#listeners[kind].delete(listener);
  }

  /**
   * A request found the server gone or unable to answer, while the stream may be whole: asks again after a pause, longer
   * each time, and lets every page read anew once there is an answer.
   */
  doubt(): void {
    if (this.#source === null || this.#probing || this.#doubtTimer !== undefined) return;
    const pause = this.#doubtPauseMs * (0.75 + Math.random() / 2);
    this.#doubtPauseMs = Math.min(this.#doubtPauseMs * 2, longestPauseMs);
    this.#doubtTimer = setTimeout(() => void this.#probe(), pause);
  }

  async #probe(): Promise<void> {
    this.#doubtTimer = undefined;
    this.#probing = true;
    let there = true;
    try {
      await currentUser();
    } catch (error) {
      // Any answer but a failure of the server's own means that it is there.
      there = error instanceof ApiError && error.status > 0 && error.status < 500;
    }
    this.#probing = false;
    if (this.#source === null) return;
    if (there) {
      if (this.#source.readyState === EventSource.OPEN) this.offline = false;
      this.#tell('resync', null);
    } else {
      this.offline = true;
      this.doubt();
    }
  }

  #open(lostEvents: boolean): void {
    const source = new EventSource(eventsAddress);
    this.#source = source;
    source.onopen = () => {
      clearTimeout(this.#graceTimer);
      this.#graceTimer = undefined;
      this.#pauseMs = firstPauseMs;
      this.#doubtPauseMs = firstPauseMs;
      this.offline = false;
      if (lostEvents) this.#tell('resync', null);
      lostEvents = false;
    };
    source.onerror = () => {
      this.#graceTimer ??= setTimeout(() => (this.offline = true), graceMs);
      if (source.readyState === EventSource.CLOSED) this.#reopenLater();
    };
    for (const kind of ['pipeline', 'job', 'runner'] as const) {
      source.addEventListener(kind, (event) => this.#tell(kind, JSON.parse(event.data)));
    }
    source.addEventListener('resync', () => this.#tell('resync', null));
  }

  #reopenLater(): void {
    clearTimeout(this.#retryTimer);
    const pause = this.#pauseMs * (0.75 + Math.random() / 2);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    this.#retryTimer = setTimeout(() => {
      // A refusal may mean that the session has ended, which an event stream cannot say; an ordinary request can.
      currentUser().catch(() => {});
      this.#open(true);
    }, pause);
  }

  #tell<K extends keyof Events>(kind: K, value: Events[K]): void {
    for (const listener of this.#listeners[kind]) listener(value);
  }
}

export const live = new Live();
