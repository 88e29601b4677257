// What the page says outside its own area: the title and picture of the tab, and changes read aloud.
import { t } from '../messages';
import { faviconAddress } from './favicon';
import type { Look } from './status';

class PageState {
  announcement = $state('');

  /** A page calls this from an $effect; a look puts the state into the tab. */
  show(title: string, look: Look | null = null): void {
    const mark = look === null ? '' : `${t.statusMarks[look.shape]} `;
    document.title = title === '' ? t.product : `${mark}${title} · ${t.product}`;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const address = faviconAddress(look);
    if (icon !== null && icon.getAttribute('href') !== address) icon.setAttribute('href', address);
  }

  announce(text: string): void {
    this.announcement = text;
  }
}

export const pageState = new PageState();
