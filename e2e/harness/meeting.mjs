/** How journeys begin that happen in a meeting: Anna of the house and a guest, both inside. */

import { ANNA } from './house.mjs';

/**
 * @param {Pick<ReturnType<typeof import('./journey.mjs').journeys>, 'person' | 'place'>} frame of the file
 * @param {string} room made for it, and open
 * @param {Partial<import('./person.mjs').Equipment>} [equipment] of the guest
 * @param {() => Promise<void>} [meanwhile] before the guest comes in
 * @param {Partial<import('./person.mjs').Equipment>} [own] equipment of Anna
 */
export async function meeting({ person, place }, room, equipment, meanwhile = async () => {}, own = {}) {
  await place.line?.is({});
  await place.house.addRoom(ANNA, `public/${room}`);
  const [anna, gast] = await Promise.all([person(1, own), person(2, equipment)]);
  await anna.signInAt(ANNA, `/r/public/${room}`);
  await anna.join();
  await anna.isInside();
  await gast.comeAsGuest('Gast', `/r/public/${room}`);
  await meanwhile();
  await gast.join();
  await gast.isInside();
  await anna.hasTilesOf(gast);
  return /** @type {const} */ ([anna, gast]);
}
