import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/api/client';
import { Resource } from '../../src/lib/resource.svelte';

describe('a resource', () => {
  it('has the value that was read', async () => {
    const resource = new Resource<number>();
    const reading = resource.read(async () => 7);
    expect(resource.loading).toBe(true);
    await reading;
    expect([resource.value, resource.loading, resource.error]).toEqual([7, false, undefined]);
  });

  it('applies changes that came while it was read, for the answer may be older', async () => {
    const resource = new Resource<number[]>();
    let answer: (value: number[]) => void = () => {};
    const reading = resource.read(() => new Promise((resolve) => (answer = resolve)));
    resource.change((list) => [...list, 2]);
    answer([1]);
    await reading;
    expect(resource.value).toEqual([1, 2]);
  });

  it('forgets an answer that a newer question overtook', async () => {
    const resource = new Resource<string>();
    let late: (value: string) => void = () => {};
    const first = resource.read(() => new Promise((resolve) => (late = resolve)));
    await resource.read(async () => 'new');
    late('old');
    await first;
    expect(resource.value).toBe('new');
  });

  it('aborts the question that nobody waits for', async () => {
    const resource = new Resource<string>();
    let signal: AbortSignal | undefined;
    void resource.read((given) => {
      signal = given;
      return new Promise(() => {});
    });
    await resource.read(async () => 'new');
    expect(signal?.aborted).toBe(true);
  });

  it('keeps its value when reading again fails, and says why', async () => {
    const resource = new Resource<string>();
    await resource.read(async () => 'good');
    await resource.read(async () => Promise.reject(new ApiError(503, 'down')));
    expect(resource.value).toBe('good');
    expect(resource.error?.message).toBe('down');
    await resource.read(async () => 'again');
    expect(resource.error).toBeUndefined();
  });

  it('turns a mistake of ours into an error that can be shown', async () => {
    const resource = new Resource<string>();
    await resource.read(async () => Promise.reject(new TypeError('x is undefined')));
    expect(resource.error?.message).toBe('Something went wrong on this page.');
  });
});
