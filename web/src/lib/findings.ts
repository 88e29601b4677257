// How findings look and are counted. Pure.
import type { FindingsSummary, ScanFinding } from '../api/model';
import type { Look } from './status';

export type Severity = ScanFinding['severity'];
export type FindingState = ScanFinding['state'];

/** The worst first. */
export const severities: Severity[] = ['critical', 'high', 'medium', 'low', 'info', 'unknown'];
export const findingStates: FindingState[] = ['new', 'known', 'fixed'];

/** Each severity has a shape of its own, so that the colour is never all there is. */
const looks: Record<Severity, Look> = {
  critical: { tone: 'bad', shape: 'cross' },
  high: { tone: 'bad', shape: 'bang' },
  medium: { tone: 'warn', shape: 'lock' },
  low: { tone: 'wait', shape: 'slash' },
  info: { tone: 'off', shape: 'dots' },
  unknown: { tone: 'off', shape: 'ring' },
};

export const severityLook = (severity: Severity): Look => looks[severity];

/** Of what is there now: what is fixed does not count. */
export function countOf(counts: FindingsSummary['counts'], severity: Severity): number {
  return counts.new[severity] + counts.known[severity];
}

export function totalOf(counts: FindingsSummary['counts'], state: FindingState): number {
  return severities.reduce((sum, severity) => sum + counts[state][severity], 0);
}

/** "src/app.py:12"; null when the report names no file. */
export function placeText(finding: Pick<ScanFinding, 'file' | 'line'>): string | null {
  if (finding.file === null) return null;
  return finding.line === null ? finding.file : `${finding.file}:${finding.line}`;
}

/** Those that are compared with the same pipeline, together. */
export function basesOf(summary: FindingsSummary): { ref: string; id: number; kinds: string[] }[] {
  const bases: { ref: string; id: number; kinds: string[] }[] = [];
  for (const { ref, pipeline_id: id, kind } of summary.bases) {
    if (id === null) continue;
    const known = bases.find((base) => base.id === id);
    if (known) known.kinds.push(kind);
    else bases.push({ ref, id, kinds: [kind] });
  }
  return bases;
}
