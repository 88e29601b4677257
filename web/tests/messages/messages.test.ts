// Every language says everything, and nothing is said outside the message files.
// @vitest-environment node
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'svelte/compiler';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { firstKnown } from '../../src/messages';
import { en } from '../../src/messages/en';
import { zh } from '../../src/messages/zh';

type Leaf = string | ((...values: never[]) => unknown);

/** Paths of all texts with what stands there. */
function leaves(value: object, path = ''): [string, Leaf][] {
  return Object.entries(value).flatMap(([key, part]: [string, unknown]): [string, Leaf][] => {
    const place = path === '' ? key : `${path}.${key}`;
    return typeof part === 'object' && part !== null
      ? leaves(part, place)
      : [[place, part as Leaf]];
  });
}

describe('the languages', () => {
  it('have the same texts with the same values', () => {
    const shape = (messages: object) =>
      leaves(messages).map(([path, leaf]) =>
        typeof leaf === 'function' ? `${path}(${leaf.length})` : path,
      );
    expect(shape(zh).sort()).toEqual(shape(en).sort());
  });

  it('leave no text empty, and Chinese is Chinese', () => {
    const symbols =
      /^(language$|product$|changed$|project\.stage$|statusMarks\.|pipeline\.place$|errors\.hint$)/;
    for (const [path, leaf] of leaves(zh)) {
      const text =
        typeof leaf === 'function'
          ? String((leaf as (...values: unknown[]) => unknown)('a', 'b', false))
          : leaf;
      expect(text, path).not.toBe('');
      if (!symbols.test(path)) expect(text, path).toMatch(/\p{Script=Han}/u);
    }
  });

  it('put in every value that they are given', () => {
    for (const messages of [en, zh])
      for (const [path, leaf] of leaves(messages)) {
        if (typeof leaf !== 'function' || /^errors\.(hint|status)|reading|tail/.test(path))
          continue;
        const values = Array.from({ length: leaf.length }, (_, index) => 71 + index);
        const text = String((leaf as (...values: unknown[]) => unknown)(...values));
        if (path === 'log.matches') continue;
        for (const value of values) expect(text, path).toContain(String(value));
      }
  });

  it('are chosen by the first that is here of those that the browser wants', () => {
    expect(firstKnown(['fr-FR', 'zh-TW', 'en'])).toBe('zh');
    expect(firstKnown(['en-GB', 'zh'])).toBe('en');
    expect(firstKnown(['fr'])).toBe('en');
    expect(firstKnown(['constructor'])).toBe('en');
    expect(firstKnown([])).toBe('en');
  });
});

const source = fileURLToPath(new URL('../../src', import.meta.url));
const files = readdirSync(source, { recursive: true })
  .map(String)
  .filter((name) => !name.startsWith('messages') && !name.endsWith('types.ts'));
const word = /\p{L}{2,}/u;
const spoken = new Set(['title', 'aria-label', 'placeholder', 'alt', 'label', 'hint', 'text']);

interface Node {
  type: string;
  name?: string;
  data?: string;
  value?: unknown;
  [key: string]: unknown;
}

/** Texts in the markup of a component, and in attributes that are shown or read aloud. */
function textsOfMarkup(root: unknown): string[] {
  if (Array.isArray(root)) return root.flatMap(textsOfMarkup);
  if (typeof root !== 'object' || root === null) return [];
  const node = root as Node;
  if (node.type === 'Text') return word.test(node.data ?? '') ? [node.data ?? ''] : [];
  if (node.type === 'Attribute')
    return spoken.has(node.name ?? '') ? textsOfMarkup(node.value) : [];
  if (node.type === 'ExpressionTag') return [];
  return [
    'nodes',
    'attributes',
    'fragment',
    'consequent',
    'alternate',
    'body',
    'fallback',
    'pending',
    'then',
    'catch',
  ].flatMap((part) => textsOfMarkup(node[part]));
}

/** Sentences in code: what begins with a capital letter and goes on with a word. */
function textsOfCode(code: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    // What a programmer is told when the application contradicts itself.
    if (ts.isNewExpression(node) && node.expression.getText() === 'Error') return;
    if (ts.isStringLiteralLike(node) && /^\p{Lu}\p{L}+ \p{L}/u.test(node.text))
      texts.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('x.ts', code, ts.ScriptTarget.Latest, true));
  return texts;
}

describe('no text stands outside the message files', () => {
  it.each(files.filter((name) => name.endsWith('.svelte')))('%s', (name) => {
    const text = readFileSync(join(source, name), 'utf8');
    const { fragment } = parse(text, { modern: true, filename: name });
    expect(textsOfMarkup(fragment)).toEqual([]);
    const script = /<script[^>]*>([^]*?)<\/script>/.exec(text)?.[1] ?? '';
    expect(textsOfCode(script)).toEqual([]);
  });

  it.each(files.filter((name) => name.endsWith('.ts')))('%s', (name) => {
    expect(textsOfCode(readFileSync(join(source, name), 'utf8'))).toEqual([]);
  });

  it('and would be found', () => {
    const { fragment } = parse('{#if x}<p title="A tip">{y}<b>Hello</b></p>{/if}', {
      modern: true,
    });
    expect(textsOfMarkup(fragment)).toEqual(['A tip', 'Hello']);
    expect(textsOfCode("throw new Error('Not for people'); say('Two words')")).toEqual([
      'Two words',
    ]);
  });
});
