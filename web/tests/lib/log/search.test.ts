import { describe, expect, it } from 'vitest';
import { partsOf } from '../../../src/lib/log/search';

const marked = (text: string, wanted: string, regex = false) =>
  partsOf(text, wanted, regex)
    .map((part) => (part.hit ? `[${part.text}]` : part.text))
    .join('');

describe('what was searched for', () => {
  it('is marked wherever it stands, whatever its case', () => {
    expect(marked('Error: an error', 'error')).toBe('[Error]: an [error]');
    expect(marked('aaa', 'aa')).toBe('[aa]a');
    expect(marked('a.c abc', 'a.c')).toBe('[a.c] abc');
  });

  it('is not marked where the places are not known', () => {
    expect(marked('error', 'e.r', true)).toBe('error');
    expect(marked('İ error', 'error')).toBe('İ error');
    expect(marked('', 'x')).toBe('');
  });
});
