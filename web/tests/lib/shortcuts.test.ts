import { beforeEach, describe, expect, it } from 'vitest';
import { Shortcuts } from '../../src/lib/shortcuts.svelte';

let keys: Shortcuts;
let done: string[];
const does = (name: string) => ({ keys: name, text: name, action: () => void done.push(name) });

function press(key: string, target: Element = document.body, init: KeyboardEventInit = {}) {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init });
  target.addEventListener('keydown', (seen) => keys.press(seen as KeyboardEvent), { once: true });
  target.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  keys = new Shortcuts();
  done = [];
});

describe('a shortcut', () => {
  it('works while it is registered, and the browser leaves the key to it', () => {
    const end = keys.add([does('n')]);
    expect(press('n').defaultPrevented).toBe(true);
    end();
    expect(press('n').defaultPrevented).toBe(false);
    expect(done).toEqual(['n']);
  });

  it('of two keys needs both, one after the other', () => {
    keys.add([does('g p'), does('p')]);
    press('p');
    press('g');
    press('p');
    press('x');
    press('p');
    expect(done).toEqual(['p', 'g p', 'p']);
  });

  it('leaves those alone who write, and the keys of the browser', () => {
    keys.add([does('n')]);
    const input = document.createElement('input');
    document.body.append(input);
    press('n', input);
    press('n', document.body, { ctrlKey: true });
    press('n', document.body, { metaKey: true });
    expect(done).toEqual([]);
    input.type = 'checkbox';
    press('n', input);
    expect(done).toEqual(['n']);
  });

  it('of the page goes before an older one for the same key', () => {
    keys.add([does('/')]);
    keys.add([{ keys: '/', text: 'of the log', action: () => void done.push('log') }]);
    press('/');
    expect(done).toEqual(['log']);
    expect(keys.active.map((one) => one.text)).toEqual(['of the log']);
  });
});
