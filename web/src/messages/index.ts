// The texts of the application in the language of the reader: the one chosen in the settings, else the first of the
// browser's that is here. Another language is another file of the same shape as en.ts, fetched only where it is wanted.
import { en } from './en';

export type Messages = typeof en;

export const languages = { en: 'English', zh: '简体中文' };
export type Language = keyof typeof languages;

const storageKey = 'slipway.language';

/** Set once, before anything is shown. */
export let t: Messages = en;

export function isLanguage(code: string | null): code is Language {
  return code !== null && Object.hasOwn(languages, code);
}

/** What the settings say; null leaves it to the browser. */
export function chosenLanguage(): Language | null {
  let code: string | null = null;
  try {
    code = localStorage.getItem(storageKey);
  } catch {
    // A browser may forbid pages to keep anything.
  }
  return isLanguage(code) ? code : null;
}

/** Takes effect when the page is loaded the next time; what is no language leaves it to the browser. */
export function chooseLanguage(code: string): void {
  try {
    if (isLanguage(code)) localStorage.setItem(storageKey, code);
    else localStorage.removeItem(storageKey);
  } catch {
    // See above: the choice is then not kept.
  }
}

/** Of "zh-CN", "fr", "en-GB" the first whose language is here. */
export function firstKnown(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const code = tag.split('-')[0]?.toLowerCase() ?? '';
    if (isLanguage(code)) return code;
  }
  return 'en';
}

/** A language that cannot be fetched leaves English, which is always here. */
export async function loadMessages(): Promise<void> {
  const language = chosenLanguage() ?? firstKnown(navigator.languages);
  try {
    t = language === 'zh' ? (await import('./zh')).zh : en;
  } catch {
    t = en;
  }
  document.documentElement.lang = t.language;
}
