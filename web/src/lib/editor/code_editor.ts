// The text field of the pipeline editor: CodeMirror with YAML, findings under their words, and completion from the schema.
// It lives in a shadow root: the page's policy forbids style elements, and there CodeMirror adopts style sheets instead.
import { autocompletion, type CompletionContext } from '@codemirror/autocomplete';
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, type Text } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { basicSetup } from 'codemirror';
import schema from '../../../../schemas/pipeline.schema.json';
import type { Finding } from '../../api/model';
import { placeAt, suggestions, type Schema } from './completion';

const look = EditorView.theme({
  '&': {
    height: '100%',
    fontSize: '13.5px',
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
  },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-gutters': {
    backgroundColor: 'var(--sunken)',
    color: 'var(--muted)',
    border: 'none',
  },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-activeLine': { backgroundColor: 'var(--accent-soft)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
});

// The page's own colours, so that both schemes can be read.
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.keyword, tags.labelName, tags.typeName], color: 'var(--warn)' },
]);

function complete(context: CompletionContext) {
  const line = context.state.doc.lineAt(context.pos);
  const lines = context.state.doc.toString().split('\n');
  const place = placeAt(lines, line.number - 1, context.pos - line.from);
  if (place === null || (place.typed === '' && !context.explicit)) return null;
  return {
    from: context.pos - place.typed.length,
    options: suggestions(schema as unknown as Schema, place).map(
      ({ label, description, kind }) => ({
        label,
        info: description === '' ? undefined : description,
        type: kind === 'keyword' ? 'property' : 'constant',
        apply: kind === 'keyword' ? `${label}: ` : label,
      }),
    ),
    validFor: /^[\w.$-]*$/,
  };
}

/** Where a place of a finding is in the text; the whole line without a column. Places behind its end are its end. */
export function rangeOf(text: Text, line: number, column: number): { from: number; to: number } {
  const at = text.line(Math.min(Math.max(line, 1), text.lines));
  const from = Math.min(at.from + Math.max(column - 1, 0), at.to);
  const word = /^[^\s:,\]}]+/.exec(text.sliceString(from, at.to));
  return { from, to: word === null ? at.to : from + word[0].length };
}

export class CodeEditor {
  readonly #view: EditorView;

  constructor(
    host: HTMLElement,
    { text, label, changed }: { text: string; label: string; changed: (text: string) => void },
  ) {
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
    this.#view = new EditorView({
      root,
      parent: root as unknown as HTMLElement,
      state: EditorState.create({
        doc: text,
        extensions: [
          basicSetup,
          yaml(),
          syntaxHighlighting(colours),
          lintGutter(),
          autocompletion({ override: [complete] }),
          look,
          // What scrolls must have something that takes the focus, and says so by a tabindex.
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
  }

  show(findings: Finding[], path: string): void {
    const diagnostics: Diagnostic[] = findings
      .filter((finding) => finding.file === path)
      .map((finding) => ({
        ...rangeOf(this.#view.state.doc, finding.line, finding.column),
        severity: finding.severity,
        message: finding.hint === '' ? finding.message : `${finding.message}\n${finding.hint}`,
      }));
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  goTo(line: number, column: number): void {
    const { from } = rangeOf(this.#view.state.doc, line, column);
    this.#view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }
}
