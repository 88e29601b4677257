// One way to talk to the server: JSON in, JSON or an ApiError out. The CSRF token is kept in memory only and is sent on
// every request that changes something.
import { t } from '../messages';

/** What went wrong, in words for a person. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint: string | null = null,
  ) {
    super(message);
  }
}

type Query = Record<string, string | number | boolean | null | undefined>;

let csrfToken: string | null = null;
let onUnauthenticated: () => void = () => {};
let onTrouble: () => void = () => {};

// Longer than any answer takes that is no stream; a server that hangs is told of like one that is gone.
const longestAnswerMs = 30_000;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Called when the server answers 401: the session has ended. */
export function whenUnauthenticated(action: () => void): void {
  onUnauthenticated = action;
}

/** Called when a reading request found no server, or one that could not answer (5xx). */
export function whenInTrouble(action: () => void): void {
  onTrouble = action;
}

export function withQuery(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** GitLab answers either one sentence or a map of field names to sentences; both become one text. */
export function errorText(message: unknown): string {
  if (typeof message === 'string') return message;
  if (Array.isArray(message)) return message.map(errorText).join(', ');
  if (typeof message === 'object' && message !== null) {
    return Object.entries(message)
      .map(([field, sentence]) => `${field} ${errorText(sentence)}`)
      .join('; ');
  }
  return '';
}

async function toError(response: Response): Promise<ApiError> {
  let body: { message?: unknown; error?: unknown; hint?: unknown } = {};
  try {
    body = (await response.json()) as typeof body;
  } catch {
    // A proxy in between answers HTML; the status is all there is to say.
  }
  const text = errorText(body.message ?? body.error);
  const hint = typeof body.hint === 'string' ? body.hint : t.errors.hint(response.status);
  return new ApiError(response.status, text || t.errors.status(response.status), hint);
}

function failed(method: string, error: ApiError): ApiError {
  if (error.status === 401) onUnauthenticated();
  if (method === 'GET' && (error.status === 0 || error.status >= 500)) onTrouble();
  return error;
}

/** Like fetch, but ends after a while. */
async function fetchInTime(
  url: string,
  init: RequestInit,
  signal?: AbortSignal,
): Promise<Response> {
  const ending = new AbortController();
  const end = () => ending.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, longestAnswerMs);
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  try {
    return await fetch(url, { ...init, signal: ending.signal });
  } catch (error) {
    if (late) throw new ApiError(0, t.errors.timeout(longestAnswerMs / 1000), t.errors.hint(500));
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

async function send(
  method: string,
  url: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET' && csrfToken !== null) headers['X-CSRF-Token'] = csrfToken;
  let response: Response;
  try {
    response = await fetchInTime(
      url,
      {
        method,
        headers,
        credentials: 'same-origin',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      signal,
    );
  } catch (error) {
    if (error instanceof ApiError) throw failed(method, error);
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw failed(method, new ApiError(0, t.errors.unreachable, t.errors.unreachableHint));
  }
  if (response.ok) return response;
  throw failed(method, await toError(response));
}

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return (await (await send('GET', withQuery(path, query), undefined, signal)).json()) as T;
}

export async function getPage<T>(
  path: string,
  query?: Query,
  signal?: AbortSignal,
): Promise<{ items: T[]; total: number | null; next: number | null }> {
  const response = await send('GET', withQuery(path, query), undefined, signal);
  const number = (header: string): number | null => {
    const text = response.headers.get(header);
    return text === null || text === '' ? null : Number(text);
  };
  return {
    items: (await response.json()) as T[],
    total: number('X-Total'),
    next: number('X-Next-Page'),
  };
}

/** POST, PUT or DELETE. Answers without a body give undefined. */
export async function change<T = void>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await send(method, path, body, signal);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
