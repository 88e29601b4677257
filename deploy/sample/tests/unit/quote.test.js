import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidParcel, quote } from '../../src/quote.js';

test('a started kilogram counts as a whole one', () => {
  assert.equal(quote({ kilograms: 1, litres: 5, zone: 'domestic' }), 510);
  assert.equal(quote({ kilograms: 1.1, litres: 5, zone: 'domestic' }), 630);
});

test('a bulky parcel costs more', () => {
  assert.equal(quote({ kilograms: 1, litres: 60, zone: 'domestic' }), 510);
  assert.equal(quote({ kilograms: 1, litres: 61, zone: 'domestic' }), 1010);
});

test('the zone multiplies the price', () => {
  assert.equal(quote({ kilograms: 2, litres: 5, zone: 'neighbour' }), 945);
  assert.equal(quote({ kilograms: 2, litres: 5, zone: 'world' }), 1733);
});

test('a weight that is no sensible number is refused by name', () => {
  for (const kilograms of [0, -1, 31, '2', NaN, undefined]) {
    assert.throws(() => quote({ kilograms, litres: 5, zone: 'domestic' }),
      new InvalidParcel('kilograms must be a number above 0 and at most 30'));
  }
});

test('an unknown zone is refused with the known ones', () => {
  assert.throws(() => quote({ kilograms: 1, litres: 5, zone: 'moon' }),
    new InvalidParcel('zone must be one of domestic, neighbour, world'));
});
