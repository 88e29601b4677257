import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/api/client';
import type { Page } from '../../src/api/model';
import { Endless, append } from '../../src/lib/endless.svelte';

interface Item {
  id: number;
}
const page = (ids: number[], next: number | null): Page<Item> => ({
  items: ids.map((id) => ({ id })),
  total: 9,
  next,
});
const ids = (endless: Endless<Item>) => endless.list.value?.items.map((item) => item.id);

describe('an endless list', () => {
  it('grows by the next page until there is none', async () => {
    const endless = new Endless<Item>();
    const fetcher = vi.fn((n: number) =>
      Promise.resolve(n === 1 ? page([5, 4], 2) : page([3], null)),
    );
    await endless.restart(fetcher);
    await endless.more();
    await endless.more();

    expect(ids(endless)).toEqual([5, 4, 3]);
    expect(fetcher.mock.calls.map(([n]) => n)).toEqual([1, 2]);
  });

  it('leaves out what a page repeats, because new ones have moved the rest', () => {
    expect(append(page([6, 5, 4], 2), page([4, 3], 3))).toEqual(page([6, 5, 4, 3], 3));
  });

  it('reads again as many pages as are shown', async () => {
    const endless = new Endless<Item>();
    await endless.restart((n) => Promise.resolve(n === 1 ? page([5, 4], 2) : page([3], 3)));
    await endless.more();
    await endless.again();
    expect(ids(endless)).toEqual([5, 4, 3]);
  });

  it('says when a page could not be read, and goes on from there', async () => {
    const endless = new Endless<Item>();
    let broken = true;
    await endless.restart((n) => {
      if (n === 1) return Promise.resolve(page([2], 2));
      return broken ? Promise.reject(new ApiError(500, 'no')) : Promise.resolve(page([1], null));
    });
    await endless.more();
    expect(endless.moreError?.message).toBe('no');
    broken = false;
    await endless.more();
    expect(endless.moreError).toBeUndefined();
    expect(ids(endless)).toEqual([2, 1]);
  });

  it('drops a page of a filter that is no longer chosen', async () => {
    const endless = new Endless<Item>();
    let late: (value: Page<Item>) => void = () => {};
    await endless.restart((n) =>
      n === 1 ? Promise.resolve(page([2], 2)) : new Promise((resolve) => (late = resolve)),
    );
    const more = endless.more();
    await endless.restart(() => Promise.resolve(page([9], null)));
    late(page([1], null));
    await more;
    expect(ids(endless)).toEqual([9]);
  });
});
