import { describe, expect, it } from 'vitest';
import { parseVariableLines } from '../../src/lib/variable_lines';

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
