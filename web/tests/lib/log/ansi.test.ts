import { describe, expect, it } from 'vitest';
import {
  applySgr,
  endStyle,
  paletteColour,
  plainStyle,
  plainText,
  renderLine,
  styleLook,
  visibleCharacter,
} from '../../../src/lib/log/ansi';
import { xssCorpus } from '../../support/xss_corpus';

const esc = '\u001b';
const texts = (raw: string) => renderLine(raw).map((span) => span.text);

describe('colours', () => {
  it.each([
    ['31', { fg: 1 }],
    ['1;32', { bold: true, fg: 2 }],
    ['97', { fg: 15 }],
    ['44', { bg: 4 }],
    ['101', { bg: 9 }],
    ['38;5;208', { fg: '#ff8700' }],
    ['38;5;7', { fg: 7 }],
    ['48;5;244', { bg: '#808080' }],
    ['38;2;255;140;0', { fg: '#ff8c00' }],
    ['38:2:1:2:3', { fg: '#010203' }],
    ['38;2;999;0;0', { fg: '#ff0000' }],
    ['3;4;7;9', { italic: true, underline: true, inverse: true, strike: true }],
    ['38;5;208;1', { fg: '#ff8700', bold: true }],
    ['5', {}],
    ['', {}],
  ])('of ESC[%sm are read', (parameters, style) => {
    expect(applySgr(plainStyle, parameters)).toEqual({ ...plainStyle, ...style });
  });

  it('end with a reset, or one by one', () => {
    const red = applySgr(plainStyle, '1;31;44');
    expect(applySgr(red, '0')).toBe(plainStyle);
    expect(applySgr(red, '39')).toEqual({ ...plainStyle, bold: true, bg: 4 });
    expect(applySgr(red, '22;49')).toEqual({ ...plainStyle, fg: 1 });
  });

  it('of the cube and the greys are those of xterm', () => {
    expect(paletteColour(16)).toBe('#000000');
    expect(paletteColour(21)).toBe('#0000ff');
    expect(paletteColour(231)).toBe('#ffffff');
    expect(paletteColour(232)).toBe('#080808');
    expect(paletteColour(255)).toBe('#eeeeee');
  });

  it('carry on into the next line', () => {
    expect(endStyle(`${esc}[31mred`, plainStyle)).toEqual({ ...plainStyle, fg: 1 });
    expect(endStyle('nothing', plainStyle)).toBe(plainStyle);
    expect(renderLine('still red', applySgr(plainStyle, '31'))[0]?.style.fg).toBe(1);
  });

  it('become classes where the theme decides, and values elsewhere', () => {
    expect(styleLook(applySgr(plainStyle, '1;31;42'))).toEqual({
      classes: 'bold f-1 b-2',
      colour: null,
      background: null,
    });
    expect(styleLook(applySgr(plainStyle, '38;2;1;2;3'))).toMatchObject({
      classes: '',
      colour: '#010203',
    });
    expect(styleLook(applySgr(plainStyle, '7')).classes).toBe('f-bg b-fg');
    expect(styleLook(applySgr(plainStyle, '7;31;48;5;244'))).toEqual({
      classes: 'b-1',
      colour: '#808080',
      background: null,
    });
  });
});

describe('a line', () => {
  it('is cut where its colour changes', () => {
    const spans = renderLine(`a${esc}[31mb${esc}[0mc`);
    expect(spans.map((span) => [span.text, span.style.fg])).toEqual([
      ['a', null],
      ['b', 1],
      ['c', null],
    ]);
  });

  it('keeps tabs and text of every script', () => {
    expect(texts('\tgrüße, 你好, 🚀')).toEqual(['\tgrüße, 你好, 🚀']);
  });

  it('is overwritten after a carriage return, as a terminal does', () => {
    expect(plainText('10%\r60%\r100%')).toBe('100%');
    expect(plainText('abcdef\rxy')).toBe('xycdef');
    expect(plainText('a🚀c\rxy')).toBe('xyc');
    expect(plainText(`abcdef\rxy${esc}[K`)).toBe('xy');
    expect(plainText(`abc${esc}[2Kd`)).toBe('   d');
  });

  it('ends before the carriage return of CR LF', () => {
    expect(plainText('text\r')).toBe('text');
  });

  it('keeps colours through an overwrite', () => {
    const spans = renderLine(`${esc}[31mabc\r${esc}[32mx`);
    expect(spans.map((span) => [span.text, span.style.fg])).toEqual([
      ['x', 2],
      ['bc', 1],
    ]);
  });
});

describe('what is not colour', () => {
  it.each([
    ['\u0000', '␀'],
    ['\u0007', '␇'],
    ['\u001b', '␛'],
    ['\u007f', '␡'],
    ['\u009b', '<U+009B>'],
    ['\u202e', '<U+202E>'],
    ['\u200b', '<U+200B>'],
    ['\ufeff', '<U+FEFF>'],
    ['\u{e0041}', '<U+E0041>'],
  ])('such as %j is shown as %s', (character, shown) => {
    expect(visibleCharacter(character)).toBe(shown);
    expect(renderLine(`a${character}b`)).toMatchObject([
      { text: 'a', control: false },
      { text: shown, control: true },
      { text: 'b', control: false },
    ]);
  });

  it('shows cursor movements and links instead of obeying them', () => {
    expect(plainText(`${esc}[2Jx`)).toBe('␛[2Jx');
    expect(plainText(`${esc}]8;;https://evil.test\u0007click`)).toBe(
      '␛]8;;https://evil.test␇click',
    );
    expect(plainText(`${esc}[31`)).toBe('␛[31');
    expect(plainText(esc)).toBe('␛');
  });

  it.each(xssCorpus.map((payload) => [payload.slice(0, 60), payload]))(
    'leaves no acting character of %j',
    (_, payload) => {
      for (const span of renderLine(payload.replaceAll('\n', ''))) {
        expect(span.text).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(span.text.replaceAll('\t', '')).not.toMatch(/\p{Cc}/u);
      }
    },
  );
});
