// What a job did with its time, from the sections that the runner writes into its log. Their times are whole seconds.
import { fetchPart, sizeOf } from '../log/fetch_part';
import { markersIn, type Marker } from '../log/markers';

export type PhaseKind = 'prepare' | 'checkout' | 'download' | 'script' | 'upload';
export const phaseKinds: PhaseKind[] = ['prepare', 'checkout', 'download', 'script', 'upload'];

/** Seconds since 1970. */
export interface Phase {
  kind: PhaseKind;
  from: number;
  to: number;
}

/** Of the runner's own sections only: a script may print sections of its own. */
function kindOf(section: string): PhaseKind | null {
  if (section === 'get_sources') return 'checkout';
  if (section === 'restore_cache' || section === 'download_artifacts') return 'download';
  if (['step_script', 'build_script', 'after_script'].includes(section)) return 'script';
  if (/^(archive_cache|upload_artifacts)/.test(section)) return 'upload';
  if (/^(resolve_secrets|prepare_)/.test(section)) return 'prepare';
  return null;
}

/** In the order of the log. A section whose end is not there lasts until the next begins, the last one until `ended`. */
export function phasesOf(markers: Marker[], ended: number): Phase[] {
  const phases: Phase[] = [];
  let open: { name: string; phase: Phase } | null = null;
  for (const marker of markers) {
    const kind = kindOf(marker.name);
    if (kind === null) continue;
    if (open !== null && (marker.kind === 'start' || marker.name === open.name)) {
      open.phase.to = Math.max(open.phase.from, marker.time);
      open = null;
    }
    if (marker.kind === 'start') {
      const phase = { kind, from: marker.time, to: Math.max(marker.time, ended) };
      phases.push(phase);
      open = { name: marker.name, phase };
    }
  }
  return phases;
}

/** Seconds of each kind that occurs. */
export function phaseTotals(phases: Phase[]): Partial<Record<PhaseKind, number>> {
  const totals: Partial<Record<PhaseKind, number>> = {};
  for (const { kind, from, to } of phases) totals[kind] = (totals[kind] ?? 0) + to - from;
  return totals;
}

const partBytes = 65_536;

/**
 * Reads the beginning and the end of a log, where the runner's sections stand; `ended` is when the job did, in seconds
 * since 1970. Empty when the log has no sections there.
 */
export async function readPhases(
  address: string,
  ended: number,
  signal?: AbortSignal,
): Promise<Phase[]> {
  const size = await sizeOf(address, signal);
  if (size === 0) return [];
  const whole = size <= 2 * partBytes;
  const parts = whole
    ? [[0, size]]
    : [
        [0, partBytes],
        [size - partBytes, size],
      ];
  const texts = await Promise.all(
    parts.map(async ([from = 0, to = 0]) =>
      new TextDecoder().decode(await fetchPart(address, from, to, signal)),
    ),
  );
  return phasesOf(texts.flatMap(markersIn), ended);
}
