import { describe, expect, it } from 'vitest';
import { LogText } from '../../../src/lib/log/log_text';

const esc = '\u001b';

function read(...pieces: string[]): LogText {
  const log = new LogText();
  for (const piece of pieces) log.append(piece);
  return log;
}
const lines = (log: LogText) =>
  Array.from({ length: log.lineCount }, (_, index) => log.line(index));

const sample =
  `Running\n${esc}[0Ksection_start:100:prepare\r${esc}[0K${esc}[36mPreparing${esc}[0m\nimage\n` +
  `${esc}[0Ksection_end:103:prepare\r${esc}[0K${esc}[0Ksection_start:103:script\r${esc}[0KScript\n` +
  `${esc}[31mred\nstill red${esc}[0m\n${esc}[0Ksection_end:110:script\r${esc}[0K\nJob succeeded\n`;

describe('a log', () => {
  it('has its lines, the unfinished one too', () => {
    expect(lines(read('a\nb\nc'))).toEqual(['a', 'b', 'c']);
    expect(lines(read('a\n'))).toEqual(['a']);
    expect(lines(read('a\n\nb'))).toEqual(['a', '', 'b']);
    expect(lines(read(''))).toEqual([]);
  });

  it('is the same however it is cut into pieces', () => {
    const whole = read(sample);
    for (let at = 1; at < sample.length; at++) {
      const cut = read(sample.slice(0, at), sample.slice(at));
      expect(lines(cut), `cut at ${at}`).toEqual(lines(whole));
      expect(cut.sections, `cut at ${at}`).toEqual(whole.sections);
      expect(cut.markerLines).toEqual(whole.markerLines);
      expect(cut.lineStyle(5)).toEqual(whole.lineStyle(5));
    }
    expect(lines(read(...sample))).toEqual(lines(whole));
  });

  it('knows its sections, where they fold and how long they took', () => {
    expect(read(sample).sections).toEqual([
      { name: 'prepare', first: 1, last: 2, startTime: 100, endTime: 103, collapsed: false },
      { name: 'script', first: 3, last: 6, startTime: 103, endTime: 110, collapsed: false },
    ]);
  });

  it('knows which lines hold only markers', () => {
    expect(read(sample).markerLines).toEqual([6]);
  });

  it('knows the colour that each line starts with', () => {
    const log = read(sample);
    expect(log.lineStyle(4).fg).toBeNull();
    expect(log.lineStyle(5).fg).toBe(1);
    expect(log.lineStyle(6).fg).toBeNull();
  });

  it('closes sections that were left open inside another', () => {
    const log = read('section_start:1:a\rA\nsection_start:2:b\rB\nx\nsection_end:9:a\r\nafter\n');
    expect(log.sections.map(({ name, last, endTime }) => [name, last, endTime])).toEqual([
      ['a', 3, 9],
      ['b', 3, 9],
    ]);
  });

  it('ignores the end of a section that never began', () => {
    expect(read('section_end:9:a\rtext\n').sections).toEqual([]);
  });

  it('leaves a section open while the job runs', () => {
    expect(read('section_start:1:a\rA\nx\n').sections[0]).toMatchObject({
      last: null,
      endTime: null,
    });
  });

  it('joins the parts of a line that the runner stamped', () => {
    const stamp = '2024-05-22T12:43:46.962646Z 00O';
    expect(lines(read(`${stamp} one\n${stamp}+ more\n${stamp} two\n`))).toEqual([
      'one more',
      'two',
    ]);
  });

  it('of a million lines takes little more than its text, and answers any line', () => {
    const log = new LogText();
    const piece = Array.from({ length: 1000 }, (_, i) => `line ${i} ${'x'.repeat(40)}\n`).join('');
    for (let i = 0; i < 1000; i++) log.append(piece);

    expect(log.lineCount).toBe(1_000_000);
    expect(log.line(999_999)).toMatch(/^line 999 x+$/);
    expect(log.line(123_456)).toMatch(/^line 456 x+$/);
  });

  it('finds lines by a pattern, across pieces, until it is told to stop', () => {
    const log = read('a\nbad 1\n', 'b\nbad 2\nbad 2 again bad\nb', 'ad 3\n');
    const found: number[] = [];
    log.forEachCandidate(/bad/g, (line) => found.push(line) < 2);
    expect(found).toEqual([1, 3]);
  });
});
