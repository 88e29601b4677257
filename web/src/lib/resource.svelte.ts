// Something read from the server and then kept fresh by events. A page shows `value`, `error` or, before both, a
// placeholder. Changes that arrive while a read is on its way are applied again to its answer, which may be older.
import { ApiError } from '../api/client';
import { t } from '../messages';

export class Resource<T> {
  value = $state.raw<T | undefined>();
  error = $state.raw<ApiError | undefined>();
  loading = $state(false);

  #reading: AbortController | null = null;
  #changes: ((value: T) => T)[] = [];

  async read(fetcher: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    this.#changes = [];
    this.loading = true;
    try {
      let value: T = await fetcher(reading.signal);
      if (this.#reading !== reading) return;
      for (const change of this.#changes) value = change(value);
      this.value = value;
      this.error = undefined;
    } catch (error) {
      if (this.#reading !== reading) return;
      this.error =
        error instanceof ApiError ? error : new ApiError(0, t.errors.unexpected, String(error));
    }
    this.#reading = null;
    this.loading = false;
  }

  change(apply: (value: T) => T): void {
    if (this.#reading !== null) this.#changes.push(apply);
    if (this.value !== undefined) this.value = apply(this.value);
  }

  /** Forgets everything, for a page that now shows something else. */
  clear(): void {
    this.#reading?.abort();
    this.#reading = null;
    this.value = undefined;
    this.error = undefined;
    this.loading = false;
  }
}
