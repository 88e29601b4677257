// The address as reactive state, on the history API. Ordinary links work: clicks on them are caught in one place.
import { SvelteURLSearchParams } from 'svelte/reactivity';
import { parseRoute, type Route } from './router';

class Navigation {
  #pathname = $state(location.pathname);
  #search = $state(location.search);
  hash = $state(location.hash);

  readonly route: Route = $derived(parseRoute(this.#pathname));
  readonly query: URLSearchParams = $derived(new URLSearchParams(this.#search));

  get address(): string {
    return this.#pathname + this.#search + this.hash;
  }

  go(address: string, options: { replace?: boolean } = {}): void {
    const before = this.#pathname;
    history[options.replace ? 'replaceState' : 'pushState'](null, '', address);
    this.#read();
    if (this.#pathname !== before) {
      scrollTo(0, 0);
      focusMain();
    }
  }

  /** Changes parts of the query; an empty value removes its part. */
  setQuery(values: Record<string, string>): void {
    const query = new SvelteURLSearchParams(this.#search);
    for (const [name, value] of Object.entries(values)) {
      if (value === '') query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    this.go(this.#pathname + (text === '' ? '' : `?${text}`));
  }

  setHash(hash: string): void {
    this.go(this.#pathname + this.#search + hash, { replace: true });
  }

  listen(): void {
    addEventListener('popstate', () => this.#read());
    addEventListener('hashchange', () => this.#read());
    document.addEventListener('click', (event) => {
      const address = addressOf(event);
      if (address === null) return;
      event.preventDefault();
      this.go(address);
    });
  }

  #read(): void {
    this.#pathname = location.pathname;
    this.#search = location.search;
    this.hash = location.hash;
  }
}

/** The address that a click should lead to inside the application, or null where the browser knows better. */
function addressOf(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const anchor = event.target instanceof Element ? event.target.closest('a') : null;
  if (!anchor?.hasAttribute('href') || anchor.target !== '' || anchor.hasAttribute('download'))
    return null;
  const url = new URL(anchor.href, location.href);
  if (url.origin !== location.origin || url.pathname.startsWith('/api/')) return null;
  if (url.pathname === location.pathname && url.search === location.search && url.hash !== '')
    return null;
  return url.pathname + url.search + url.hash;
}

// A page change must be heard and continued from by those who do not see it.
function focusMain(): void {
  requestAnimationFrame(() => document.getElementById('content')?.focus({ preventScroll: true }));
}

export const navigation = new Navigation();
