import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogReader } from '../../../src/lib/log/log_reader.svelte';
import { FakeEventSource } from '../../support/fake_event_source';

const encode = (text: string) => new TextEncoder().encode(text);
let log = encode('');
let down = false;
let asked: string[] = [];

/** A server that has a log and knows ranges. */
async function serve(address: string, request: RequestInit = {}): Promise<Response> {
  if (down) throw new TypeError('network');
  if (request.method === 'HEAD') {
    asked.push(`HEAD ${address}`);
    return answer(200, encode(''), { 'Content-Length': String(log.length) });
  }
  const range = (request.headers as Record<string, string>).Range ?? '';
  asked.push(range);
  const [from, to] = range.replace('bytes=', '').split('-').map(Number) as [number, number];
  return answer(206, log.slice(from, to + 1));
}

/** A real response would wait for timers, which are not real here. */
const answer = (status: number, bytes: Uint8Array, headers: HeadersInit = {}): Response =>
  ({
    ok: true,
    status,
    headers: new Headers(headers),
    arrayBuffer: () => Promise.resolve(new Uint8Array(bytes).buffer),
  }) as Response;

beforeEach(() => {
  vi.useFakeTimers();
  log = encode('');
  down = false;
  asked = [];
  FakeEventSource.opened = [];
  vi.stubGlobal('EventSource', FakeEventSource);
  vi.stubGlobal('fetch', serve);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function start(): Promise<LogReader> {
  const reader = new LogReader('/trace');
  reader.start();
  await vi.advanceTimersByTimeAsync(20);
  if (FakeEventSource.opened.length > 0) FakeEventSource.last.open();
  return reader;
}
const lines = (reader: LogReader) =>
  Array.from({ length: reader.index.lineCount }, (_, line) => reader.line(line)?.raw);

describe('reading a log', () => {
  it('takes what is there by ranges, then follows from there', async () => {
    log = encode('grün\ntwo\n');
    const reader = await start();
    expect(asked).toEqual(['HEAD /trace', 'bytes=0-9']);
    expect(lines(reader)).toEqual(['grün', 'two']);
    expect(reader.caughtUp).toBe(true);
    expect(FakeEventSource.last.address).toBe('/trace/events?offset=10');
  });

  it('of many megabytes asks for growing pieces, and shows the end first', async () => {
    log = encode(`${'x'.repeat(99)}\n`.repeat(60_000) + 'the end\n');
    const reader = new LogReader('/trace');
    reader.start();
    for (let i = 0; i < 5; i++) await Promise.resolve();
    await vi.waitFor(() => expect(reader.tail.at(-2)).toBe('the end'), { interval: 0 });
    await vi.advanceTimersByTimeAsync(500);
    expect(reader.caughtUp).toBe(true);
    expect(reader.tail).toEqual([]);
    expect(reader.index.lineCount).toBe(60_001);
    expect(reader.line(60_000)?.raw).toBe('the end');
    const starts = asked
      .filter((range) => range.startsWith('bytes='))
      .map((range) => Number(range.slice(6).split('-')[0]));
    expect(starts).toEqual([log.length - 32_768, 0, 262_144, 786_432, 1_835_008, 3_932_160]);
  });

  it('goes on where it was when the server was away', async () => {
    log = encode('one\n');
    down = true;
    const reader = await start();
    expect(reader.offline).toBe(true);
    down = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(reader.offline).toBe(false);
    expect(lines(reader)).toEqual(['one']);
  });

  it('gives the raw text of lines', async () => {
    log = encode('one\ntwo\nthree\n');
    const reader = await start();
    expect(await reader.textOf(1, 2, 1000)).toBe('two\nthree');
    expect(await reader.textOf(1, 2, 5)).toBe('two\nt');
  });

  it('takes every piece once, though the server repeats some after a cut', async () => {
    const reader = await start();
    FakeEventSource.last.say('trace', { offset: 0, text: 'grün\n' }, '6');
    FakeEventSource.last.say('trace', { offset: 0, text: 'grün\n' }, '6');
    FakeEventSource.last.say('trace', { offset: 6, text: 'two\n' }, '10');
    expect(lines(reader)).toEqual(['grün', 'two']);
  });

  it('shows many pieces with one change a frame', async () => {
    const reader = await start();
    const before = reader.version;
    for (let i = 0; i < 100; i++)
      FakeEventSource.last.say('trace', { offset: i, text: 'x' }, String(i + 1));
    vi.advanceTimersByTime(20);
    expect(reader.version).toBe(before + 1);
    expect(reader.line(0)?.raw).toHaveLength(100);
  });

  it('asks for the rest after a refusal, counting bytes', async () => {
    const reader = await start();
    FakeEventSource.last.say('trace', { offset: 0, text: 'ü\n' });
    FakeEventSource.last.fail('refused');
    expect(reader.offline).toBe(true);
    vi.advanceTimersByTime(5000);

    expect(FakeEventSource.last.address).toBe('/trace/events?offset=3');
    FakeEventSource.last.open();
    expect(reader.offline).toBe(false);
  });

  it('ends with the job and lets the stream go', async () => {
    const reader = await start();
    FakeEventSource.last.say('trace', { offset: 0, text: 'done' }, '4');
    FakeEventSource.last.say('end', { status: 'success' });
    expect(reader.ended).toBe(true);
    expect(reader.version).toBeGreaterThan(0);
    expect(FakeEventSource.last.readyState).toBe(FakeEventSource.CLOSED);
  });

  it('rests while nobody looks, and goes on where it was', async () => {
    const seen = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    const reader = await start();
    FakeEventSource.last.say('trace', { offset: 0, text: 'one\n' }, '4');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(FakeEventSource.last.readyState).toBe(FakeEventSource.CLOSED);
    expect(FakeEventSource.opened).toHaveLength(1);

    seen.mockReturnValue('visible');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(FakeEventSource.last.address).toBe('/trace/events?offset=4');
    FakeEventSource.last.say('trace', { offset: 4, text: 'two\n' }, '8');
    vi.advanceTimersByTime(20);
    expect(lines(reader)).toEqual(['one', 'two']);
    reader.stop();
  });

  it('stops when the page is left', async () => {
    const reader = await start();
    FakeEventSource.last.fail('refused');
    reader.stop();
    vi.advanceTimersByTime(60_000);
    expect(FakeEventSource.opened).toHaveLength(1);
  });

  it('reads again by ranges where bytes that are no characters were replaced on the way', async () => {
    const reader = await start();
    log = new Uint8Array([0xff, 0x0a]);
    FakeEventSource.last.say('trace', { offset: 0, text: '\ufffd\n' }, '2');
    await vi.advanceTimersByTimeAsync(20);
    expect(lines(reader)).toEqual(['\ufffd']);
    expect(FakeEventSource.last.address).toBe('/trace/events?offset=2');
  });
});
