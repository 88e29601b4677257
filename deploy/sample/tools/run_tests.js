// Runs the tests of one kind (unit or e2e), writes reports/<kind>.xml in JUnit's form, prints the line coverage of src/
// as `Coverage: NN.NN`, and ends as the tests did.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lineCoverage } from './coverage.js';

const kind = process.argv[2];
const folder = join('tests', kind);
const tests = readdirSync(folder).filter((name) => name.endsWith('.test.js')).map((name) => join(folder, name));

mkdirSync('reports', { recursive: true });
const raw = mkdtempSync(join(tmpdir(), 'coverage-'));
const run = spawnSync(process.execPath, [
  '--test',
  '--test-reporter=spec', '--test-reporter-destination=stdout',
  '--test-reporter=./tools/junit_reporter.js', `--test-reporter-destination=reports/${kind}.xml`,
  ...tests,
], { stdio: 'inherit', env: { ...process.env, NODE_V8_COVERAGE: raw } });
console.log(`Coverage: ${lineCoverage('src', raw).toFixed(2)}`);
rmSync(raw, { recursive: true });
process.exitCode = run.status ?? 1;
