import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { flushSync, mount, unmount } from 'svelte';
import type { Variable } from '../../src/api/model';
import { bodyOf, formOf } from '../../src/pages/variables/form';
import { ownersOf } from '../../src/pages/variables/owners';
import VariablesView from '../../src/pages/variables/VariablesView.svelte';

const variable = (given: Partial<Variable>): Variable => ({
  key: 'TOKEN',
  value: 'plain-value',
  variable_type: 'env_var',
  protected: false,
  masked: false,
  hidden: false,
  raw: false,
  environment_scope: '*',
  description: null,
  ...given,
});

interface Asked {
  method: string;
  url: string;
  body: unknown;
}
let asked: Asked[] = [];
let stored: Variable[] = [];
let refuse: string | null = null;
let page: Record<string, unknown>;

const tick = async (): Promise<void> => {
  for (let i = 0; i < 5; ++i) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
  flushSync();
};
const show = async (): Promise<void> => {
  page = mount(VariablesView, { target: document.body, props: { path: 'team/web/app' } });
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

beforeEach(() => {
  asked = [];
  stored = [];
  refuse = null;
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    asked.push({
      method: init.method ?? 'GET',
      url,
      body: init.body === undefined ? undefined : JSON.parse(String(init.body)),
    });
    if (refuse !== null && init.method !== 'GET')
      return new Response(JSON.stringify({ message: refuse }), { status: 400 });
    if (init.method === 'DELETE') return new Response(null, { status: 204 });
    return new Response(JSON.stringify(init.method === 'GET' ? stored : {}), { status: 200 });
  });
});
afterEach(async () => {
  await unmount(page);
  vi.unstubAllGlobals();
});

test('owners are the project, its groups inside out, and the instance', () => {
  expect(ownersOf('team/web/app')).toEqual([
    { kind: 'project', path: 'team/web/app' },
    { kind: 'group', path: 'team/web' },
    { kind: 'group', path: 'team' },
    { kind: 'instance' },
  ]);
  page = mount(VariablesView, { target: document.body, props: { path: 'app' } });
  expect(ownersOf('app')).toEqual([{ kind: 'project', path: 'app' }, { kind: 'instance' }]);
});

test('a value is in the page only when it is asked for, a hidden one never', async () => {
  stored = [
    variable({}),
    variable({ key: 'SECRET', value: null, hidden: true, masked: true, protected: true }),
  ];
  await show();
  expect(document.body.textContent).not.toContain('plain-value');
  expect(document.body.textContent).toContain('Its value is hidden and never shown.');
  const flags = document.querySelector('[data-variable=SECRET]')?.textContent;
  expect(flags).toContain('protected');
  expect(flags).toContain('hidden');
  button('Value of TOKEN').click();
  flushSync();
  expect(document.querySelector('[data-variable=TOKEN] pre')?.textContent).toBe('plain-value');
  expect(() => button('Value of SECRET')).toThrow();
});

test('a variable is made with what the form says', async () => {
  await show();
  button('Add variable').click();
  flushSync();
  type('key', 'NEW_KEY');
  type('value', 'long-enough');
  type('scope', 'review/*');
  button('Save').click();
  await tick();
  expect(asked.find((one) => one.method === 'POST')).toEqual({
    method: 'POST',
    url: '/api/v4/projects/team%2Fweb%2Fapp/variables',
    body: {
      key: 'NEW_KEY',
      value: 'long-enough',
      protected: true,
      masked: true,
      raw: false,
      variable_type: 'env_var',
      environment_scope: 'review/*',
      description: '',
    },
  });
});

test('what the server refuses is shown and the form stays', async () => {
  refuse = "field 'value' cannot be masked";
  await show();
  button('Add variable').click();
  flushSync();
  type('key', 'K');
  button('Save').click();
  await tick();
  expect(document.querySelector('[role=alert]')?.textContent).toContain('cannot be masked');
  expect(button('Save').disabled).toBe(false);
});

test('a variable of a group is deleted where it is, with its scope', async () => {
  stored = [variable({ environment_scope: 'review/*' })];
  vi.stubGlobal('confirm', () => true);
  await show();
  const owner = document.querySelector('select');
  if (owner === null) throw new Error('no choice of owners');
  owner.value = '1';
  owner.dispatchEvent(new Event('change', { bubbles: true }));
  flushSync();
  await tick();
  button('Delete TOKEN').click();
  await tick();
  expect(asked.find((one) => one.method === 'DELETE')?.url).toBe(
    '/api/v4/groups/team%2Fweb/variables/TOKEN?filter%5Benvironment_scope%5D=review%2F*',
  );
});

test('an edited variable goes back as it came; an empty hidden value is left alone', async () => {
  await show();
  const plain = variable({ masked: true, raw: true, variable_type: 'file', description: 'x' });
  expect(bodyOf(formOf(plain), plain)).toEqual({
    value: 'plain-value',
    protected: false,
    masked: true,
    raw: true,
    variable_type: 'file',
    environment_scope: '*',
    description: 'x',
  });
  const hidden = variable({ value: null, hidden: true, masked: true });
  expect(bodyOf(formOf(hidden), hidden)).not.toHaveProperty('value');
  expect(bodyOf({ ...formOf(hidden), value: 'another' }, hidden).value).toBe('another');
  expect(bodyOf({ ...formOf(null), visibility: 'hidden' }, null).masked_and_hidden).toBe(true);
});
