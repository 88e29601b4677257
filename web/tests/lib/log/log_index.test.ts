import { describe, expect, it } from 'vitest';
import { blockSize, LogBytes } from '../../../src/lib/log/log_bytes';
import { LogIndex } from '../../../src/lib/log/log_index';
import { longestLine, readLine } from '../../../src/lib/log/log_line';

const esc = '\u001b';
const encode = (text: string) => new TextEncoder().encode(text);

/** An index and, for looking, the bytes it was made from. */
class Log extends LogIndex {
  bytes = new LogBytes(
    () => Promise.reject(new Error('everything is in memory')),
    () => {},
    10_000,
  );

  read(bytes: Uint8Array): void {
    this.append(bytes);
    this.bytes.append(bytes);
  }

  text(line: number) {
    return readLine(this.bytes, this.lineStart(line), this.lineEnd(line));
  }
}

function read(...pieces: string[]): Log {
  const log = new Log();
  for (const piece of pieces) log.read(encode(piece));
  return log;
}
const lines = (log: Log) =>
  Array.from({ length: log.lineCount }, (_, index) => log.text(index)?.raw);

const sample =
  `Running\n${esc}[0Ksection_start:100:prepare\r${esc}[0K${esc}[36mPreparing${esc}[0m\nimage\n` +
  `${esc}[0Ksection_end:103:prepare\r${esc}[0K${esc}[0Ksection_start:103:script\r${esc}[0KScript\n` +
  `${esc}[31mred\nstill red${esc}[0m\n${esc}[0Ksection_end:110:script\r${esc}[0K\n✗ größe\nJob succeeded\n`;

describe('a log', () => {
  it('has its lines, the unfinished one too', () => {
    expect(lines(read('a\nb\nc'))).toEqual(['a', 'b', 'c']);
    expect(lines(read('a\n'))).toEqual(['a']);
    expect(lines(read('a\n\nb'))).toEqual(['a', '', 'b']);
    expect(lines(read(''))).toEqual([]);
  });

  it('is the same however it is cut into pieces', () => {
    const whole = read(sample);
    const bytes = encode(sample);
    for (let at = 1; at < bytes.length; at++) {
      const cut = new Log();
      cut.read(bytes.subarray(0, at));
      cut.read(bytes.subarray(at));
      expect(lines(cut), `cut at ${at}`).toEqual(lines(whole));
      expect(cut.sections, `cut at ${at}`).toEqual(whole.sections);
      expect(cut.markerLines).toEqual(whole.markerLines);
      expect(cut.lineStyle(5)).toEqual(whole.lineStyle(5));
      expect(cut.errors, `cut at ${at}`).toEqual(whole.errors);
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

  it('knows whether and when its lines were stamped', () => {
    const log = read('2024-05-22T12:43:46.962646Z 00O one\n');
    expect(log.stamped).toBe(true);
    expect(log.text(0)).toEqual({ raw: 'one', moment: '2024-05-22T12:43:46.962646Z', left: 0 });
    expect(read('2024-05-22 one\n').stamped).toBe(false);
  });

  it('does not count the unfinished part of a line twice', () => {
    const stamp = '2024-05-22T12:43:46.962646Z 00O';
    const log = read(`${stamp} one\n`, `${stamp}+ mo`);
    expect(log.lineCount).toBe(1);
    log.read(encode('re\n'));
    expect(lines(log)).toEqual(['one more']);
  });

  it('of a million lines keeps four bytes for each, and answers any line', () => {
    const log = new LogIndex();
    const piece = encode(
      Array.from({ length: 1000 }, (_, i) => `line ${i} ${'x'.repeat(40)}\n`).join(''),
    );
    for (let i = 0; i < 1000; i++) log.append(piece);

    expect(log.lineCount).toBe(1_000_000);
    expect(log.size).toBe(piece.length * 1000);
    expect(log.lineStart(123_000)).toBe(piece.length * 123);
    expect(log.lineEnd(999_999)).toBe(log.size - 1);
  });

  it('of many colours keeps each of them once', () => {
    const log = read(...Array.from({ length: 500 }, (_, i) => `${esc}[3${i % 8}mx\n`));
    expect(log.lineStyle(10).fg).toBe(1);
    expect(log.lineStyle(10)).toBe(log.lineStyle(18));
  });
});

describe('errors', () => {
  it('of neighbouring lines count as one', () => {
    const log = read('ok\nError: a\nError: same trace\nok\nok\nok\nok\nfatal: b\n');
    expect(log.errors).toEqual([1, 7]);
  });

  it('are found beside letters of more than one byte, and after colours', () => {
    expect(read('größe ✓\n', `${esc}[31m✗ halbe Cent${esc}[0m\n`).errors).toEqual([1]);
    expect(read('ok\n', 'ü', ' Err', 'or: cut in three\n').errors).toEqual([1]);
  });

  it('are not all kept', () => {
    expect(read('Error: x\n\n\n\n'.repeat(600)).errors).toHaveLength(500);
  });
});

describe('a line of megabytes', () => {
  const long = 'x'.repeat(5_000_000);

  it('is cut, and the colour that it ends with is known', () => {
    const log = read(`${esc}[31m${long}`, `${long}${esc}[32m\nnext\n`);
    expect(log.lineCount).toBe(2);
    expect(log.text(0)).toMatchObject({ moment: null, left: 10_000_010 - longestLine });
    expect(log.lineStyle(1).fg).toBe(2);
    expect(log.text(1)?.raw).toBe('next');
  });

  it('that was drawn over and over shows how it ended', () => {
    const log = read(`${' 10 %\r'.repeat(100_000)}100 %\r\nnext\n`);
    expect(log.text(0)).toEqual({ raw: '100 %', moment: null, left: 0 });
  });
});

describe('the bytes of a log', () => {
  it('are kept up to a bound, and fetched again when they are looked at', async () => {
    const whole = encode('0123456789'.repeat(blockSize / 2));
    const asked: number[][] = [];
    let changes = 0;
    const bytes = new LogBytes(
      (from, to) => {
        asked.push([from, to]);
        return Promise.resolve(whole.slice(from, to));
      },
      () => changes++,
      2,
    );
    for (let at = 0; at < whole.length; at += 100_000)
      bytes.append(whole.subarray(at, at + 100_000));
    expect(bytes.size).toBe(whole.length);
    expect(bytes.blockCount).toBe(2);

    expect(bytes.read(blockSize - 5, blockSize + 5)).toBeNull();
    expect(bytes.read(blockSize - 5, blockSize + 5)).toBeNull();
    await Promise.resolve();
    await Promise.resolve();
    expect(asked).toEqual([
      [0, blockSize],
      [blockSize, blockSize * 2],
    ]);
    expect(changes).toBe(2);
    expect(Array.from(bytes.read(blockSize - 5, blockSize + 5)!)).toEqual(
      Array.from(whole.subarray(blockSize - 5, blockSize + 5)),
    );
    expect(bytes.blockCount).toBe(2);
  });

  it('are asked for again some time after a failure', async () => {
    const answers = [Promise.reject(new Error('offline')), Promise.resolve(encode('abc'))];
    let told = () => {};
    const changed = new Promise<void>((resolve) => (told = resolve));
    const bytes = new LogBytes(() => answers.shift()!, told, 1);
    bytes.size = 3;
    expect(bytes.read(0, 3)).toBeNull();
    await changed;
    expect(bytes.read(0, 3)).toBeNull();
    await Promise.resolve();
    await Promise.resolve();
    expect(bytes.read(0, 3)).toEqual(encode('abc'));
  });
});
