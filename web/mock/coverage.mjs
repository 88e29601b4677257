// Which lines the tests of the mock's pipelines ran.
const files = [
  { path: 'src/ship.js', covered: 6, total: 20, percent: 30, before: 45 },
  { path: 'src/basket.js', covered: 40, total: 50, percent: 80, before: 76 },
  { path: 'src/tax.js', covered: 9, total: 9, percent: 100, before: null },
];

export function filesOf(search, sort) {
  const found = files.filter((file) => file.path.includes(search));
  return sort === 'path' ? found.sort((a, b) => (a.path < b.path ? -1 : 1)) : found;
}

export function summaryOf(job) {
  const base = { pipeline_id: 30, ref: 'main', covered: 56, total: 80, percent: 70 };
  if (job === undefined) return { covered: 0, total: 0, percent: 100, files: 0, reports: [], base };
  return {
    covered: 55,
    total: 79,
    percent: 69.62,
    files: files.length,
    reports: [{ job: { id: job.id, name: job.name }, files: files.length, error: null }],
    base,
  };
}

export function linesOf(path) {
  const file = files.find((one) => one.path === path);
  if (file === undefined) return undefined;
  const missing = file.total - file.covered;
  const { covered, total, percent } = file;
  const lines = Array.from({ length: total }, (_, index) => ({
    number: index + 1,
    hits: index < covered ? 2 : 0,
  }));
  const uncovered = missing === 0 ? [] : [{ from: covered + 1, to: total }];
  return { path, covered, total, percent, lines, uncovered };
}
