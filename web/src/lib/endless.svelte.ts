// A list that grows by the pages of the API while somebody scrolls. Pages are numbered, so what was added on top moves the
// rest: what is there already is left out when a page repeats it.
import { ApiError } from '../api/client';
import type { Page } from '../api/model';
import { t } from '../messages';
import { Resource } from './resource.svelte';

export type PageFetcher<T> = (page: number, signal?: AbortSignal) => Promise<Page<T>>;

export function append<T extends { id: number }>(list: Page<T>, part: Page<T>): Page<T> {
  const fresh = part.items.filter((item) => !list.items.some((known) => known.id === item.id));
  return { ...part, items: [...list.items, ...fresh] };
}

export class Endless<T extends { id: number }> {
  readonly list = new Resource<Page<T>>();
  loadingMore = $state(false);
  moreError = $state.raw<ApiError | undefined>();

  #fetcher: PageFetcher<T> | null = null;
  #pages = 1;

  /** Begins with the first page of something else. */
  restart(fetcher: PageFetcher<T>): Promise<void> {
    this.#fetcher = fetcher;
    this.#pages = 1;
    this.loadingMore = false;
    this.moreError = undefined;
    return this.again();
  }

  /** Reads as many pages as are shown. */
  async again(): Promise<void> {
    const fetcher = this.#fetcher;
    if (fetcher === null) return;
    await this.list.read(async (signal) => {
      let list = await fetcher(1, signal);
      for (let page = 2; page <= this.#pages && list.next !== null; page++)
        list = append(list, await fetcher(page, signal));
      return list;
    });
  }

  async more(): Promise<void> {
    const next = this.list.value?.next ?? null;
    const fetcher = this.#fetcher;
    if (fetcher === null || next === null || this.loadingMore) return;
    this.loadingMore = true;
    this.moreError = undefined;
    try {
      const part = await fetcher(next);
      // Another filter was chosen meanwhile.
      if (fetcher !== this.#fetcher) return;
      this.#pages = next;
      this.list.change((list) => append(list, part));
    } catch (error) {
      if (fetcher !== this.#fetcher) return;
      this.moreError =
        error instanceof ApiError ? error : new ApiError(0, t.errors.unexpected, String(error));
    }
    this.loadingMore = false;
  }
}
