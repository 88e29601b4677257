// The flow of a day, clicked through in a real browser: sign in, start a pipeline, watch it live to its end, read a log
// while it grows, find the coverage and the job that a rule left out; by mouse and by keyboard, on a desk and on a phone.
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
} from './browser.mjs';
import { expected, server } from './expectations.mjs';

const projectPage = `${server.url}/${expected.project}`;
const card = (page, job) => page.locator(`[data-job="${job}"]`);

let browser;
let session;
let desk;
let finished;

before(async () => {
  browser = await launch();
  desk = await openPage(browser);
  await signIn(desk.page);
  session = await desk.context.storageState();
});
after(() => browser?.close());

describe('a pipeline', () => {
  it('is started from its project and shows its jobs', async () => {
    const { page } = desk;
    await page.getByRole('link', { name: expected.project, exact: true }).click();
    await page.getByRole('button', { name: 'Run pipeline' }).click();
    await page.waitForURL(/\/-\/pipelines\/\d+$/);
    await card(page, expected.firstJob).waitFor();
    finished = page.url();
    // Lost if the page is ever loaded anew.
    await page.evaluate(() => (window.sameDocument = true));
  });

  it('opens the log of a running job, which grows without a reload', async () => {
    const { page } = desk;
    const watched = page.locator(`[data-job="${expected.watchedJob}"][data-status="running"]`);
    await watched.waitFor({ timeout: expected.pipelineMs });
    await keepPicture(page, 'pipeline-running');
    await watched.getByRole('link').click();
    await page.locator('.log .line').first().waitFor();
    await keepPicture(page, 'job-running');
    await page.locator('[data-status="success"]').first().waitFor({ timeout: expected.pipelineMs });

    assert.equal(await page.evaluate(() => window.sameDocument), true);
  });

  it('has a log with sections that fold, colours, and links to lines', async () => {
    const { page } = desk;
    await page.getByRole('button', { name: 'To the top' }).click();
    const fold = page.locator('.log .fold').first();
    await fold.waitFor();
    const before = await page.locator('.log .number').allTextContents();
    await fold.click();
    assert.equal(await fold.getAttribute('aria-expanded'), 'false');
    assert.notDeepEqual(await page.locator('.log .number').allTextContents(), before);
    await fold.click();

    assert.ok((await page.locator('.log .text span[class*="f-"]').count()) > 0, 'no coloured text');
    await page.locator('.log .number', { hasText: /^2$/ }).click();
    await page.locator('.log .number', { hasText: /^4$/ }).click({ modifiers: ['Shift'] });
    assert.equal(new URL(page.url()).hash, '#L2-L4');
    await page.locator('.log .line.chosen').nth(2).waitFor();
    await keepPicture(page, 'job-finished');
  });

  it('ends live, and the tab says so', async () => {
    const { page } = desk;
    await page.getByRole('link', { name: /^Pipeline #/ }).click();
    await page.locator('header [data-status="success"]').waitFor({ timeout: expected.pipelineMs });

    assert.equal(await page.evaluate(() => window.sameDocument), true);
    assert.match(await page.title(), /^✓ Pipeline #\d+/);
    assert.match(await page.locator('link[rel="icon"]').getAttribute('href'), /^data:image\/svg/);
    assert.match(await page.locator('[data-coverage]').innerText(), expected.coverage);
    await keepPicture(page, 'pipeline-finished');
  });

  it('stands in the list of its project with its coverage', async () => {
    const { page } = desk;
    await page.goto(projectPage);
    const row = page.locator('[data-pipeline]').first();
    await row.locator('[data-status="success"]').waitFor();
    assert.match(await row.innerText(), expected.coverage);
    await keepPicture(page, 'pipelines');
  });

  it('adds a point to the chart of coverage over time', async () => {
    const { page } = desk;
    await page.getByRole('link', { name: 'Coverage', exact: true }).click();
    await page.locator('canvas').waitFor();
    assert.match(await page.locator('#content').innerText(), expected.coverage);
    await keepPicture(page, 'coverage');
  });

  it('has its tests, the failed ones first, each with what it said and how it went before', async () => {
    const { page, complaints } = await openPage(browser, { session });
    await page.goto(finished);
    await page.getByRole('link', { name: 'Tests', exact: true }).click();
    await page.locator('[data-test-sum]').waitFor();
    assert.match(await page.locator('[data-test-sum]').innerText(), /4 tests in .*1 failed/s);
    const rows = page.getByRole('list', { name: 'Tests' }).locator('summary');
    assert.match(await rows.first().innerText(), /Failed\s+adds the tax\s+new/);
    await rows.first().click();
    await page.getByText('expected 119 to equal 120').waitFor();
    await page.getByRole('list', { name: 'The last reports of this job' }).waitFor();
    await keepPicture(page, 'pipeline-tests');
    await assertAccessible(page);

    await page.getByLabel('Result').selectOption('flaky');
    await page.waitForURL(/result=flaky/);
    await rows.getByText('waits for the stock').waitFor();
    await page.locator('summary', { hasText: 'adds the tax' }).waitFor({ state: 'detached' });
    await page.getByRole('searchbox', { name: 'Search tests' }).fill('no such');
    await page.keyboard.press('Enter');
    await page.getByText('No test fits').waitFor();
    await page.setViewportSize(sizes.phone);
    await page.goto(`${projectPage}/-/tests`);
    await page.getByText('waits for the stock').waitFor();
    await assertFits(page);
    await assertAccessible(page);
    assert.deepEqual(complaints, []);
  });

  it('has the coverage of its files, the worst first, each with the lines that did not run', async () => {
    const { page, complaints } = await openPage(browser, { session });
    await page.goto(finished);
    await page.getByRole('link', { name: 'Coverage', exact: true }).click();
    await page.locator('[data-coverage-sum]').waitFor();
    assert.match(
      await page.locator('[data-coverage-sum]').innerText(),
      /69\.62 %.*55 of 79 lines.*3 files/s,
    );
    await page.locator('[data-comparison]').waitFor();
    const rows = page.getByRole('list', { name: 'Files by coverage' }).locator('summary');
    assert.match(await rows.first().innerText(), /src\/ship\.js.*6 of 20 lines.*30\.00 %/s);
    await rows.first().click();
    await page.getByRole('list', { name: 'Lines that did not run' }).getByText('7–20').waitFor();
    await keepPicture(page, 'pipeline-coverage');
    await assertAccessible(page);

    await page.getByRole('searchbox', { name: 'Search files' }).fill('tax');
    await page.keyboard.press('Enter');
    await page.locator('summary', { hasText: 'src/ship.js' }).waitFor({ state: 'detached' });
    await page.setViewportSize(sizes.phone);
    await assertFits(page);
    await assertAccessible(page);
    assert.deepEqual(complaints, []);
  });

  it('has what scanners found, the new findings first, each with its place and what to do', async () => {
    const { page, complaints } = await openPage(browser, { session });
    await page.goto(finished);
    await page.getByRole('link', { name: 'Security', exact: true }).click();
    await page.locator('[data-severities]').waitFor();
    assert.match(
      await page.locator('[data-severities]').innerText(),
      /1\s+Critical\s+1\s+High\s*$/,
    );
    assert.match(await page.locator('[data-states]').innerText(), /1 new.*1 known.*1 fixed/s);
    const rows = page
      .getByRole('list', { name: 'Findings, the new ones first' })
      .locator('summary');
    assert.match(
      await rows.first().innerText(),
      /Critical\s+New\s+SQL text built from a request\s+src\/basket\.js:41/,
    );
    await rows.first().click();
    await page.getByText('Bind the value instead.').waitFor();
    await page.getByText('semgrep.sql-injection, CWE-89').waitFor();
    await keepPicture(page, 'pipeline-security');
    await assertAccessible(page);

    await page.getByLabel('State').selectOption('fixed');
    await page.waitForURL(/state=fixed/);
    await rows.getByText("'unused' is never used").waitFor();
    await page.locator('summary', { hasText: 'SQL text' }).waitFor({ state: 'detached' });
    await page.getByRole('searchbox', { name: 'Search findings' }).fill('no such');
    await page.keyboard.press('Enter');
    await page.getByText('No finding fits').waitFor();
    await page.setViewportSize(sizes.phone);
    await page.goto(`${finished}?view=security`);
    await rows.first().waitFor();
    await assertFits(page);
    await assertAccessible(page);
    assert.deepEqual(complaints, []);
  });

  it('has its file in the editor, where a mistake is found while it is typed, and mended', async () => {
    const { page, complaints } = await openPage(browser, { session });
    await page.goto(`${projectPage}/-/editor`);
    const text = page.getByRole('textbox', { name: 'Pipeline file' });
    await text.getByText('build:').first().waitFor();
    await page.locator('[data-valid="true"]').waitFor();
    await page.locator('[data-planned="build"]').waitFor();
    await text.getByText('script', { exact: true }).first().dblclick();
    await page.keyboard.type('scirpt');
    await page.locator('[data-valid="false"]').waitFor();
    await page
      .getByRole('region', { name: 'Findings' })
      .getByText(/scirpt/)
      .first()
      .waitFor();
    await keepPicture(page, 'editor-mistake');
    await assertAccessible(page);
    await page
      .getByRole('button', { name: /^line \d+$/ })
      .first()
      .click();
    for (let i = 0; i < 'scirpt'.length; i++) await page.keyboard.press('Delete');
    await page.keyboard.type('scri');
    await page.locator('.cm-tooltip-autocomplete').getByText('script', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.type('pt');
    await page.locator('[data-valid="true"]').waitFor();
    await page.getByRole('button', { name: 'Merged file' }).click();
    await page.locator('pre', { hasText: 'script' }).waitFor();
    await page.setViewportSize(sizes.phone);
    await assertFits(page);
    assert.deepEqual(complaints, []);
  });

  it('of a branch names the job that was left out, and the rule', async () => {
    const { page } = desk;
    await page.goto(`${projectPage}?ref=${encodeURIComponent(expected.branch)}`);
    await page.locator('[data-pipeline] a').first().click();
    const left = page.locator(`[data-left-out="${expected.leftOutJob}"]`);
    await left.waitFor();

    assert.match(await left.locator('code').innerText(), expected.leftOutPlace);
    assert.equal(await card(page, expected.leftOutJob).count(), 0);
    await keepPicture(page, 'pipeline-left-out');
  });

  it('is filtered by the address, which can be shared', async () => {
    const { page } = desk;
    await page.goto(projectPage);
    await page.getByLabel('State').selectOption('success');
    await page.waitForURL(/status=success/);
    await page.goBack();
    assert.equal(await page.getByLabel('State').inputValue(), '');
  });

  it('makes the page complain about nothing', () => {
    assert.deepEqual(desk.complaints, []);
  });
});

describe('by keyboard', () => {
  it('a job is reached with Tab, seen in focus, and opened with Enter', async () => {
    const { page, complaints } = await openPage(browser, { session });
    await page.goto(finished);
    await card(page, expected.firstJob).waitFor();

    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content');
    const focused = () =>
      page.evaluate(
        () => document.activeElement.closest('[data-job]')?.getAttribute('data-job') ?? null,
      );
    for (let i = 0; i < 60 && (await focused()) !== expected.firstJob; i++)
      await page.keyboard.press('Tab');
    assert.equal(await focused(), expected.firstJob);
    const outline = await page.evaluate(
      () => getComputedStyle(document.activeElement, '::after').outlineStyle,
    );
    assert.equal(outline, 'solid');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/-\/jobs\/\d+$/);
    await page.getByRole('heading', { level: 1, name: expected.firstJob }).waitFor();
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
});

for (const [name, size] of Object.entries(sizes)) {
  for (const colorScheme of ['light', 'dark']) {
    describe(`on a ${name} in ${colorScheme} colours`, () => {
      it('every page fits the window and shuts nobody out', async () => {
        const { page, complaints } = await openPage(browser, {
          size,
          colorScheme,
          session,
        });
        const visit = async (address, ready, picture) => {
          await page.goto(address);
          await page.locator(ready).first().waitFor();
          await assertFits(page);
          await assertAccessible(page);
          await keepPicture(page, `${picture}-${name}-${colorScheme}`);
        };
        await visit(server.url, 'main li', 'projects');
        await visit(projectPage, '[data-pipeline]', 'pipelines');
        await visit(`${projectPage}/-/coverage`, 'canvas', 'coverage');
        await visit(`${projectPage}/-/deliveries`, 'main h2', 'webhooks');
        await visit(finished, '[data-job]', 'pipeline');
        await visit(`${server.url}/-/runners`, '[data-runner]', 'runners');
        await page.goto(finished);
        await card(page, expected.firstJob).getByRole('link').click();
        await page.locator('.log .line').first().waitFor();
        await assertFits(page);
        await assertAccessible(page);
        await keepPicture(page, `job-${name}-${colorScheme}`);
        assert.deepEqual(complaints, []);
        await page.context().close();
      });
    });
  }
}
