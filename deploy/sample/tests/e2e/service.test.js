// Starts the service as its image does, and talks to it over HTTP.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

let service;
let address;

before(async () => {
  service = spawn(process.execPath, ['src/main.js'], {
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(service.stdout, 'data');
  address = `http://127.0.0.1:${/port (\d+)/.exec(line)[1]}`;
});
after(() => service.kill('SIGKILL'));

test('the service says that it is well', async () => {
  const response = await fetch(`${address}/healthz`);
  assert.deepEqual(await response.json(), { status: 'ok' });
});

test('a heavy parcel around the world is quoted', async () => {
  const body = JSON.stringify({ kilograms: 29.5, litres: 100, zone: 'world' });
  const response = await fetch(`${address}/quote`, { method: 'POST', body });
  assert.deepEqual(await response.json(), { cents: 12348 });
});

test('an impossible parcel is refused with a reason', async () => {
  const body = JSON.stringify({ kilograms: 1, litres: 10, zone: 'moon' });
  const response = await fetch(`${address}/quote`, { method: 'POST', body });
  assert.equal(response.status, 400);
  assert.match((await response.json()).message, /zone must be one of/);
});

test('an unknown address answers 404', async () => {
  assert.equal((await fetch(`${address}/nowhere`)).status, 404);
});

test('SIGTERM ends the service in order', async () => {
  service.kill('SIGTERM');
  const [code, signal] = await once(service, 'exit');
  assert.deepEqual([code, signal], [0, null]);
});
