/** Moves the focus to the next or previous of what `selector` finds below `root`; from outside, to the first. */
export function stepFocus(root: HTMLElement | undefined, selector: string, step: 1 | -1): void {
  const all = Array.from(root?.querySelectorAll<HTMLElement>(selector) ?? []);
  const at = all.findIndex((element) => element === document.activeElement);
  const next = at === -1 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1);
  all[next]?.focus();
}
