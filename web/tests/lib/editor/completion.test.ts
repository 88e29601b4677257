import { describe, expect, it } from 'vitest';
import document from '../../../../schemas/pipeline.schema.json';
import { placeAt, suggestions, type Schema } from '../../../src/lib/editor/completion';

const schema = document as unknown as Schema;

/** The place of the mark | in the text. */
function at(text: string) {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => line.includes('|'));
  const column = lines[index]!.indexOf('|');
  return placeAt(
    lines.map((line) => line.replace('|', '')),
    index,
    column,
  );
}

function words(text: string): string[] {
  const place = at(text);
  return place === null ? [] : suggestions(schema, place).map(({ label }) => label);
}

describe('the place of the cursor', () => {
  it.each([
    ['|', [], '', 'key'],
    ['sta|', [], 'sta', 'key'],
    ['build:\n  scr|', [{ key: 'build' }], 'scr', 'key'],
    ['build:\n  script: x\n  |', [{ key: 'build' }], '', 'key'],
    ['build:\n  when: man|', [{ key: 'build' }, { key: 'when' }], 'man', 'value'],
    ['b:\n  rules:\n    - i|', [{ key: 'b' }, { key: 'rules' }, 'item'], 'i', 'key'],
    ['b:\n  rules:\n    - if: x\n      w|', [{ key: 'b' }, { key: 'rules' }, 'item'], 'w', 'key'],
    ['b:\n  rules:\n  - if: x\n    w|', [{ key: 'b' }, { key: 'rules' }, 'item'], 'w', 'key'],
    ['include:\n- lo|', [{ key: 'include' }, 'item'], 'lo', 'key'],
    ['a:\n  x: 1\n\n# note\nb|', [], 'b', 'key'],
    ['a:\n  needs:\n    - job: b\n      |', [{ key: 'a' }, { key: 'needs' }, 'item'], '', 'key'],
    ['"a b":\n  |', [{ key: 'a b' }], '', 'key'],
  ])('%j', (text, steps, typed, wants) => {
    expect(at(text)).toEqual({ steps, typed, wants });
  });

  it('is none in a comment', () => {
    expect(at('a: b # sc|')).toBeNull();
  });
});

describe('the suggestions', () => {
  it('are the global keywords at the top, with what they mean', () => {
    expect(words('|')).toEqual(
      expect.arrayContaining(['stages', 'include', 'workflow', 'default']),
    );
    const stages = suggestions(schema, at('|')!).find(({ label }) => label === 'stages');
    expect(stages?.description).not.toBe('');
  });

  it("are a job's keywords in a job, also in a hidden one and in default", () => {
    for (const name of ['build', '.hidden'])
      expect(words(`${name}:\n  |`)).toEqual(
        expect.arrayContaining(['script', 'rules', 'artifacts', 'needs', 'environment', 'trigger']),
      );
    expect(words('default:\n  |')).toContain('image');
    expect(words('include:\n  - |')).not.toContain('stage');
  });

  it('are those of the part that the cursor is in', () => {
    expect(words('b:\n  artifacts:\n    |')).toEqual(
      expect.arrayContaining(['paths', 'reports', 'expire_in']),
    );
    expect(words('b:\n  artifacts:\n    reports:\n      |')).toContain('junit');
    expect(words('b:\n  rules:\n    - |')).toEqual(
      expect.arrayContaining(['if', 'changes', 'when']),
    );
    expect(words('workflow:\n  rules:\n    - |')).toContain('if');
    expect(words('include:\n  - |')).toEqual(
      expect.arrayContaining(['local', 'project', 'remote']),
    );
  });

  it('are the values that a keyword may have', () => {
    expect(words('b:\n  when: |')).toEqual(expect.arrayContaining(['manual', 'on_failure']));
    expect(words('b:\n  interruptible: |')).toEqual(expect.arrayContaining(['true', 'false']));
    expect(words('b:\n  script: |')).toEqual([]);
  });
});
