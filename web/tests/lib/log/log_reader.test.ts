import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogReader } from '../../../src/lib/log/log_reader.svelte';
import { FakeEventSource } from '../../support/fake_event_source';

beforeEach(() => {
  vi.useFakeTimers();
  FakeEventSource.opened = [];
  vi.stubGlobal('EventSource', FakeEventSource);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start(): LogReader {
  const reader = new LogReader('/trace/events');
  reader.start();
  FakeEventSource.last.open();
  return reader;
}

describe('reading a log', () => {
  it('takes every piece once, though the server repeats some after a cut', () => {
    const reader = start();
    FakeEventSource.last.say('trace', { offset: 0, text: 'grün\n' }, '6');
    FakeEventSource.last.say('trace', { offset: 0, text: 'grün\n' }, '6');
    FakeEventSource.last.say('trace', { offset: 6, text: 'two\n' }, '10');
    expect([reader.text.line(0), reader.text.line(1), reader.text.lineCount]).toEqual([
      'grün',
      'two',
      2,
    ]);
  });

  it('shows many pieces with one change a frame', () => {
    const reader = start();
    for (let i = 0; i < 100; i++)
      FakeEventSource.last.say('trace', { offset: i, text: 'x' }, String(i + 1));
    vi.advanceTimersByTime(20);
    expect(reader.version).toBe(1);
    expect(reader.text.line(0)).toHaveLength(100);
  });

  it('asks for the rest after a refusal, counting bytes', () => {
    const reader = start();
    FakeEventSource.last.say('trace', { offset: 0, text: 'ü\n' });
    FakeEventSource.last.fail('refused');
    expect(reader.offline).toBe(true);
    vi.advanceTimersByTime(5000);

    expect(FakeEventSource.last.address).toBe('/trace/events?offset=3');
    FakeEventSource.last.open();
    expect(reader.offline).toBe(false);
  });

  it('ends with the job and lets the stream go', () => {
    const reader = start();
    FakeEventSource.last.say('trace', { offset: 0, text: 'done' }, '4');
    FakeEventSource.last.say('end', { status: 'success' });
    expect(reader.ended).toBe(true);
    expect(reader.version).toBeGreaterThan(0);
    expect(FakeEventSource.last.readyState).toBe(FakeEventSource.CLOSED);
  });

  it('rests while nobody looks, and goes on where it was', () => {
    const seen = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    const reader = start();
    FakeEventSource.last.say('trace', { offset: 0, text: 'one\n' }, '4');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(FakeEventSource.last.readyState).toBe(FakeEventSource.CLOSED);
    expect(FakeEventSource.opened).toHaveLength(1);

    seen.mockReturnValue('visible');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(FakeEventSource.last.address).toBe('/trace/events?offset=4');
    FakeEventSource.last.say('trace', { offset: 4, text: 'two\n' }, '8');
    vi.advanceTimersByTime(20);
    expect([reader.text.lineCount, reader.version]).toEqual([2, 1]);
    reader.stop();
  });

  it('stops when the page is left', () => {
    const reader = start();
    FakeEventSource.last.fail('refused');
    reader.stop();
    vi.advanceTimersByTime(60_000);
    expect(FakeEventSource.opened).toHaveLength(1);
  });
});
