// Which keywords may stand where the cursor is, by the schema that editors use. Pure: text and schema in, words out. YAML is
// read by its indentation only, since what is being typed is rarely whole.

export interface Schema {
  $ref?: string;
  description?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema | Schema[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  definitions?: Record<string, Schema>;
}

export interface Suggestion {
  label: string;
  description: string;
  kind: 'keyword' | 'value';
}

/** A step from the document to the cursor: into the value of a key, or into an item of a list. */
export type Step = { key: string } | 'item';

export interface Place {
  steps: Step[];
  /** What is typed of the word so far, and whether a key of a mapping or a value belongs there. */
  typed: string;
  wants: 'key' | 'value';
}

interface Line {
  indent: number;
  /** Columns of the dashes at its beginning. */
  dashes: number[];
  key: string | null;
  keyColumn: number;
}

const keyPattern = /^([^\s#'"[\]{},&*!|>%@`-][^:#]*?|"[^"]*"|'[^']*')\s*:(?:\s|$)/;

function read(line: string): Line | null {
  const dashes: number[] = [];
  let column = line.search(/\S/);
  if (column === -1 || line[column] === '#') return null;
  const indent = column;
  while (/^-(\s|$)/.test(line.slice(column))) {
    dashes.push(column);
    const rest = line.slice(column + 1).search(/\S/);
    if (rest === -1) return { indent, dashes, key: null, keyColumn: line.length };
    column += 1 + rest;
  }
  const key = keyPattern.exec(line.slice(column))?.[1]?.replaceAll(/^["']|["']$/g, '') ?? null;
  return { indent, dashes, key, keyColumn: column };
}

/** Where the cursor is, `column` characters into line `index`; null in a comment. */
export function placeAt(lines: string[], index: number, column: number): Place | null {
  const before = (lines[index] ?? '').slice(0, column);
  if (/(^|\s)#/.test(before)) return null;
  const current = read(before);
  const value = current !== null && current.key !== null;
  const typed = (value ? /:\s*(\S*)$/ : /([\w.$-]*)$/).exec(before)?.[1] ?? '';
  const steps: Step[] = [];
  // What is left of this column encloses the cursor.
  let limit = current === null ? column : current.keyColumn;
  if (current !== null && current.key !== null) steps.unshift({ key: current.key });
  const enter = (line: Line): void => {
    for (const dash of line.dashes.toReversed()) {
      if (dash >= limit) continue;
      steps.unshift('item');
      limit = dash;
    }
  };
  if (current !== null) enter(current);
  for (let at = index - 1; at >= 0 && limit > 0; at--) {
    const line = read(lines[at] ?? '');
    if (line === null) continue;
    // A list may stand in the column of its key.
    const owns = line.keyColumn < limit || (line.keyColumn === limit && steps[0] === 'item');
    if (line.key !== null && owns) {
      steps.unshift({ key: line.key });
      limit = line.keyColumn;
      enter(line);
    } else if (line.dashes.some((dash) => dash < limit)) {
      enter(line);
    }
  }
  if (limit === 0 && steps[0] === 'item') {
    for (let at = index - 1; at >= 0; at--) {
      const line = read(lines[at] ?? '');
      if (line === null || line.indent > 0 || line.dashes.length > 0) continue;
      if (line.key !== null) steps.unshift({ key: line.key });
      break;
    }
  }
  return { steps, typed, wants: value ? 'value' : 'key' };
}

/** The schema with every alternative that it has, so that what any of them allows is offered. */
function alternatives(schema: Schema | boolean | undefined, root: Schema, depth = 0): Schema[] {
  if (schema === undefined || typeof schema === 'boolean' || depth > 12) return [];
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/definitions/', '');
    return alternatives(root.definitions?.[name], root, depth + 1);
  }
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...parts.flatMap((part) => alternatives(part, root, depth + 1))];
}

function step(schemas: Schema[], to: Step, root: Schema): Schema[] {
  return schemas.flatMap((schema) => {
    if (to === 'item') {
      const items = schema.items;
      const all = Array.isArray(items) ? items : [items];
      return all.flatMap((item) => alternatives(item, root));
    }
    const named = schema.properties?.[to.key];
    if (named !== undefined) return alternatives(named, root);
    const matching = Object.entries(schema.patternProperties ?? {})
      .filter(([pattern]) => new RegExp(pattern).test(to.key))
      .map(([, value]) => value);
    if (matching.length > 0) return matching.flatMap((value) => alternatives(value, root));
    return alternatives(schema.additionalProperties, root);
  });
}

/** Sorted, each word once. */
export function suggestions(root: Schema, place: Place): Suggestion[] {
  let schemas = alternatives(root, root);
  for (const to of place.steps) schemas = step(schemas, to, root);
  const found = new Map<string, Suggestion>();
  const add = (label: string, description: string, kind: Suggestion['kind']) => {
    if (!found.has(label)) found.set(label, { label, description, kind });
  };
  for (const schema of schemas) {
    if (place.wants === 'key') {
      for (const [name, value] of Object.entries(schema.properties ?? {}))
        add(name, value.description ?? '', 'keyword');
    }
    for (const value of schema.enum ?? [])
      if (typeof value === 'string') add(value, schema.description ?? '', 'value');
    if (typeof schema.const === 'string') add(schema.const, schema.description ?? '', 'value');
    if (place.wants === 'value' && [schema.type].flat().includes('boolean')) {
      add('true', '', 'value');
      add('false', '', 'value');
    }
  }
  return [...found.values()].sort((left, right) => left.label.localeCompare(right.label));
}
