// The tab's picture carries the state of what is shown: the same colours as the page, one simple shape each.
import type { Look, Shape, Tone } from './status';

const colours: Record<Tone, string> = {
  good: '#1a7f4b',
  bad: '#cf2e2e',
  warn: '#b96a00',
  busy: '#2f6fdb',
  wait: '#b96a00',
  off: '#6b7280',
};

const marks: Partial<Record<Shape, string>> = {
  check: 'M4.5 8.3l2.4 2.4 4.6-5',
  cross: 'M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6',
  bang: 'M8 4.2v4.6M8 11.2v.4',
  clock: 'M8 4.6V8l2.4 1.6',
  slash: 'M4.8 11.2l6.4-6.4',
  skip: 'M5 5l3 3-3 3M8.5 5l3 3-3 3',
  play: 'M6.3 4.8l4.6 3.2-4.6 3.2z',
  spin: 'M8 4.6a3.4 3.4 0 1 1-3.4 3.4',
};

export function faviconAddress(look: Look | null): string {
  if (look === null) return '/favicon.svg';
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8" fill="${colours[look.tone]}"/>` +
    `<path d="${marks[look.shape] ?? ''}" fill="none" stroke="#fff" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
