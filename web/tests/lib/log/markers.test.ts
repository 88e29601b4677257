import { describe, expect, it } from 'vitest';
import {
  isContinuation,
  markersIn,
  withoutMarkers,
  withoutTimestamp,
} from '../../../src/lib/log/markers';

const esc = '\u001b';

describe('section markers', () => {
  it('are found with their time and options, several in a line', () => {
    const line = `section_end:160:a\r${esc}[0Ksection_start:170:b.c-d_e[collapsed=true]\r${esc}[0KHead`;
    expect(markersIn(line)).toEqual([
      { kind: 'end', name: 'a', time: 160, collapsed: false },
      { kind: 'start', name: 'b.c-d_e', time: 170, collapsed: true },
    ]);
    expect(withoutMarkers(line)).toBe(`${esc}[0K${esc}[0KHead`);
  });

  it.each([
    'section_start:1:a',
    'section_start:x:a\r',
    'section_start:1:a b\r',
    'section_begin:1:a\r',
  ])('are not seen in %j', (line) => {
    expect(markersIn(line)).toEqual([]);
    expect(withoutMarkers(line)).toBe(line);
  });
});

describe("the runner's timestamps", () => {
  const stamp = '2024-05-22T12:43:46.962646Z 00';

  it('are taken off', () => {
    expect(withoutTimestamp(`${stamp}O text`)).toBe('text');
    expect(withoutTimestamp(`${stamp}E error`)).toBe('error');
    expect(withoutTimestamp(`${stamp}O start\n${stamp}O+and end`)).toBe('startand end');
  });

  it('say when a line goes on', () => {
    expect(isContinuation(`${stamp}O+rest`)).toBe(true);
    expect(isContinuation(`${stamp}O new`)).toBe(false);
    expect(isContinuation('+rest')).toBe(false);
  });

  it('that a job prints itself stay', () => {
    expect(withoutTimestamp('2024-05-22T12:43:46Z started')).toBe('2024-05-22T12:43:46Z started');
  });
});
