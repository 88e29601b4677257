// Forks, tokens and the variables of a schedule: what these pages ask the server for.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { flushSync, mount, unmount, type Component } from 'svelte';
import type { ForkRequest } from '../../src/api/model';
import ForkRequests from '../../src/pages/forks/ForkRequests.svelte';
import AddProject from '../../src/pages/projects/AddProject.svelte';
import ScheduleForm from '../../src/pages/schedules/ScheduleForm.svelte';
import TokensView from '../../src/pages/tokens/TokensView.svelte';

const sha = 'a'.repeat(40);
const request = (given: Partial<ForkRequest>): ForkRequest => ({
  id: 3,
  iid: 7,
  sha,
  title: 'Louder',
  commit_title: 'Speak',
  source_project: 'eve/app',
  source_branch: 'topic',
  target_branch: 'main',
  author: 'eve',
  state: 'waiting',
  reason: 'commit aaaaaaaa waits for an approval',
  decided_by: null,
  decided_at: null,
  created_at: '2026-01-01T00:00:00Z',
  pipeline_id: null,
  ...given,
});
const base = '/api/v4/projects/team%2Fapp';

let asked: { method: string; url: string; body: unknown }[] = [];
let answers: Record<string, unknown> = {};
let page: Record<string, unknown>;

const tick = async (): Promise<void> => {
  for (let i = 0; i < 8; ++i) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
  flushSync();
};
const show = async (Page: Component<never>, props: Record<string, unknown>) => {
  page = mount(Page, { target: document.body, props: props as never });
  await tick();
  await tick();
};
const button = (name: string): HTMLButtonElement => {
  const found = [...document.querySelectorAll('button')].find(
    (one) => (one.getAttribute('aria-label') ?? one.textContent?.trim()) === name,
  );
  if (found === undefined) throw new Error(`no button ${name} in ${document.body.textContent}`);
  return found;
};
const type = (name: string, text: string): void => {
  const field = document.querySelector<HTMLInputElement | HTMLTextAreaElement>(`[name=${name}]`);
  if (field === null) throw new Error(`no field ${name}`);
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
};
const changes = () => asked.filter((one) => one.method !== 'GET');

beforeEach(() => {
  asked = [];
  answers = {};
  vi.stubGlobal('confirm', () => true);
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const method = init.method ?? 'GET';
    const body = init.body === undefined ? undefined : JSON.parse(String(init.body));
    asked.push({ method, url, body });
    if (method === 'DELETE') return new Response(null, { status: 204 });
    const path = url.split('?')[0] ?? url;
    return new Response(JSON.stringify(answers[`${method} ${path}`] ?? {}), { status: 200 });
  });
});
afterEach(async () => {
  await unmount(page);
  document.body.innerHTML = '';
  vi.unstubAllGlobals();
});

test('a waiting commit is shown with its reason, and approved as the commit that is shown', async () => {
  answers[`GET ${base}/fork_requests`] = [
    request({}),
    request({ id: 2, iid: 6, state: 'superseded', reason: 'commit b was pushed' }),
  ];
  await show(ForkRequests as Component<never>, { path: 'team/app' });
  expect(document.body.textContent).toContain('commit aaaaaaaa waits for an approval');
  expect(document.body.textContent).toContain('by eve in eve/app');
  expect(document.querySelectorAll('li button')).toHaveLength(2);
  button('Approve the commit of !7').click();
  await tick();
  expect(changes()).toEqual([
    { method: 'POST', url: `${base}/fork_requests/3/approve`, body: { sha } },
  ]);
});

test('nothing is approved when the question is answered with no; rejecting asks for nothing', async () => {
  vi.stubGlobal('confirm', () => false);
  answers[`GET ${base}/fork_requests`] = [request({})];
  await show(ForkRequests as Component<never>, { path: 'team/app' });
  button('Approve the commit of !7').click();
  await tick();
  expect(changes()).toEqual([]);
  button('Reject the commit of !7').click();
  await tick();
  expect(changes()).toEqual([
    { method: 'POST', url: `${base}/fork_requests/3/reject`, body: { sha } },
  ]);
});

test('a trigger token is made, shown once, and ended', async () => {
  answers[`GET ${base}/access_tokens`] = [];
  answers[`GET ${base}/triggers`] = [
    { id: 4, description: 'nightly', token: 'abcd', last_used: null, owner: null },
  ];
  answers[`POST ${base}/triggers`] = { id: 5, description: 'new', token: 'glptt-secret' };
  await show(TokensView as Component<never>, { path: 'team/app' });
  type('trigger', 'new');
  document.querySelectorAll('form')[1]?.requestSubmit();
  await tick();
  await tick();
  expect(document.body.textContent).toContain('glptt-secret');
  button('Revoke nightly').click();
  await tick();
  expect(changes()).toEqual([
    { method: 'POST', url: `${base}/triggers`, body: { description: 'new' } },
    { method: 'DELETE', url: `${base}/triggers/4`, body: undefined },
  ]);
});

test('a project token is made with a role and an end', async () => {
  answers[`GET ${base}/access_tokens`] = [];
  answers[`GET ${base}/triggers`] = [];
  answers[`POST ${base}/access_tokens`] = { id: 1, token: 'glpat-secret' };
  await show(TokensView as Component<never>, { path: 'team/app' });
  type('token_name', 'bot');
  document.querySelectorAll('form')[0]?.requestSubmit();
  await tick();
  await tick();
  expect(document.body.textContent).toContain('glpat-secret');
  expect(changes()[0]?.body).toEqual({ name: 'bot', access_level: 30, expires_in_days: 90 });
});

test('a schedule opens with its variables, and saves what of them was changed', async () => {
  answers[`GET ${base}/pipeline_schedules/9`] = {
    variables: [
      { key: 'A', value: '1', variable_type: 'env_var' },
      { key: 'GONE', value: '2', variable_type: 'env_var' },
      { key: 'CONFIG', value: 'x', variable_type: 'file' },
    ],
  };
  const schedule = {
    id: 9,
    description: 'nightly',
    ref: 'main',
    cron: '0 4 * * *',
    cron_timezone: 'UTC',
    active: true,
  };
  await show(ScheduleForm as Component<never>, {
    path: 'team/app',
    schedule,
    branch: 'main',
    close: () => undefined,
    saved: () => undefined,
  });
  expect(document.querySelector<HTMLTextAreaElement>('textarea')?.value).toBe('A=1\nGONE=2');
  type('variables', 'A=5\nNEW=3');
  document.querySelector('form')?.requestSubmit();
  for (let i = 0; i < 6; ++i) await tick();
  const variables = `${base}/pipeline_schedules/9/variables`;
  expect(changes().slice(1)).toEqual([
    { method: 'DELETE', url: `${variables}/GONE`, body: undefined },
    {
      method: 'POST',
      url: variables,
      body: { key: 'NEW', value: '3', variable_type: 'env_var' },
    },
    { method: 'PUT', url: `${variables}/A`, body: { value: '5' } },
  ]);
});

test(
  'a repository is picked from a git host, and fills the form; the token goes into no address',
  {
    timeout: 30_000,
  },
  async () => {
    answers['POST /api/v4/forge_repositories'] = {
      repositories: [
        {
          path: 'team/app',
          url: 'https://g/team/app.git',
          default_branch: 'main',
          private: true,
          known: true,
        },
        {
          path: 'team/lib',
          url: 'https://g/team/lib.git',
          default_branch: 'trunk',
          private: true,
          known: false,
        },
      ],
      more: false,
    };
    await show(AddProject as Component<never>, {
      close: () => undefined,
      created: () => undefined,
    });
    button('Pick from a git host').click();
    // The list is a part of the page that is fetched when it is wanted.
    await vi.waitFor(() => button('List repositories'), { timeout: 25_000 });
    type('forge_token', 's3cret');
    document.querySelectorAll('form')[0]?.requestSubmit();
    await tick();
    expect(document.querySelector('[data-repository="team/app"] button')).toBeNull();
    button('Take team/lib').click();
    await tick();
    const value = (name: string) =>
      document.querySelector<HTMLInputElement>(`[name=${name}]`)?.value;
    expect([value('path'), value('url'), value('default_branch')]).toEqual([
      'team/lib',
      'https://g/team/lib.git',
      'trunk',
    ]);
    expect(asked.every((one) => !one.url.includes('s3cret'))).toBe(true);
  },
);
