import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { flushSync, mount, unmount, type Component } from 'svelte';
import type { BrowserSession, Member, User } from '../../src/api/model';
import InvitationPage from '../../src/pages/invitation/InvitationPage.svelte';
import MembersView from '../../src/pages/members/MembersView.svelte';
import SessionList from '../../src/pages/settings/SessionList.svelte';
import UsersPage from '../../src/pages/users/UsersPage.svelte';

const user = (given: Partial<User>): User => ({
  id: 2,
  username: 'bea',
  name: 'Bea',
  state: 'active',
  bot: false,
  is_admin: false,
  ...given,
});
const member = (given: Partial<Member>): Member => ({
  id: 2,
  username: 'bea',
  name: 'Bea',
  state: 'active',
  bot: false,
  access_level: 30,
  created_at: '2026-01-01T00:00:00Z',
  expires_at: null,
  group: null,
  ...given,
});
const browser = (given: Partial<BrowserSession>): BrowserSession => ({
  id: 'aa',
  created_at: '2026-01-01T00:00:00Z',
  last_seen_at: '2026-01-01T00:00:00Z',
  expires_at: '2026-01-08T00:00:00Z',
  ip_address: '10.0.0.1',
  user_agent: 'phone',
  current: false,
  ...given,
});

let asked: { method: string; url: string; body: unknown }[] = [];
let answers: Record<string, unknown> = {};
let page: Record<string, unknown>;

const tick = async (): Promise<void> => {
  for (let i = 0; i < 5; ++i) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
  flushSync();
};
const show = async (Page: Component<never>, props: Record<string, unknown> = {}) => {
  page = mount(Page, { target: document.body, props: props as never });
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
  const field = document.querySelector<HTMLInputElement>(`[name=${name}]`);
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
  vi.unstubAllGlobals();
});

test('a new account is told of by its link', async () => {
  answers = {
    'GET /api/v4/users': [user({}), user({ id: 3, username: 'cai', state: 'blocked' })],
    'POST /api/v4/users': { ...user({ id: 4 }), invitation_url: 'https://ci/-/invitation#slin-1' },
  };
  await show(UsersPage);
  expect(document.querySelector('[data-user=cai]')?.textContent).toContain('blocked');
  button('New account').click();
  flushSync();
  type('username', 'dan');
  button('Create account').click();
  await tick();
  expect(changes()).toEqual([
    { method: 'POST', url: '/api/v4/users', body: { username: 'dan', name: '', admin: false } },
  ]);
  expect(document.body.textContent).toContain('https://ci/-/invitation#slin-1');
});

test('an account is blocked, and unblocked', async () => {
  answers = { 'GET /api/v4/users': [user({}), user({ id: 3, username: 'cai', state: 'blocked' })] };
  await show(UsersPage);
  button('Block bea').click();
  await tick();
  button('Unblock cai').click();
  await tick();
  expect(changes().map((one) => one.url)).toEqual([
    '/api/v4/users/2/block',
    '/api/v4/users/3/unblock',
  ]);
});

test('members are added; those of a group are only shown', async () => {
  answers = {
    'GET /api/v4/projects/team%2Fapp/members/all': [
      member({}),
      member({ id: 3, username: 'cai', name: 'Cai', access_level: 40, group: 'team' }),
    ],
  };
  await show(MembersView, { path: 'team/app' });
  expect(document.querySelector('[data-member=cai]')?.textContent).toContain('by the group team');
  expect(() => button('Remove cai')).toThrow();
  type('username', ' dan ');
  button('Add member').click();
  await tick();
  button('Remove bea').click();
  await tick();
  expect(changes()).toEqual([
    {
      method: 'POST',
      url: '/api/v4/projects/team%2Fapp/members',
      body: { username: 'dan', access_level: 30 },
    },
    { method: 'DELETE', url: '/api/v4/projects/team%2Fapp/members/2', body: undefined },
  ]);
});

test('a session of another browser can be ended, this one not', async () => {
  answers = {
    'GET /api/v4/user/sessions': [
      browser({}),
      browser({ id: 'bb', user_agent: 'desk', current: true }),
    ],
  };
  await show(SessionList);
  expect(() => button('End the session of desk')).toThrow();
  button('End the session of phone').click();
  await tick();
  expect(changes().map((one) => one.url)).toEqual(['/api/v4/user/sessions/aa']);
  expect(document.querySelector('[data-session=aa]')).toBeNull();
});

test('an invitation takes its token from behind the # of the address', async () => {
  location.hash = '#slin-1';
  await show(InvitationPage);
  type('password', 'a long password');
  button('Set password').click();
  await tick();
  expect(changes()).toEqual([
    {
      method: 'POST',
      url: '/api/v4/invitation',
      body: { token: 'slin-1', password: 'a long password' },
    },
  ]);
  location.hash = '';
});
