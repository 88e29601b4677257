// What only a scripted server can show: the first run, a failed job, a server that goes away, a log of 50 MB.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keepPicture, launch, openPage, signIn } from '../../tests/browser/browser.mjs';
import { startMock } from './server.mjs';

let browser;
const mocks = [];

async function mock(options) {
  const started = await startMock({ stepMs: 50, ...options });
  mocks.push(started);
  return started;
}

before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
  for (const { server } of mocks) {
    server.closeAllConnections();
    server.close();
  }
});

it('the first run leads from nothing to a project and a runner', async () => {
  const { url } = await mock({ fresh: true });
  const { page, complaints } = await openPage(browser);
  await page.goto(url);
  await page.getByLabel('Setup token').fill('slst-mock');
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('correct horse');
  await keepPicture(page, 'setup');
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await page.getByText('glpat-mock').waitFor();
  await page.getByRole('link', { name: 'Go to the projects' }).click();

  await page.getByText('No project yet').waitFor();
  await page.getByRole('button', { name: 'Add project' }).first().click();
  await page.getByLabel('Path').fill('team/service');
  await page.getByLabel('Repository address').fill('https://git.example.test/team/service.git');
  await page.locator('form').getByRole('button', { name: 'Add project' }).click();
  await page.getByText(/^whsec-/).waitFor();
  await keepPicture(page, 'project-added');
  await page.getByRole('link', { name: 'Open the project' }).click();
  await page.getByText('No pipeline yet').waitFor();

  await page.getByRole('link', { name: 'Runners' }).click();
  await page.getByText('No runner yet').waitFor();
  await page.getByRole('button', { name: 'New runner' }).first().click();
  await page.getByLabel('Description').fill('host');
  await page.getByRole('button', { name: 'Create runner' }).click();
  await page.getByText(new RegExp(`^slipway runner register --url ${url} --token glrt-`)).waitFor();
  await keepPicture(page, 'runner-created');
  assert.deepEqual(complaints, []);
});

it('a wrong password is refused in words', async () => {
  const { url } = await mock();
  const { page } = await openPage(browser);
  await page.goto(`${url}/demo/shop/-/jobs/1000#L2`);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page
    .getByRole('alert')
    .getByText('user name or password is wrong', { exact: false })
    .waitFor();
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.line.chosen').waitFor();
  assert.equal(new URL(page.url()).hash, '#L2');
});

it('a failed job opens at its first error and can be retried in place', async () => {
  const { url } = await mock();
  const { page, complaints } = await openPage(browser);
  await signIn(page, url);
  await page.goto(`${url}/demo/shop/-/pipelines/5`);
  await page.locator('[data-job="test"]').getByRole('link').click();
  const marked = page.locator('.line.marked');
  await marked.waitFor();
  assert.match(await marked.innerText(), /half cents go up/);
  await page.keyboard.press('n');
  await page.locator('.line.marked', { hasText: '1 failed' }).waitFor();

  await page.getByRole('link', { name: 'Pipeline #5' }).click();
  await page.getByRole('button', { name: 'Retry test' }).click();
  await page.locator('[data-job="test"][data-status="success"]').waitFor();
  assert.deepEqual(complaints, []);
});

it('a running pipeline is canceled in place', async () => {
  const { url } = await mock({ stepMs: 400 });
  const { page, complaints } = await openPage(browser);
  await signIn(page, url);
  await page.goto(`${url}/demo/shop`);
  await page.getByRole('button', { name: 'Run pipeline' }).click();
  await page.locator('[data-job="build"][data-status="running"]').waitFor();
  await page.getByRole('button', { name: 'Cancel pipeline' }).click();
  await page.locator('[data-job="deploy"][data-status="canceled"]').waitFor();
  assert.match(await page.title(), /^⊘/);
  assert.deepEqual(complaints, []);
});

it('an invalid file is explained with place and hint', async () => {
  const { url } = await mock();
  const { page } = await openPage(browser);
  await signIn(page, url);
  await page.goto(`${url}/demo/shop/-/pipelines/41`);
  const finding = page.locator('[data-severity="error"]');
  await finding.waitFor();
  assert.match(
    await finding.innerText(),
    /unknown keyword 'scripts'[^]*did you mean 'script'\?[^]*\.gitlab-ci\.yml:12:3/,
  );
});

describe('when the server goes away', () => {
  it('the page says so, and catches up when it is back', async () => {
    const first = await mock();
    const { page } = await openPage(browser);
    await signIn(page, first.url);
    await page.goto(`${first.url}/demo/shop`);
    await page.locator('[data-pipeline]').first().waitFor();
    first.server.closeAllConnections();
    await new Promise((resolve) => first.server.close(resolve));
    await page.getByText('The connection to the server is lost', { exact: false }).waitFor();
    await keepPicture(page, 'offline');

    const { port } = new URL(first.url);
    await mock({ port: Number(port) });
    await page.getByRole('button', { name: 'Reconnect now' }).click();
    await page
      .getByText('The connection to the server is lost', { exact: false })
      .waitFor({ state: 'detached' });
    assert.ok((await page.locator('[data-pipeline]').count()) > 0);
  });
});

it('a log of 50 MB is shown, jumped through, and drawn only where it is seen', async (test) => {
  const { url, world } = await mock();
  const id = world.jobs.find((job) => job.status === 'success').id;
  world.logs.set(
    id,
    Array.from(
      { length: 500_000 },
      (_, i) => `line ${i + 1} \u001b[32m${'x'.repeat(84)}\u001b[0m\n`,
    ).join(''),
  );
  const { page, complaints } = await openPage(browser);
  page.setDefaultTimeout(60_000);
  await signIn(page, url);
  const begun = Date.now();
  await page.goto(`${url}/demo/shop/-/jobs/${id}#L400000`);
  await page.locator('.line.chosen', { hasText: 'line 400000 ' }).waitFor();
  test.diagnostic(`line 400,000 of 500,000 shown after ${Date.now() - begun} ms`);

  const drawn = await page.locator('.log .line').count();
  assert.ok(drawn < 150, `${drawn} lines are in the document`);
  await page.getByRole('button', { name: 'To the end' }).click();
  await page.locator('.line', { hasText: 'line 500000 ' }).waitFor();
  await page.getByRole('button', { name: 'To the top' }).click();
  await page.locator('.line', { hasText: /line 1 x/ }).waitFor();
  assert.deepEqual(complaints, []);
});

it('a log of a million lines opens at its first error, and is searched and read with little memory', async (test) => {
  const { url, world } = await mock();
  const id = world.jobs.find((job) => job.status === 'failed').id;
  const part = Array.from({ length: 1000 }, () => `${'x'.repeat(140)}\n`).join('');
  world.logs.set(
    id,
    Buffer.concat([
      ...Array.from({ length: 600 }, () => Buffer.from(part)),
      Buffer.from(`\u001b[31mERROR: the needle\u001b[0m\n${'long '.repeat(1_000_000)}\n`),
      ...Array.from({ length: 400 }, () => Buffer.from(part)),
      Buffer.from('the very end\n'),
    ]),
  );
  const { page, complaints } = await openPage(browser);
  page.setDefaultTimeout(60_000);
  await signIn(page, url);
  const begun = Date.now();
  await page.goto(`${url}/demo/shop/-/jobs/${id}`);
  await page.getByText('the very end').first().waitFor();
  test.diagnostic(`the end of 145 MB shown after ${Date.now() - begun} ms`);
  await page.locator('.line.marked', { hasText: 'ERROR: the needle' }).waitFor();
  test.diagnostic(`the first error, line 600,001, shown after ${Date.now() - begun} ms`);
  await page.locator('[data-line="600002"] .control', { hasText: '5.0 MB more' }).waitFor();
  await page.getByText('1000003 lines').waitFor();
  test.diagnostic(`all of it read after ${Date.now() - begun} ms`);

  const jumped = Date.now();
  await page.goto(`${page.url()}#L250000`);
  await page.locator('.line.chosen .text:not(.coming)').waitFor();
  test.diagnostic(`line 250,000 shown after ${Date.now() - jumped} ms`);

  await page.keyboard.press('/');
  await page.keyboard.type('the very');
  await page.keyboard.press('Enter');
  const found = page.getByRole('list', { name: 'Lines found' }).getByRole('button');
  await found.first().waitFor();
  assert.match(await found.first().innerText(), /1000003\s*the very end/);
  assert.equal(new URL(page.url()).searchParams.get('q'), 'the very');
  await page.keyboard.press('Enter');
  await page.locator('.line.marked', { hasText: 'the very end' }).waitFor();
  await keepPicture(page, 'log-search');

  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  test.diagnostic(`script heap ${(usedSize / 1e6).toFixed(1)} MB`);
  assert.ok(usedSize < 100e6, `${usedSize} bytes of script heap`);
  assert.deepEqual(complaints, []);
});

it('a log wraps, folds, is copied by lines, and tells its keys', async () => {
  const { url, world } = await mock();
  const id = world.jobs.find((job) => job.name === 'test' && job.status === 'success').id;
  world.logs.set(id, `${world.logs.get(id)}${'wide '.repeat(200)}end\n`);
  const { page, complaints, context } = await openPage(browser);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, url);
  await page.goto(`${url}/demo/shop/-/jobs/${id}#L1-L2`);
  await page.locator('.line.chosen').nth(1).waitFor();
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, 'Running with slipway 0.1.0\n  on build-host');

  await page.getByRole('button', { name: 'Hide all sections' }).click();
  await page.locator('.line', { hasText: 'Using image base' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Show all sections' }).click();
  await page.locator('.line', { hasText: 'Using image base' }).waitFor();

  await page.keyboard.press('w');
  await page.getByRole('button', { name: 'To the end' }).click();
  const wide = page.locator('.line', { hasText: 'wide wide' });
  await wide.waitFor();
  const box = await wide.boundingBox();
  const log = await page.locator('.log').boundingBox();
  assert.ok(box.height > 100 && box.width <= log.width, `${box.width}x${box.height}`);
  assert.ok(Math.abs(box.y + box.height - log.y - log.height) < 3, 'the last line is at the end');
  await keepPicture(page, 'log-wrapped');
  await page.getByRole('button', { name: 'To the top' }).click();
  await page.locator('[data-line="1"]').waitFor();

  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Keys' }).waitFor();
  await page.getByText('Next error of a failed job').waitFor();
  await keepPicture(page, 'keys');
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.waitForURL(/\/-\/runners$/);
  assert.deepEqual(complaints, []);
});
