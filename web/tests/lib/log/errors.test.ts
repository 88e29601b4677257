import { describe, expect, it } from 'vitest';
import { isErrorLine } from '../../../src/lib/log/errors';

const esc = '\u001b';

describe('an error', () => {
  it.each([
    'ERROR: Job failed: exit code 1',
    `${esc}[31mError: cannot find module${esc}[0m`,
    '  AssertionError: expected 1, got 2',
    'Traceback (most recent call last):',
    'main.c:3:1: error: expected ; before }',
    'fatal: not a git repository',
    'not ok 3 - rounds',
    '✗ half cents go up',
    'FAIL src/price.test.js',
    '1 failed, 60 passed',
    'Tests: 2 failures',
    'make: *** [all] failed',
    "thread 'main' panic!(oops)",
  ])('is seen in %j', (line) => {
    expect(isErrorLine(line)).toBe(true);
  });

  it.each([
    '0 errors, 0 failed',
    'no errors found',
    'errors: 0',
    'compiling error_handler.c',
    'npm install --no-fail-fast',
    '✓ shows an error page when the server is down',
    'downloading fatality.tar.gz',
    '',
  ])('is not seen in %j', (line) => {
    expect(isErrorLine(line)).toBe(false);
  });
});
