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

/** As a person would have written them; those of type file, and of several lines, do not fit into a line. */
export function linesOf(variables: PipelineVariable[]): string {
  return variables
    .filter(isLine)
    .map((one) => `${one.key}=${one.value}`)
    .join('\n');
}

function isLine(variable: PipelineVariable): boolean {
  return variable.variable_type !== 'file' && !variable.value.includes('\n');
}

/** What makes `wanted` of `before`. Those that linesOf() leaves out are kept. */
export function changedVariables(
  before: PipelineVariable[],
  wanted: PipelineVariable[],
): { added: PipelineVariable[]; changed: PipelineVariable[]; removed: string[] } {
  const old = new Map(before.map((one) => [one.key, one]));
  const keys = new Set(wanted.map((one) => one.key));
  return {
    added: wanted.filter((one) => !old.has(one.key)),
    changed: wanted.filter((one) => {
      const known = old.get(one.key);
      return known !== undefined && known.value !== one.value;
    }),
    removed: before.filter((one) => isLine(one) && !keys.has(one.key)).map((one) => one.key),
  };
}
