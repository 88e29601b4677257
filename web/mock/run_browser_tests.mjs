// Runs the browser tests against the mock server: those of tests/browser, which also run against a real server, and those
// that need a scripted one. Needs dist/ (npm run build).
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startMock } from './server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const shared = fileURLToPath(new URL('../../tests/browser/', import.meta.url));
const tests = [shared, here].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => folder + name),
);
const { server, url } = await startMock({ stepMs: 300 });
const run = spawn(process.execPath, ['--test', '--test-concurrency=1', ...tests], {
  stdio: 'inherit',
  env: { ...process.env, SLIPWAY_URL: url },
});
run.on('exit', (code) => {
  server.closeAllConnections();
  server.close();
  process.exitCode = code ?? 1;
});
