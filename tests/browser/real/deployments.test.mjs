// What is in production, clicked through on a real server: a deployment waits for its approval, gets it, is followed by
// another, and the first one is rolled back to.
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
} from '../browser.mjs';
import { expected, server } from '../expectations.mjs';

const environments = `${server.url}/${expected.project}/-/environments`;
const first = process.env.SLIPWAY_FIRST_SHA.slice(0, 8);
const second = process.env.SLIPWAY_SECOND_SHA.slice(0, 8);

let browser;
let session;
let desk;
const production = (page) => page.locator('[data-environment="production"]');

before(async () => {
  browser = await launch();
  desk = await openPage(browser);
  await signIn(desk.page);
  session = await desk.context.storageState();
  desk.page.on('dialog', (dialog) => dialog.accept());
});
after(() => browser?.close());

describe('deployments', () => {
  it('tell what is there and what waits for whom', async () => {
    const { page } = desk;
    await page.goto(environments);
    await production(page).getByText(first, { exact: true }).waitFor();
    await page.evaluate(() => (window.sameDocument = true));
    const upcoming = production(page).locator('[data-upcoming]');
    await upcoming.getByText(second, { exact: true }).waitFor();
    await upcoming.getByText('waits for 1 approval', { exact: true }).waitFor();
    await keepPicture(page, 'environment-waiting');
    await assertAccessible(page);
  });

  it('are approved by somebody else than who starts them', async () => {
    const { page } = desk;
    const upcoming = production(page).locator('[data-upcoming]');
    await upcoming.getByLabel('Comment').fill('looked at it');
    await upcoming.getByRole('button', { name: 'Approve' }).click();
    // By its job's end, without a reload.
    await upcoming.waitFor({ state: 'detached' });
    await production(page).locator('[data-status="success"]').getByText(second).waitFor();
    await production(page).getByText('approved by root: looked at it').waitFor();
    assert.equal(await page.evaluate(() => window.sameDocument), true);
  });

  it('are rolled back from the history, which nobody does alone', async () => {
    const { page, complaints } = desk;
    await production(page).getByRole('button', { name: 'History' }).click();
    await production(page)
      .getByRole('listitem')
      .filter({ hasText: first })
      .getByRole('button', { name: 'Roll back to this' })
      .click();
    const upcoming = production(page).locator('[data-upcoming]');
    await upcoming.getByText('rolled back', { exact: true }).waitFor();
    await upcoming.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('whoever started a deployment cannot approve it').waitFor();
    // The refusal is the answer that was wanted.
    complaints.length = 0;

    const id = await upcoming.locator('[data-deployment]').getAttribute('data-deployment');
    const answer = await fetch(
      `${server.url}/api/v4/projects/${encodeURIComponent(expected.project)}/deployments/${id}/approval`,
      {
        method: 'POST',
        headers: {
          'PRIVATE-TOKEN': process.env.SLIPWAY_SECOND_PERSON,
          'Content-Type': 'application/json',
        },
        body: '{"status": "approved"}',
      },
    );
    assert.equal(answer.status, 200);
    await upcoming.waitFor({ state: 'detached' });
    await production(page).locator('[data-status="success"]').getByText(first).first().waitFor();
    await keepPicture(page, 'environment-rolled-back');
    assert.deepEqual(complaints, []);
  });

  it('fit a phone, in the dark and in Chinese', async () => {
    const { page, complaints } = await openPage(browser, {
      size: sizes.phone,
      colorScheme: 'dark',
      locale: 'zh',
      session,
    });
    await page.goto(environments);
    await production(page).getByText(first).first().waitFor();
    await production(page).getByRole('button', { name: '历史' }).click();
    await production(page).getByRole('listitem').first().waitFor();
    await assertFits(page);
    await assertAccessible(page);
    await keepPicture(page, 'environment-phone');
    assert.deepEqual(complaints, []);
  });

  it('are stopped by the job that does it', async () => {
    const { page } = desk;
    await production(page).getByRole('button', { name: 'Stop', exact: true }).click();
    await production(page).locator('[data-state="stopped"]').waitFor();
  });
});
