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
  await page.locator('.log').focus();
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
