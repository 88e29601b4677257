import { describe, expect, it } from 'vitest';
import { faviconAddress } from '../../src/lib/favicon';
import { allStatuses, canCancel, canPlay, canRetry, isFinal, look } from '../../src/lib/status';
import { t } from '../../src/messages';

describe('a state', () => {
  it.each(allStatuses)('%s has a shape, a tone, a word and a mark', (status) => {
    const { shape, tone } = look(status);
    expect(tone).not.toBe('');
    expect(t.statuses[status]).not.toBe('');
    expect(t.statusMarks[shape]).not.toBe('');
  });

  it('that is good and one that is bad differ in more than colour', () => {
    expect(look('success').shape).not.toBe(look('failed').shape);
    expect(look('failed').shape).not.toBe(look('failed', true).shape);
  });

  it('of failure is a warning only where failure is allowed', () => {
    expect(look('failed', true).tone).toBe('warn');
    expect(look('success', true).tone).toBe('good');
  });

  it('offers at least one thing to do, or is waiting for its stage', () => {
    for (const status of allStatuses) {
      if (status === 'skipped' || status === 'canceling') continue;
      expect([canCancel(status), canRetry(status), canPlay(status)], status).toContain(true);
    }
    expect(canCancel('success')).toBe(false);
    expect(canRetry('running')).toBe(false);
  });

  it('is final when nothing more can happen by itself', () => {
    expect(allStatuses.filter(isFinal)).toEqual(['success', 'failed', 'canceled', 'skipped']);
  });
});

describe('the picture in the tab', () => {
  it('carries the state', () => {
    expect(faviconAddress(null)).toBe('/favicon.svg');
    expect(faviconAddress(look('failed'))).toMatch(/^data:image\/svg\+xml,/);
    expect(faviconAddress(look('failed'))).not.toBe(faviconAddress(look('success')));
  });
});
