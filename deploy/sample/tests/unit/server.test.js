import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createApp } from '../../src/server.js';

const app = createApp();
let address;

before(async () => {
  await new Promise((listening) => app.listen(0, '127.0.0.1', listening));
  address = `http://127.0.0.1:${app.address().port}`;
});
after(() => new Promise((closed) => {
  app.close(closed);
  app.closeAllConnections();
}));

async function post(body) {
  const response = await fetch(`${address}/quote`, { method: 'POST', body });
  return [response.status, await response.json()];
}

test('a parcel is quoted', async () => {
  const parcel = JSON.stringify({ kilograms: 1, litres: 5, zone: 'domestic' });
  assert.deepEqual(await post(parcel), [200, { cents: 510 }]);
});

test('what is no JSON is refused', async () => {
  assert.deepEqual(await post('{'), [400, { message: 'the body is not JSON' }]);
});

test('a body without end is cut off', async () => {
  assert.deepEqual(await post('"' + 'x'.repeat(20_000) + '"'), [400, { message: 'the body is too long' }]);
});
