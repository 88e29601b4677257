// Keys that do something anywhere on the page. What is on the page registers its own; `?` shows those that work now. Keys
// are left alone where somebody writes, and with Ctrl, Alt or the command key.
import { untrack } from 'svelte';

export interface Shortcut {
  /** One key as the browser names it, or two after each other: "g p". */
  keys: string;
  text: string;
  action: () => void;
}

const sequenceMs = 1500;

export class Shortcuts {
  #lists = $state.raw<Shortcut[][]>([]);
  #before = '';
  #beforeAt = 0;

  /** Those that work now; of several for the same keys the last registered. */
  readonly active: Shortcut[] = $derived.by(() => {
    const all = this.#lists.flat();
    return all.filter((one, at) => !all.slice(at + 1).some((other) => other.keys === one.keys));
  });

  /** Answers what ends it, as an $effect wants it. */
  add(list: Shortcut[]): () => void {
    // An effect that registers must not wait for what it registers itself.
    untrack(() => (this.#lists = [...this.#lists, list]));
    return () => {
      untrack(() => (this.#lists = this.#lists.filter((other) => other !== list)));
    };
  }

  /** Does what a key does, for a button of the same effect. */
  run(keys: string): void {
    this.active.find((one) => one.keys === keys)?.action();
  }

  press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target instanceof Element && takesText(event.target)) return;
    const sequence = `${this.#before} ${event.key}`;
    const inTime = event.timeStamp - this.#beforeAt < sequenceMs;
    const found =
      (inTime ? this.active.find((one) => one.keys === sequence) : undefined) ??
      this.active.find((one) => one.keys === event.key);
    this.#before = found === undefined ? event.key : '';
    this.#beforeAt = event.timeStamp;
    if (found === undefined) return;
    event.preventDefault();
    found.action();
  }
}

function takesText(element: Element): boolean {
  if (element.closest('dialog[open]') !== null) return true;
  return element.matches('textarea, select, input:not([type="checkbox"]), [contenteditable]');
}

export const shortcuts = new Shortcuts();
