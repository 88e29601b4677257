// Where a searched text stands in the text of a match, for marking it. Pure.

export interface Part {
  text: string;
  hit: boolean;
}

export function partsOf(text: string, wanted: string, regex: boolean): Part[] {
  // The server's expressions are not the browser's; only plain text is marked.
  if (regex || wanted === '') return [{ text, hit: false }];
  const parts: Part[] = [];
  const lower = text.toLowerCase();
  const needle = wanted.toLowerCase();
  // Some letters grow when they are made small, and the places would not fit.
  if (lower.length !== text.length) return [{ text, hit: false }];
  let from = 0;
  for (let at = lower.indexOf(needle); at !== -1; at = lower.indexOf(needle, from)) {
    if (at > from) parts.push({ text: text.slice(from, at), hit: false });
    parts.push({ text: text.slice(at, at + needle.length), hit: true });
    from = at + needle.length;
  }
  if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from), hit: false });
  return parts;
}
