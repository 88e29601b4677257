import { describe, expect, it } from 'vitest';
import { changedVariables, linesOf, parseVariableLines } from '../../src/lib/variable_lines';

describe('variables, one a line', () => {
  it('are names and values as they stand, and empty lines are none', () => {
    expect(parseVariableLines('A=1\n\n  _b2=x = y \nEMPTY=')).toEqual({
      variables: [
        { key: 'A', value: '1', variable_type: 'env_var' },
        { key: '_b2', value: 'x = y ', variable_type: 'env_var' },
        { key: 'EMPTY', value: '', variable_type: 'env_var' },
      ],
    });
  });

  it.each(['A', '=1', '1A=2', 'A B=1', 'Ä=1'])('%s is no variable', (line) => {
    expect(parseVariableLines(`OK=1\n${line}`)).toEqual({ wrong: line });
  });
});

describe('the variables of a schedule as lines', () => {
  const line = (key: string, value: string) => ({ key, value, variable_type: 'env_var' as const });
  const file = { key: 'CONFIG', value: 'x', variable_type: 'file' as const };
  const long = line('LONG', 'a\nb');

  it('leaves out what no line holds', () => {
    expect(linesOf([line('A', '1'), file, long, line('B', '')])).toBe('A=1\nB=');
  });
  it('tells what was added, changed and removed, and keeps what no line holds', () => {
    const before = [line('A', '1'), line('B', '2'), line('C', '3'), file, long];
    expect(changedVariables(before, [line('A', '1'), line('B', '9'), line('D', '4')])).toEqual({
      added: [line('D', '4')],
      changed: [line('B', '9')],
      removed: ['C'],
    });
  });
});
