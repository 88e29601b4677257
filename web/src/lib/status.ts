// What each status looks like. State is always told three ways: shape, word and colour.
import type { Status } from '../api/model';

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'wait' | 'off';
/** Every shape has its own outline, so that it is known without colour. */
export type Shape =
  | 'check'
  | 'cross'
  | 'bang'
  | 'spin'
  | 'clock'
  | 'dots'
  | 'ring'
  | 'slash'
  | 'skip'
  | 'play'
  | 'lock';

export interface Look {
  tone: Tone;
  shape: Shape;
}

const looks: Record<Status, Look> = {
  created: { tone: 'off', shape: 'ring' },
  waiting_for_resource: { tone: 'wait', shape: 'lock' },
  preparing: { tone: 'wait', shape: 'dots' },
  pending: { tone: 'wait', shape: 'clock' },
  running: { tone: 'busy', shape: 'spin' },
  success: { tone: 'good', shape: 'check' },
  failed: { tone: 'bad', shape: 'cross' },
  canceling: { tone: 'off', shape: 'slash' },
  canceled: { tone: 'off', shape: 'slash' },
  skipped: { tone: 'off', shape: 'skip' },
  manual: { tone: 'wait', shape: 'play' },
  scheduled: { tone: 'wait', shape: 'clock' },
};

const warning: Look = { tone: 'warn', shape: 'bang' };
const final = new Set<Status>(['success', 'failed', 'canceled', 'skipped']);
const active = new Set<Status>([
  'waiting_for_resource',
  'preparing',
  'pending',
  'running',
  'canceling',
]);

/** A failure that is allowed is a warning, not red. */
export function look(status: Status, allowFailure = false): Look {
  return status === 'failed' && allowFailure ? warning : looks[status];
}

export function isFinal(status: Status): boolean {
  return final.has(status);
}

export function canCancel(status: Status): boolean {
  return (
    (active.has(status) && status !== 'canceling') || status === 'created' || status === 'scheduled'
  );
}

export function canRetry(status: Status): boolean {
  return status === 'failed' || status === 'canceled' || status === 'success';
}

/** A pipeline is worth retrying only where something did not succeed. */
export function canRetryPipeline(status: Status): boolean {
  return status === 'failed' || status === 'canceled';
}

export function canPlay(status: Status): boolean {
  return status === 'manual' || status === 'scheduled';
}

export const allStatuses = Object.keys(looks) as Status[];
