import { describe, expect, it } from 'vitest';
import { changeOf, changeText, percentText, rangeText } from '../../src/lib/file_coverage';

describe('the coverage of a file', () => {
  it('is 100 % only when every line ran', () => {
    expect(percentText(100)).toBe('100.00 %');
    expect(percentText(99.999)).toBe('99.99 %');
    expect(percentText(69.62)).toBe('69.62 %');
    expect(percentText(0)).toBe('0.00 %');
  });

  it('has a change only against something else', () => {
    expect(changeOf(50, null)).toBeNull();
    expect(changeOf(50, 50)).toBeNull();
    expect(changeOf(50.1, 50)).toBe(0.1);
    expect(changeOf(30, 45.5)).toBe(-15.5);
  });

  it('tells the direction of a change by its sign', () => {
    expect(changeText(0.1)).toBe('+0.10');
    expect(changeText(-15.5)).toBe('−15.50');
  });

  it('has ranges of lines', () => {
    expect(rangeText({ from: 12, to: 12 })).toBe('12');
    expect(rangeText({ from: 12, to: 18 })).toBe('12–18');
  });
});
