// The price of a parcel, in cents. Pure: no I/O, so that every rule is tested by calling it.

const BASE = 390;
const PER_KILOGRAM = 120;
const BULKY_LITRES = 60;
const BULKY_SURCHARGE = 500;
const ZONES = { domestic: 1, neighbour: 1.5, world: 2.75 };

export class InvalidParcel extends Error {}

function positive(parcel, field, limit) {
  const value = parcel[field];
  if (typeof value !== 'number' || !(value > 0) || value > limit) {
    throw new InvalidParcel(`${field} must be a number above 0 and at most ${limit}`);
  }
  return value;
}

export function quote(parcel) {
  const weight = positive(parcel, 'kilograms', 30);
  const volume = positive(parcel, 'litres', 200);
  if (!Object.hasOwn(ZONES, parcel.zone)) {
    throw new InvalidParcel(`zone must be one of ${Object.keys(ZONES).join(', ')}`);
  }
  const surcharge = volume > BULKY_LITRES ? BULKY_SURCHARGE : 0;
  const started = Math.ceil(weight);
  return Math.round((BASE + started * PER_KILOGRAM + surcharge) * ZONES[parcel.zone]);
}
