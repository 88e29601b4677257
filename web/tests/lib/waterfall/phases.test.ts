import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Marker } from '../../../src/lib/log/markers';
import { phaseTotals, phasesOf, readPhases } from '../../../src/lib/waterfall/phases';

const mark = (kind: Marker['kind'], name: string, time: number): Marker => ({
  kind,
  name,
  time,
  collapsed: false,
});

describe('phases', () => {
  it('are the sections of the runner, by what they are for', () => {
    const phases = phasesOf(
      [
        mark('start', 'prepare_executor', 0),
        mark('end', 'prepare_executor', 2),
        mark('start', 'get_sources', 2),
        mark('end', 'get_sources', 5),
        mark('start', 'restore_cache', 5),
        mark('end', 'restore_cache', 6),
        mark('start', 'download_artifacts', 6),
        mark('end', 'download_artifacts', 8),
        mark('start', 'step_script', 8),
        mark('end', 'step_script', 60),
        mark('start', 'after_script', 60),
        mark('end', 'after_script', 61),
        mark('start', 'upload_artifacts_on_success', 62),
        mark('end', 'upload_artifacts_on_success', 65),
      ],
      66,
    );
    expect(phaseTotals(phases)).toEqual({
      prepare: 2,
      checkout: 3,
      download: 3,
      script: 53,
      upload: 3,
    });
  });

  it('are not the sections that a script prints', () => {
    const phases = phasesOf(
      [
        mark('start', 'step_script', 0),
        mark('start', 'my_tests', 1),
        mark('end', 'my_tests', 9),
        mark('end', 'step_script', 10),
      ],
      10,
    );
    expect(phases).toEqual([{ kind: 'script', from: 0, to: 10 }]);
  });

  it('without an end last until the next, or the end of the job', () => {
    const phases = phasesOf([mark('start', 'get_sources', 1), mark('start', 'step_script', 4)], 9);
    expect(phaseTotals(phases)).toEqual({ checkout: 3, script: 5 });
  });
});

describe('reading phases', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('asks for the beginning and the end of a long log only', async () => {
    const log = `section_start:10:get_sources\rsection_end:12:get_sources\rsection_start:12:step_script\r${'x'.repeat(500_000)}section_end:40:step_script\r`;
    const asked: string[] = [];
    vi.stubGlobal('fetch', (_: string, { method, headers }: RequestInit) => {
      if (method === 'HEAD')
        return Promise.resolve(
          new Response(null, { headers: { 'Content-Length': `${log.length}` } }),
        );
      const range = (headers as Record<string, string>).Range ?? '';
      asked.push(range);
      const [from, to] = range.slice('bytes='.length).split('-').map(Number);
      return Promise.resolve(new Response(log.slice(from, (to ?? 0) + 1), { status: 206 }));
    });

    expect(phaseTotals(await readPhases('/trace', 41))).toEqual({ checkout: 2, script: 28 });
    expect(asked).toHaveLength(2);
  });
});
