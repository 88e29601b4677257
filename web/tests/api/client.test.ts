import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  change,
  errorText,
  get,
  getPage,
  setCsrfToken,
  whenInTrouble,
  whenUnauthenticated,
  withQuery,
} from '../../src/api/client';
import { listPipelineJobs } from '../../src/api/endpoints';

interface Call {
  url: string;
  options: RequestInit;
}

function answer(...responses: Response[]): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal('fetch', async (url: string, options: RequestInit) => {
    calls.push({ url, options });
    return responses.shift()!;
  });
  return calls;
}
const json = (value: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(value), { status, headers });

afterEach(() => {
  vi.unstubAllGlobals();
  setCsrfToken(null);
  whenUnauthenticated(() => {});
  whenInTrouble(() => {});
});

describe('a request', () => {
  it('leaves empty parts of the query away', () => {
    expect(withQuery('/x', { a: '', b: null, c: undefined, d: 0, e: 'ä b' })).toBe(
      '/x?d=0&e=%C3%A4+b',
    );
    expect(withQuery('/x')).toBe('/x');
  });

  it('carries the CSRF token when it changes something, and only then', async () => {
    setCsrfToken('token');
    const calls = answer(json({}), json({}));
    await get('/x');
    await change('POST', '/x', { a: 1 });
    expect(calls.map((call) => new Headers(call.options.headers).get('X-CSRF-Token'))).toEqual([
      null,
      'token',
    ]);
    expect(calls[1]?.options.body).toBe('{"a":1}');
  });

  it('understands an answer without a body', async () => {
    answer(new Response(null, { status: 204 }));
    expect(await change('DELETE', '/x')).toBeUndefined();
  });

  it("reads the pages of a list from GitLab's headers", async () => {
    answer(
      json([1], 200, { 'X-Total': '41', 'X-Next-Page': '2' }),
      json([1], 200, { 'X-Next-Page': '' }),
    );
    expect(await getPage('/x')).toEqual({ items: [1], total: 41, next: 2 });
    expect(await getPage('/x')).toEqual({ items: [1], total: null, next: null });
  });

  it('for the jobs of a pipeline goes on to the last page, and has its trigger jobs among them', async () => {
    // Both lists are asked for at once; the second page comes after that.
    const calls = answer(
      json([{ id: 1 }], 200, { 'X-Next-Page': '2' }),
      json([{ id: 2 }]),
      json([{ id: 3 }]),
    );
    expect((await listPipelineJobs('a/b', 3)).map((job) => job.id)).toEqual([1, 2, 3]);
    expect(calls.map((call) => call.url)).toEqual([
      '/api/v4/projects/a%2Fb/pipelines/3/jobs?page=1&per_page=100',
      '/api/v4/projects/a%2Fb/pipelines/3/bridges?page=1&per_page=100',
      '/api/v4/projects/a%2Fb/pipelines/3/jobs?page=2&per_page=100',
    ]);
  });
});

describe('a refusal', () => {
  it('says what the server said and what to do', async () => {
    answer(json({ message: 'the token is wrong', hint: 'read the file' }, 403));
    await expect(get('/x')).rejects.toMatchObject({
      status: 403,
      message: 'the token is wrong',
      hint: 'read the file',
    });
  });

  it('of a proxy, which speaks HTML, is said in our words', async () => {
    answer(new Response('<h1>Bad gateway</h1>', { status: 502 }));
    await expect(get('/x')).rejects.toMatchObject({
      message: 'The server could not answer (502).',
      hint: 'Try again in a moment. If it stays, the server log says more.',
    });
  });

  it('to connect is told as such', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(get('/x')).rejects.toMatchObject({
      status: 0,
      message: 'The server cannot be reached.',
    });
  });

  it('of a server in trouble is told to the application, that of a change is not', async () => {
    const trouble = vi.fn();
    whenInTrouble(trouble);
    answer(json({}, 503), json({}, 404), json({}, 500));
    await expect(get('/x')).rejects.toMatchObject({ status: 503 });
    await expect(get('/x')).rejects.toMatchObject({ status: 404 });
    await expect(change('POST', '/x')).rejects.toMatchObject({ status: 500 });
    expect(trouble).toHaveBeenCalledTimes(1);
  });

  it('is given up after half a minute without an answer, and said so', async () => {
    vi.useFakeTimers();
    vi.stubGlobal(
      'fetch',
      (_: string, { signal }: RequestInit) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        }),
    );
    const asked = expect(get('/x')).rejects.toMatchObject({
      status: 0,
      message: 'The server did not answer within 30 seconds.',
    });
    await vi.advanceTimersByTimeAsync(30_000);
    await asked;
    vi.useRealTimers();
  });

  it('is not what somebody gets who no longer wants the answer', async () => {
    vi.stubGlobal(
      'fetch',
      (_: string, { signal }: RequestInit) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        }),
    );
    const leaving = new AbortController();
    const asked = expect(get('/x', {}, leaving.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
    leaving.abort();
    await asked;
  });

  it('for want of a session is told to the application', async () => {
    const ended = vi.fn();
    whenUnauthenticated(ended);
    answer(json({ message: '401 Unauthorized' }, 401), json({ message: 'no' }, 403));
    await expect(get('/x')).rejects.toMatchObject({ status: 401 });
    await expect(get('/x')).rejects.toMatchObject({ status: 403 });
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['text', 'text'],
    [
      { path: ['has already been taken', 'is too long'] },
      'path has already been taken, is too long',
    ],
    [{ a: 'x', b: ['y'] }, 'a x; b y'],
    [undefined, ''],
    [7, ''],
  ])('%j becomes one text', (message, text) => {
    expect(errorText(message)).toBe(text);
  });
});
