import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { whenUnauthenticated } from '../../src/api/client';
import { live } from '../../src/lib/live.svelte';
import { FakeEventSource } from '../support/fake_event_source';
import { makeJob } from '../support/values';

beforeEach(() => {
  vi.useFakeTimers();
  FakeEventSource.opened = [];
  vi.stubGlobal('EventSource', FakeEventSource);
});
afterEach(() => {
  live.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the event stream', () => {
  it('is one, however often it is started', () => {
    live.start();
    live.start();
    expect(FakeEventSource.opened.map((source) => source.address)).toEqual(['/api/v4/events']);
  });

  it('hands values to those who listen, until they stop', () => {
    const heard: string[] = [];
    const stop = live.on('job', (job) => heard.push(job.name));
    live.start();
    FakeEventSource.last.open();

    FakeEventSource.last.say('job', makeJob({ name: 'one' }));
    stop();
    FakeEventSource.last.say('job', makeJob({ name: 'two' }));

    expect(heard).toEqual(['one']);
  });

  it('says that it is offline only when a cut lasts', () => {
    live.start();
    FakeEventSource.last.open();
    FakeEventSource.last.fail('cut');
    expect(live.offline).toBe(false);

    vi.advanceTimersByTime(2000);
    expect(live.offline).toBe(true);
    FakeEventSource.last.open();
    expect(live.offline).toBe(false);
  });

  it('lets the browser resume a cut by itself', () => {
    const resyncs = vi.fn();
    const stop = live.on('resync', resyncs);
    live.start();
    FakeEventSource.last.open();
    FakeEventSource.last.fail('cut');
    vi.advanceTimersByTime(60_000);
    FakeEventSource.last.open();

    expect(FakeEventSource.opened).toHaveLength(1);
    expect(resyncs).not.toHaveBeenCalled();
    stop();
  });

  it('opens a new stream after a refusal, with growing pauses, and then reads everything again', () => {
    const resyncs = vi.fn();
    const stop = live.on('resync', resyncs);
    live.start();
    for (let i = 0; i < 3; i++) {
      FakeEventSource.last.fail('refused');
      vi.advanceTimersByTime(40_000);
    }
    expect(FakeEventSource.opened).toHaveLength(4);
    FakeEventSource.last.open();

    expect(live.offline).toBe(false);
    expect(resyncs).toHaveBeenCalledTimes(1);
    stop();
  });

  it('finds out by an ordinary request whether a refusal means that the session has ended', async () => {
    const ended = vi.fn();
    whenUnauthenticated(ended);
    vi.stubGlobal('fetch', async () => new Response('{}', { status: 401 }));
    live.start();
    FakeEventSource.last.fail('refused');
    await vi.advanceTimersByTimeAsync(5000);

    expect(ended).toHaveBeenCalledTimes(1);
    whenUnauthenticated(() => {});
  });

  it('passes on that the server asks to read again', () => {
    const resyncs = vi.fn();
    const stop = live.on('resync', resyncs);
    live.start();
    FakeEventSource.last.say('resync', null);
    expect(resyncs).toHaveBeenCalledTimes(1);
    stop();
  });
});

describe('a server that does not answer requests, while the stream is whole', () => {
  const answers = (...statuses: number[]) => {
    const fetched = vi.fn(async () => new Response('{}', { status: statuses.shift() ?? 200 }));
    vi.stubGlobal('fetch', fetched);
    return fetched;
  };

  it('is asked again with growing pauses, and then the pages read again', async () => {
    const resyncs = vi.fn();
    const stop = live.on('resync', resyncs);
    const fetched = answers(503, 502, 200);
    live.start();
    FakeEventSource.last.open();
    live.doubt();
    live.doubt();
    await vi.advanceTimersByTimeAsync(1300);
    expect(live.offline).toBe(true);
    expect(resyncs).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(20_000);

    expect(fetched).toHaveBeenCalledTimes(3);
    expect(live.offline).toBe(false);
    expect(resyncs).toHaveBeenCalledTimes(1);
    stop();
  });

  it('is there when it refuses, as for want of a session', async () => {
    answers(401);
    live.start();
    FakeEventSource.last.open();
    live.doubt();
    await vi.advanceTimersByTimeAsync(2000);
    expect(live.offline).toBe(false);
  });

  it('is not asked by pages that nobody is signed in on', async () => {
    const fetched = answers(200);
    live.doubt();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fetched).not.toHaveBeenCalled();
  });
});
