// What only a scripted server can show: the first run, a failed job, a server that goes away, a log of 50 MB.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  assertAccessible,
  assertFits,
  keepPicture,
  launch,
  openPage,
  signIn,
  sizes,
} from '../../tests/browser/browser.mjs';
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

it('a list of pipelines grows while it is scrolled, is filtered, searched and walked by keys', async () => {
  const { url, world } = await mock();
  for (let id = 50; id < 110; id++)
    world.pipelines.push({
      ...world.pipelines[0],
      id,
      iid: id,
      source: id % 2 === 0 ? 'web' : 'push',
      commit: { ...world.pipelines[0].commit, title: `Change ${id}` },
    });
  const { page, complaints } = await openPage(browser);
  await signIn(page, url);
  await page.goto(`${url}/demo/shop`);
  await page.getByText('Change 109').waitFor();
  const rows = page.locator('[data-pipeline]');
  assert.ok((await rows.count()) < 90);
  while ((await page.locator('[data-pipeline="1"]').count()) === 0)
    await rows.last().scrollIntoViewIfNeeded();
  assert.equal(await rows.count(), 92);

  await page.keyboard.press('/');
  await page.keyboard.type('Change 10');
  await page.keyboard.press('Enter');
  await page.waitForURL(/search=Change\+10/);
  await page.getByText('10 pipelines').waitFor();
  await page.getByLabel('Event').selectOption('web');
  await page.getByText('5 pipelines').waitFor();
  await keepPicture(page, 'pipelines-filtered');
  await page.locator('h1').click();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Change 106');
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await page.getByText('92 pipelines').waitFor();
  assert.deepEqual(complaints, []);
});

it('the projects whose default branch is red stand first, with since when and by whom', async () => {
  const { url, world } = await mock();
  const { page, complaints } = await openPage(browser);
  await signIn(page, url);
  await page.getByText('Nothing is failing.').waitFor();
  const last = world.projects[0].last_pipeline;
  Object.assign(last, { status: 'failed', reason: { code: 'failed', text: "job 'test' failed" } });
  world.tell('pipeline', last);
  const failing = page.locator('[data-failing="demo/shop"]');
  await failing.waitFor();
  assert.match(await failing.innerText(), /job 'test' failed[^]*red since #30 by admin/);
  assert.match(await page.title(), /^✗/);
  await assertAccessible(page);
  await keepPicture(page, 'projects-failing');

  Object.assign(last, { status: 'success' });
  world.tell('pipeline', last);
  await failing.waitFor({ state: 'detached' });
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

it('a pipeline tells where its time went', async () => {
  const { url, world } = await mock();
  const jobs = world.jobs.filter((one) => one.pipeline.id === 30);
  const start = Math.floor(Date.now() / 1000) - 3600;
  const at = (seconds) => new Date((start + seconds) * 1000).toISOString();
  const times = { build: [0, 2, 22], lint: [0, 1, 5], test: [22, 30, 60], e2e: [22, 24, 30] };
  for (const one of jobs) {
    const [queued, started, finished] = times[one.name] ?? [null, null, null];
    Object.assign(one, { queued_at: queued === null ? null : at(queued) });
    Object.assign(one, { started_at: started === null ? null : at(started) });
    Object.assign(one, { finished_at: finished === null ? null : at(finished) });
    if (started === null) one.status = 'skipped';
  }
  const pipeline = world.pipelines.find((one) => one.id === 30);
  Object.assign(pipeline, { started_at: at(0), finished_at: at(60) });
  const [build] = jobs;
  const section = (name, from, to) =>
    `section_start:${start + from}:${name}\r\nwork\nsection_end:${start + to}:${name}\r\n`;
  world.logs.set(
    build.id,
    section('get_sources', 2, 7) +
      section('step_script', 7, 20) +
      section('upload_artifacts_on_success', 20, 22),
  );
  world.logs.set(jobs.find((one) => one.name === 'test').id, 'no sections\n');
  const { page, complaints } = await openPage(browser);
  await signIn(page, url);
  await page.goto(`${url}/demo/shop/-/pipelines/30`);
  await page.getByRole('link', { name: 'Time', exact: true }).click();
  await page.waitForURL(/view=time/);
  await page.locator('[data-bar="build"][data-critical]').waitFor();
  assert.equal(await page.locator('[data-bar="lint"][data-critical]').count(), 0);
  await page.getByText('The longest way took 1 m 00 s').waitFor();
  const times_ = page.locator('[data-path-times]');
  await times_.getByText('checkout').waitFor();
  assert.match(
    await times_.innerText(),
    /waiting for a runner\s+10 s[^]*checkout\s+5 s[^]*scripts\s+13 s[^]*artifacts out\s+2 s[^]*no section says\s+30 s/,
  );
  await page.getByText('No parts are known of test').waitFor();
  await page.getByText('Never started: security (Skipped), deploy (Skipped)').waitFor();
  await assertAccessible(page);
  await keepPicture(page, 'waterfall');
  await page.setViewportSize(sizes.phone);
  await assertFits(page);
  await keepPicture(page, 'waterfall-phone');
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

it('a server that answers 503 is told of, and the page goes on by itself when it answers again', async () => {
  const { url, world } = await mock();
  const { page } = await openPage(browser);
  await signIn(page, url);
  world.trouble.status = 503;
  await page.getByRole('link', { name: 'demo/shop', exact: true }).click();
  await page.getByRole('alert').getByText('Out of order', { exact: false }).first().waitFor();
  await page.getByText('The connection to the server is lost', { exact: false }).waitFor();
  await keepPicture(page, 'server-503');
  world.trouble.status = null;
  await page.locator('[data-pipeline]').first().waitFor({ timeout: 40_000 });
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await page
    .getByText('The connection to the server is lost', { exact: false })
    .waitFor({ state: 'detached' });
});

it('a server that is started again is found without a click', async () => {
  const first = await mock();
  const { page } = await openPage(browser);
  await signIn(page, first.url);
  await page.goto(`${first.url}/demo/shop/-/pipelines/5`);
  await page.locator('[data-job]').first().waitFor();
  first.server.closeAllConnections();
  await new Promise((resolve) => first.server.close(resolve));
  const lost = page.getByText('The connection to the server is lost', { exact: false });
  await lost.waitFor();
  const again = await mock({ port: Number(new URL(first.url).port) });
  await lost.waitFor({ state: 'detached', timeout: 40_000 });
  const job = again.world.jobs.find((one) => one.pipeline.id === 5 && one.name === 'deploy');
  again.world.setJob(job, 'success');
  await page.locator('[data-job="deploy"][data-status="success"]').waitFor();
});

it('a slow server is waited for, and the page says so', async () => {
  const { url, world } = await mock();
  const { page } = await openPage(browser);
  await signIn(page, url);
  world.trouble.delayMs = 6000;
  await page.getByRole('link', { name: 'demo/shop', exact: true }).click();
  await page.getByText('The server is slow to answer', { exact: false }).waitFor();
  await page.locator('[data-pipeline]').first().waitFor();
  world.trouble.delayMs = 0;
});

it('from one failed job the next is one key away', async () => {
  const { url } = await mock();
  const { page, complaints } = await openPage(browser);
  await signIn(page, url);
  await page.goto(`${url}/demo/shop/-/pipelines/5`);
  await page.locator('[data-job="lint"]').waitFor();
  await page.keyboard.press('f');
  await page.getByRole('heading', { level: 1, name: 'lint' }).waitFor();
  await page.keyboard.press('f');
  await page.getByRole('heading', { level: 1, name: 'test' }).waitFor();
  await page.getByRole('button', { name: 'Keys' }).click();
  await page.getByText('Next failed job of the pipeline').waitFor();
  assert.deepEqual(complaints, []);
});

it('tokens are made, shown once, and revoked', async () => {
  const { url } = await mock();
  const { page, complaints } = await openPage(browser);
  await signIn(page, url);
  await page.getByRole('link', { name: 'Settings admin' }).click();
  await page.getByText('You have no token.').waitFor();
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name').fill('laptop');
  await page.getByLabel('read', { exact: true }).check();
  await page.getByLabel('Days until it expires').fill('30');
  await page.getByRole('button', { name: 'Create token' }).click();
  await page.getByText(/^glpat-/).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  const token = page.locator('[data-token="laptop"]');
  assert.match(await token.innerText(), /read\s+created just now[^]*never used[^]*expires/);
  assert.equal(await page.getByText(/^glpat-/).count(), 0);
  await assertAccessible(page);
  await keepPicture(page, 'settings');
  await page.setViewportSize(sizes.phone);
  await assertFits(page);
  await keepPicture(page, 'settings-phone');
  page.on('dialog', (dialog) => dialog.accept());
  await token.getByRole('button', { name: 'Revoke laptop' }).click();
  await token.waitFor({ state: 'detached' });
  assert.deepEqual(complaints, []);
});

it('the language is that of the browser, until somebody chooses another', async () => {
  const { url } = await mock();
  const { page, complaints } = await openPage(browser, { locale: 'zh-CN' });
  await page.goto(`${url}/-/settings`);
  await page.getByLabel('用户名').fill('admin');
  await page.getByLabel('密码').fill('correct horse');
  await page.getByRole('button', { name: '登录' }).click();
  await page.getByRole('heading', { level: 1, name: '设置' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  await page.goto(`${url}/demo/shop`);
  await page.locator('[data-pipeline] [data-status]', { hasText: '通过' }).first().waitFor();
  await assertAccessible(page);
  await keepPicture(page, 'pipelines-chinese');
  await page.goto(`${url}/-/settings`);
  await page.getByLabel('语言').selectOption('en');
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
  await page.getByLabel('Language').selectOption('');
  await page.getByRole('heading', { level: 1, name: '设置' }).waitFor();
  assert.deepEqual(complaints, []);
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
