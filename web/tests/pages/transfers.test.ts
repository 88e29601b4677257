// What a job's page says of its caches and artifacts.
import { flushSync, mount, unmount } from 'svelte';
import { describe, expect, it } from 'vitest';
import type { Transfer } from '../../src/api/model';
import JobTransfers from '../../src/pages/job/JobTransfers.svelte';
import { makeTransfer } from '../support/values';

function words(values: Partial<Transfer>): string {
  const target = document.createElement('div');
  const mounted = mount(JobTransfers, { target, props: { transfers: [makeTransfer(values)] } });
  flushSync();
  const text = target.querySelector('li')?.textContent?.replace(/\s+/g, ' ').trim() ?? '';
  void unmount(mounted);
  return text;
}

describe('a cache', () => {
  it('that was found says under which key, with sizes and time', () => {
    expect(
      words({
        result: 'hit',
        name: 'deps',
        keys: ['deps', 'main'],
        shared: true,
        files: 2,
        bytes: 3_000_002,
        moved_bytes: 1500,
        seconds: 4,
      }),
    ).toBe(
      'Cache restored: hit deps found under main 2 files, 3.0 MB, 1.5 kB over the network, 4 s',
    );
  });

  it('that was found under its own key does not repeat it', () => {
    expect(words({ result: 'hit', name: 'deps', keys: ['deps'], seconds: 4 })).toBe(
      'Cache restored: hit deps 4 s',
    );
  });

  it('that was missed says what was tried', () => {
    expect(words({ result: 'miss', name: 'deps', keys: ['deps', 'main'], seconds: 1 })).toBe(
      'Cache restored: miss deps tried: deps, main 1 s',
    );
  });
});

it('artifacts say their size', () => {
  expect(
    words({
      kind: 'artifacts_upload',
      name: 'archive',
      result: 'done',
      files: 1,
      bytes: 500,
      moved_bytes: 500,
      seconds: 2,
    }),
  ).toBe('Artifacts stored: done archive 1 file, 500 B, 2 s');
});
