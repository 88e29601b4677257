import { describe, expect, it } from 'vitest';
import { filterOf, fits, isFiltered, noFilter } from '../../../src/lib/pipelines/pipeline_filter';
import { makePipeline } from '../../support/values';

const with_ = (values: Partial<typeof noFilter>) => ({ ...noFilter, ...values });

describe('the filter of an address', () => {
  it('has every part that the address has', () => {
    const filter = filterOf(new URLSearchParams('ref=main&search=tax&other=1'));
    expect(filter).toEqual(with_({ ref: 'main', search: 'tax' }));
    expect(isFiltered(filter)).toBe(true);
    expect(isFiltered(filterOf(new URLSearchParams('page=2')))).toBe(false);
  });
});

describe('a pipeline fits', () => {
  const pipeline = makePipeline({
    iid: 12,
    ref: 'topic/Tax',
    source: 'web',
    sha: 'ab12',
    name: 'Nightly',
    user: {
      id: 1,
      username: 'ann',
      name: 'ann',
      state: 'active',
      bot: false,
      is_admin: false,
    },
  });

  it.each([
    ['everything', {}],
    ['its ref', { ref: 'topic/Tax' }],
    ['its state and event', { status: 'running', source: 'web' }],
    ['its user, whatever the case', { username: 'ANN' }],
    ['a part of its title', { search: 'COMM' }],
    ['a part of its ref', { search: 'tax' }],
    ['a part of its author', { search: 'ada' }],
    ['a part of its name', { search: 'night' }],
    ['the beginning of its commit', { search: 'AB1' }],
    ['its number', { search: '#12' }],
  ])('%s', (_, filter) => expect(fits(pipeline, with_(filter))).toBe(true));

  it.each([
    ['a part of its ref as the ref', { ref: 'topic' }],
    ['the author when a user triggered it', { username: 'Ada' }],
    ['the middle of its commit', { search: 'b12' }],
    ['another number', { search: '#1' }],
    ['another event', { source: 'push' }],
  ])('not %s', (_, filter) => expect(fits(pipeline, with_(filter))).toBe(false));

  it('its author where nobody of this server triggered it', () => {
    expect(fits(makePipeline(), with_({ username: 'ada' }))).toBe(true);
  });
});
