// What scanners found in the mock's pipelines.
const one = (values) => ({
  fingerprint: values.name,
  kind: 'sast',
  description: null,
  solution: null,
  file: null,
  line: null,
  subject: null,
  identifiers: [],
  scanner: null,
  ...values,
});
const findings = [
  one({
    name: 'SQL text built from a request',
    state: 'new',
    severity: 'critical',
    description: 'The parameter `id` reaches the statement unchanged.',
    solution: 'Bind the value instead.',
    file: 'src/basket.js',
    line: 41,
    identifiers: ['semgrep.sql-injection', 'CWE-89'],
    scanner: 'Semgrep',
  }),
  one({
    name: 'Prototype pollution in lodash',
    kind: 'dependency_scanning',
    state: 'known',
    severity: 'high',
    file: 'package-lock.json',
    subject: 'lodash 4.17.15',
    identifiers: ['CVE-2020-8203'],
    solution: 'Upgrade to 4.17.19 or later.',
    scanner: 'Trivy',
  }),
  one({
    name: "'unused' is never used",
    kind: 'codequality',
    state: 'fixed',
    severity: 'low',
    file: 'src/tax.js',
    line: 3,
    identifiers: ['no-unused-vars'],
  }),
];
const severities = ['critical', 'high', 'medium', 'low', 'info', 'unknown'];

const holds = (finding, search) =>
  [finding.name, finding.file ?? '', ...finding.identifiers].join(' ').includes(search);

export function findingsOf(job, query) {
  if (job === undefined) return [];
  const fits = (part, value) => [null, '', value].includes(query.get(part));
  return findings
    .filter(
      (finding) =>
        fits('severity', finding.severity) &&
        fits('state', finding.state) &&
        fits('kind', finding.kind) &&
        holds(finding, query.get('search') ?? ''),
    )
    .map((finding) => ({ ...finding, job_id: job.id }));
}

export function summaryOf(job) {
  const count = (state, severity) =>
    findings.filter((finding) => finding.state === state && finding.severity === severity).length;
  const counts = Object.fromEntries(
    ['new', 'known', 'fixed'].map((state) => [
      state,
      Object.fromEntries(severities.map((severity) => [severity, count(state, severity)])),
    ]),
  );
  if (job === undefined) return { counts, reports: [], bases: [] };
  const kinds = ['codequality', 'dependency_scanning', 'sast'];
  return {
    counts,
    reports: kinds.map((kind) => ({
      job: { id: job.id, name: job.name },
      kind,
      findings: 1,
      left_out: 0,
      error: null,
    })),
    bases: kinds.map((kind) => ({ kind, ref: 'main', pipeline_id: 30 })),
  };
}
