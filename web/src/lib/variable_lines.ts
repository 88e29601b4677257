// Variables as a person writes them: NAME=value, one a line. Pure.
import type { PipelineVariable } from '../api/model';

/** The variables, or the first line that is none. Empty lines count for nothing. */
export function parseVariableLines(
  text: string,
): { variables: PipelineVariable[] } | { wrong: string } {
  const variables: PipelineVariable[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) return { wrong: line.trim() };
    variables.push({ key: match[1], value: match[2], variable_type: 'env_var' });
  }
  return { variables };
}
