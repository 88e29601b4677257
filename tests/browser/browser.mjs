// Opens Chromium, watches what a page complains about, and keeps pictures. Used by every browser test.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from '../../web/node_modules/playwright-core/index.mjs';
import { chromium as executablePath, screenshots, server } from './expectations.mjs';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const sizes = {
  desktop: { width: 1280, height: 850 },
  phone: { width: 360, height: 740 },
};

export function launch() {
  return chromium.launch({ executablePath, args: flags });
}

/** A page of its own browser profile. `complaints` fills with console errors, policy violations and exceptions. */
export async function openPage(
  browser,
  { size = sizes.desktop, colorScheme = 'light', locale = 'en', session } = {},
) {
  const context = await browser.newContext({
    viewport: size,
    colorScheme,
    locale,
    storageState: session,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    // Asking who is signed in is how the application learns that nobody is; the browser reports the answer.
    const expected =
      /\b401\b/.test(message.text()) && message.location().url.endsWith('/api/v4/user');
    if (!expected) complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  page.setDefaultTimeout(15_000);
  return { page, context, complaints };
}

export async function signIn(page, base = server.url) {
  await page.goto(`${base}/-/login`);
  await page.getByLabel('User name').fill(server.username);
  await page.getByLabel('Password').fill(server.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
}

export async function keepPicture(page, name) {
  if (screenshots === null) return;
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

const axe = await readFile(
  new URL('../../web/node_modules/axe-core/axe.min.js', import.meta.url),
  'utf8',
);

/** What axe-core knows to keep people out: contrast, names, landmarks, order. */
export async function assertAccessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const told = violations.map(
    ({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`,
  );
  assert.deepEqual(told, [], page.url());
}

/** Nothing may stick out of the window to the side. */
export async function assertFits(page) {
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(content <= window, `${page.url()} is ${content} px wide in a window of ${window} px`);
}
