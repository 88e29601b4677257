// Line coverage from what V8 wrote into NODE_V8_COVERAGE, merged over all processes of a test run.
//
// A line counts when it holds more than white space and comments. It is covered when any process ran any part of it.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// For each character whether it was run. V8 lists outer ranges before the inner ones that correct them.
function ranCharacters(length, functions) {
  const ran = new Uint8Array(length).fill(1);
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  return ran;
}

function* linesThatCount(source) {
  let offset = 0;
  for (const line of source.split('\n')) {
    const text = line.trim();
    const start = offset + line.indexOf(text);
    if (text !== '' && !text.startsWith('//')) yield [start, start + text.length];
    offset += line.length + 1;
  }
}

export function lineCoverage(folder, rawFolder) {
  const reports = readdirSync(rawFolder).map((name) => JSON.parse(readFileSync(join(rawFolder, name), 'utf8')));
  let lines = 0;
  let covered = 0;
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
    const path = join(folder, name);
    const url = pathToFileURL(resolve(path)).href;
    const source = readFileSync(path, 'utf8');
    const runs = reports.flatMap((report) => report.result.filter((script) => script.url === url))
      .map((script) => ranCharacters(source.length, script.functions));
    for (const [start, end] of linesThatCount(source)) {
      lines += 1;
      if (runs.some((ran) => ran.subarray(start, end).includes(1))) covered += 1;
    }
  }
  return lines === 0 ? 0 : (100 * covered) / lines;
}
