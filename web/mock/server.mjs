// A stand-in for the Slipway server, for developing the pages and testing them alone: serves dist/ with the real
// Content-Security-Policy, and the API in the shapes of schemas/openapi.yaml over a small scripted world.
//   node mock/server.mjs [--port 5174] [--step 1000] [--fresh]
// Sign in as admin with the password "correct horse". --fresh begins before the first administrator exists; the setup
// token is slst-mock.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { admin, project as newProject, runner as newRunner } from './data.mjs';
import * as editor from './editor.mjs';
import * as coverage from './coverage.mjs';
import * as findings from './findings.mjs';
import * as tests from './tests.mjs';
import { World } from './world.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const password = 'correct horse';

class Refusal extends Error {
  constructor(status, message, hint) {
    super(String(message));
    this.detail = message;
    this.status = status;
    this.hint = hint;
  }
}

function routes(world) {
  const find = (list, id) => {
    const found = list.find((one) => one.id === Number(id));
    if (found === undefined) throw new Refusal(404, 'not found');
    return found;
  };
  const project = (id) => {
    const found = world.projects.find(
      (one) => String(one.id) === id || one.path_with_namespace === id,
    );
    if (found === undefined) throw new Refusal(404, 'no such project');
    return found;
  };
  const page = (list, query) => {
    const number = Number(query.get('page') ?? 1);
    const size = Number(query.get('per_page') ?? 20);
    const next = number * size < list.length ? String(number + 1) : '';
    return {
      body: list.slice((number - 1) * size, number * size),
      headers: { 'X-Total': String(list.length), 'X-Next-Page': next },
    };
  };
  const session = { 'Set-Cookie': 'slipway_session=mock; HttpOnly; SameSite=Lax; Path=/' };
  const latest = (id) => world.jobs.filter((one) => one.pipeline.id === Number(id) && !one.retried);
  const testsOf = (id) => {
    const job = latest(id).find((one) => one.name === 'test' && one.status !== 'created');
    return { job, cases: job === undefined ? [] : tests.testsOf(job) };
  };
  const fits = (value, wanted) => wanted === null || value === wanted;

  return [
    ['GET', '/setup', () => ({ body: { needed: world.setupNeeded } }), 'open'],
    [
      'POST',
      '/setup',
      ({ body }) => {
        if (body.token !== 'slst-mock')
          throw new Refusal(
            403,
            'this is not the setup token',
            'it stands in the file setup-token in the data directory',
          );
        world.setupNeeded = false;
        return { status: 201, headers: session, body: { token: 'glpat-mock', user: admin } };
      },
      'open',
    ],
    [
      'POST',
      '/session',
      ({ body }) => {
        if (body.password !== password) throw new Refusal(401, 'user name or password is wrong');
        return { status: 201, headers: session, body: { user: admin, csrf_token: 'csrf' } };
      },
      'open',
    ],
    [
      'DELETE',
      '/session',
      () => ({ status: 204, headers: { 'Set-Cookie': 'slipway_session=; Max-Age=0; Path=/' } }),
    ],
    ['GET', '/personal_access_tokens', () => ({ body: world.tokens })],
    ['GET', '/user/sessions', () => ({ body: [] })],
    ['GET', '/login', () => ({ body: [] })],
    ['GET', '/users', () => ({ body: [] })],
    ['GET', '/projects/:one/members/all', () => ({ body: [] })],
    [
      'POST',
      '/personal_access_tokens',
      ({ body }) => {
        const now = Date.now();
        const made = {
          id: world.tokens.length + 1,
          name: body.name,
          scopes: body.scopes,
          created_at: new Date(now).toISOString(),
          expires_at: new Date(now + body.expires_in_days * 86_400_000).toISOString(),
          last_used_at: null,
          revoked: false,
        };
        world.tokens.push(made);
        return { status: 201, body: { ...made, token: 'glpat-0123456789abcdefghij' } };
      },
    ],
    [
      'DELETE',
      '/personal_access_tokens/:one',
      ({ one }) => {
        find(world.tokens, one).revoked = true;
        return { status: 204 };
      },
    ],
    ['GET', '/user', () => ({ body: { ...admin, csrf_token: 'csrf' } })],
    [
      'GET',
      '/projects',
      ({ query }) =>
        page(
          world.projects
            .filter(
              (one) =>
                one.path_with_namespace.includes(query.get('search') ?? '') &&
                fits(one.last_pipeline?.status, query.get('last_pipeline_status')),
            )
            .map((one) => ({ ...one, trend: world.trend(one) })),
          query,
        ),
    ],
    [
      'POST',
      '/projects',
      ({ body }) => {
        if (world.projects.some((one) => one.path_with_namespace === body.path))
          throw new Refusal(409, { path: ['has already been taken'] });
        const made = newProject(world.projects.length + 1, body.path);
        world.projects.push(made);
        return {
          status: 201,
          body: { ...made, webhook_secret: 'whsec-0123456789abcdef0123456789abcdef' },
        };
      },
    ],
    [
      'GET',
      '/projects/:id',
      ({ id }) => ({ body: { ...project(id), trend: world.trend(project(id)) } }),
    ],
    [
      'GET',
      '/projects/:id/pipelines',
      ({ id, query }) => {
        const owner = project(id).id;
        const list = world.pipelines.filter(
          (one) =>
            one.project_id === owner &&
            fits(one.ref, query.get('ref')) &&
            fits(one.status, query.get('status')) &&
            fits(one.source, query.get('source')) &&
            fits(one.user.username, query.get('username')) &&
            `${one.commit.title} ${one.ref} #${one.iid}`.includes(query.get('search') ?? ''),
        );
        return page(
          list.sort((a, b) => b.id - a.id),
          query,
        );
      },
    ],
    [
      'POST',
      '/projects/:id/pipeline',
      ({ id, body }) => ({
        status: 201,
        body: world.details(world.start(project(id).id, body.ref)),
      }),
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one',
      ({ one }) => ({ body: world.details(find(world.pipelines, one)) }),
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/jobs',
      ({ one, query }) =>
        page(
          latest(one).filter((job) => !job.is_bridge),
          query,
        ),
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/bridges',
      ({ one, query }) =>
        page(
          latest(one).filter((job) => job.is_bridge),
          query,
        ),
    ],
    [
      'GET',
      '/projects/:id/ci/file',
      ({ query }) => ({
        body: {
          path: '.gitlab-ci.yml',
          ref: query.get('ref') ?? 'main',
          sha: 'a'.repeat(40),
          content: editor.pipelineFile,
        },
      }),
    ],
    ['POST', '/projects/:id/ci/lint', ({ body }) => ({ body: editor.lint(body) })],
    ['GET', '/projects/:id/pipeline_schedules', ({ query }) => page(world.schedules, query)],
    [
      'POST',
      '/projects/:id/pipeline_schedules',
      ({ body }) => ({ status: 201, body: world.addSchedule(body) }),
    ],
    [
      'PUT',
      '/projects/:id/pipeline_schedules/:one',
      ({ one, body }) => ({ body: Object.assign(find(world.schedules, one), body) }),
    ],
    [
      'DELETE',
      '/projects/:id/pipeline_schedules/:one',
      ({ one }) => {
        world.schedules = world.schedules.filter((other) => other.id !== Number(one));
        return { status: 204 };
      },
    ],
    [
      'POST',
      '/projects/:id/pipeline_schedules/:one/play',
      ({ one }) => {
        find(world.schedules, one);
        return { status: 201, body: { message: '201 Created' } };
      },
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/test_report_summary',
      ({ one }) => {
        const { job, cases } = testsOf(one);
        return { body: tests.summaryOf(cases, job) };
      },
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/tests/comparison',
      ({ one }) => ({ body: tests.comparisonOf(testsOf(one).cases) }),
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/tests',
      ({ one, query }) => {
        const status = query.get('status');
        const search = query.get('search') ?? '';
        return page(
          testsOf(one).cases.filter(
            (test) =>
              (status === 'flaky' ? test.flaky : fits(test.status, status)) &&
              test.name.includes(search),
          ),
          query,
        );
      },
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/coverage_files/summary',
      ({ one }) => ({ body: coverage.summaryOf(testsOf(one).job) }),
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/coverage_files/lines',
      ({ query }) => ({ body: coverage.linesOf(query.get('path')) }),
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/coverage_files',
      ({ query }) =>
        page(coverage.filesOf(query.get('search') ?? '', query.get('sort') ?? ''), query),
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/findings/summary',
      ({ one }) => ({ body: findings.summaryOf(testsOf(one).job) }),
    ],
    [
      'GET',
      '/projects/:id/pipelines/:one/findings',
      ({ one, query }) => page(findings.findingsOf(testsOf(one).job, query), query),
    ],
    ['GET', '/projects/:id/tests/history', () => ({ body: tests.historyOf(world.nextJob - 1) })],
    ['GET', '/projects/:id/tests/flaky', ({ query }) => page(tests.flaky, query)],
    [
      'POST',
      '/projects/:id/pipelines/:one/cancel',
      ({ one }) => {
        const value = find(world.pipelines, one);
        world.cancel(value);
        return { status: 201, body: world.details(value) };
      },
    ],
    [
      'POST',
      '/projects/:id/pipelines/:one/retry',
      ({ one }) => {
        for (const failed of latest(one).filter((other) => other.status === 'failed'))
          world.retry(failed);
        return { status: 201, body: world.details(find(world.pipelines, one)) };
      },
    ],
    [
      'GET',
      '/projects/:id/coverage',
      ({ id, query }) => ({
        body: world.pipelines
          .filter(
            (one) =>
              one.project_id === project(id).id &&
              one.coverage !== null &&
              fits(one.ref, query.get('ref')),
          )
          .map((one) => ({
            pipeline_id: one.id,
            pipeline_iid: one.iid,
            ref: one.ref,
            sha: one.sha,
            coverage: Number(one.coverage),
            created_at: one.created_at,
          })),
      }),
    ],
    [
      'GET',
      '/projects/:id/deliveries',
      ({ id, query }) =>
        page(
          project(id).id !== 1
            ? []
            : [
                {
                  id: 2,
                  delivery_id: '9c1e',
                  event: 'push',
                  verdict: 'accepted',
                  reason: 'pipeline created',
                  received_at: new Date(Date.now() - 60_000).toISOString(),
                  pipeline_id: 30,
                },
                {
                  id: 1,
                  delivery_id: '77aa',
                  event: 'push',
                  verdict: 'ignored',
                  reason: 'the branch was deleted',
                  received_at: new Date(Date.now() - 4e6).toISOString(),
                  pipeline_id: null,
                },
              ],
          query,
        ),
    ],
    ['GET', '/projects/:id/jobs/:one', ({ one }) => ({ body: find(world.jobs, one) })],
    [
      'POST',
      '/projects/:id/jobs/:one/cancel',
      ({ one }) => {
        const value = find(world.jobs, one);
        world.setJob(value, 'canceled');
        return { status: 201, body: value };
      },
    ],
    [
      'POST',
      '/projects/:id/jobs/:one/retry',
      ({ one }) => ({ status: 201, body: world.retry(find(world.jobs, one)) }),
    ],
    [
      'GET',
      '/projects/:id/jobs/:one/trace/search',
      ({ one, query }) => ({ body: searchLog(world.log(Number(one)), query) }),
    ],
    ['GET', '/projects/:id/jobs/:one/artifacts', () => ({ text: 'PK' })],
    ['GET', '/runners', () => ({ body: world.runners })],
    [
      'POST',
      '/user/runners',
      ({ body }) => {
        const made = newRunner(world.runners.length + 1, {
          ...body,
          online: false,
          status: 'never_contacted',
          contacted_at: null,
        });
        world.runners.push(made);
        return {
          status: 201,
          body: { id: made.id, token: 'glrt-0123456789abcdefghij', token_expires_at: null },
        };
      },
    ],
    [
      'PUT',
      '/runners/:one',
      ({ one, body }) => {
        const value = Object.assign(find(world.runners, one), body);
        world.tell('runner', value);
        return { body: value };
      },
    ],
    [
      'DELETE',
      '/runners/:one',
      ({ one }) => {
        world.runners = world.runners.filter((other) => other.id !== Number(one));
        return { status: 204 };
      },
    ],
  ].map(([method, pattern, action, access]) => ({
    method,
    action,
    open: access === 'open',
    pattern: new RegExp(`^/api/v4${pattern.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
  }));
}

/** A plain search; the server's own leaves colours and markers out, and so does this. */
function searchLog(bytes, query) {
  const wanted = query.get('q') ?? '';
  let expression;
  try {
    const source = wanted.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    expression = query.get('regex') === 'true' ? new RegExp(wanted) : new RegExp(source, 'i');
  } catch {
    throw new Refusal(400, `q must be a regular expression: ${wanted}`);
  }
  const matches = [];
  let offset = 0;
  for (const [index, line] of bytes.toString('latin1').split('\n').entries()) {
    const raw = Buffer.from(line, 'latin1').toString();
    // eslint-disable-next-line no-control-regex -- colours begin with one
    const text = raw.replaceAll(/section_\w+:\d+:[\w.-]+\r|\u001b\[[0-9;]*[A-Za-z]|\r$/g, '');
    if (expression.test(text)) {
      if (matches.length === 1000) return { matches, truncated: true };
      matches.push({ line: index + 1, offset, text: text.slice(0, 400) });
    }
    offset += line.length + 1;
  }
  return { matches, truncated: false };
}

/** The raw log, whole or the part that was asked for. */
function sendLog(bytes, request, response) {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Accept-Ranges': 'bytes' };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null) {
    response.writeHead(200, { ...headers, 'Content-Length': bytes.length });
    response.end(request.method === 'HEAD' ? undefined : bytes);
    return;
  }
  const from = Number(range[1]);
  const to = Math.min(bytes.length, range[2] === '' ? bytes.length : Number(range[2]) + 1);
  if (from >= bytes.length) throw new Refusal(416, `the log has ${bytes.length} bytes`);
  response.writeHead(206, {
    ...headers,
    'Content-Length': to - from,
    'Content-Range': `bytes ${from}-${to - 1}/${bytes.length}`,
  });
  response.end(bytes.subarray(from, to));
}

function eventStream(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(': hello\n\n');
  return (event, value, id) =>
    response.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(value)}\n\n`);
}

function sendEvents(world, request, response) {
  const send = eventStream(response);
  let id = 0;
  const listener = (kind, value) => send(kind, value, ++id);
  world.listeners.add(listener);
  request.on('close', () => world.listeners.delete(listener));
}

const pieceSize = 65_536;

/** The end of the last whole UTF-8 character before a place. */
function characterEnd(bytes, place) {
  let end = place;
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--;
  return end;
}

function sendTrace(world, jobId, offset, request, response) {
  const send = eventStream(response);
  let sent = offset;
  const push = (changed) => {
    if (changed !== jobId) return;
    const bytes = world.log(jobId);
    while (sent < bytes.length) {
      const end = characterEnd(bytes, Math.min(sent + pieceSize, bytes.length));
      send('trace', { offset: sent, text: bytes.subarray(sent, end).toString() }, end);
      sent = end;
    }
    const one = world.jobs.find((other) => other.id === jobId);
    if (one !== undefined && ['success', 'failed', 'canceled', 'skipped'].includes(one.status)) {
      send('end', { status: one.status }, sent);
      response.end();
      world.logListeners.delete(push);
    }
  };
  world.logListeners.add(push);
  request.on('close', () => world.logListeners.delete(push));
  push(jobId);
}

async function sendFile(pathname, response) {
  const path = normalize(join(dist, pathname));
  let name = path.startsWith(dist) && extname(path) in types ? path : join(dist, 'index.html');
  let bytes;
  try {
    bytes = await readFile(name);
  } catch {
    name = join(dist, 'index.html');
    bytes = await readFile(name);
  }
  response.writeHead(200, {
    'Content-Type': types[extname(name)],
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(bytes);
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return parts.length === 0 ? {} : JSON.parse(Buffer.concat(parts).toString());
}

async function answerApi(world, table, request, url, response) {
  const known = table.find(
    (one) => one.method === request.method && one.pattern.test(url.pathname),
  );
  // A test lets the server be slow, or answer that it cannot.
  if (world.trouble.delayMs > 0)
    await new Promise((resolve) => setTimeout(resolve, world.trouble.delayMs));
  if (world.trouble.status !== null) throw new Refusal(world.trouble.status, 'out of order');
  const signedIn = (request.headers.cookie ?? '').includes('slipway_session=mock');
  if (!signedIn && !known?.open) throw new Refusal(401, 'you are not signed in');
  if (url.pathname === '/api/v4/events') return sendEvents(world, request, response);
  const trace = /\/jobs\/(\d+)\/trace\/events$/.exec(url.pathname);
  if (trace !== null) {
    const offset = Number(request.headers['last-event-id'] ?? url.searchParams.get('offset') ?? 0);
    return sendTrace(world, Number(trace[1]), offset, request, response);
  }
  const log = /\/jobs\/(\d+)\/trace$/.exec(url.pathname);
  if (log !== null) return sendLog(world.log(Number(log[1])), request, response);
  if (known === undefined) throw new Refusal(404, 'no such address');
  if (request.method !== 'GET' && !known.open && request.headers['x-csrf-token'] !== 'csrf')
    throw new Refusal(403, 'the CSRF token is missing');
  const groups = Object.fromEntries(
    Object.entries(known.pattern.exec(url.pathname).groups ?? {}).map(([key, value]) => [
      key,
      decodeURIComponent(value),
    ]),
  );
  const body = request.method === 'GET' ? {} : await bodyOf(request);
  const answer = known.action({ ...groups, query: url.searchParams, body });
  const text = answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body));
  response.writeHead(answer.status ?? 200, {
    'Content-Type': answer.text === undefined ? 'application/json' : 'text/plain; charset=utf-8',
    ...answer.headers,
  });
  response.end(text);
}

/** Starts a mock server; answers it with its address. Port 0 lets the kernel choose. */
export async function startMock({ port = 0, stepMs = 1000, fresh = false } = {}) {
  const world = new World({ stepMs, fresh });
  const table = routes(world);
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock');
    const answer = url.pathname.startsWith('/api/')
      ? answerApi(world, table, request, url, response)
      : sendFile(url.pathname, response);
    answer?.catch((error) => {
      response.writeHead(error.status ?? 500, { 'Content-Type': 'application/json' });
      response.end(
        JSON.stringify({
          message: error.detail ?? error.message,
          ...(error.hint ? { hint: error.hint } : {}),
        }),
      );
    });
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, world, url: `http://127.0.0.1:${server.address().port}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '5174' },
      step: { type: 'string', default: '1000' },
      fresh: { type: 'boolean' },
    },
  });
  const { url } = await startMock({
    port: Number(values.port),
    stepMs: Number(values.step),
    fresh: values.fresh,
  });
  console.log(`mock server on ${url}`);
}
