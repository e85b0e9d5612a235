/** The server goes away, by order and by force, and everybody comes back to their seat by themselves. */

import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';

const { journey, person, place } = journeys(import.meta.url);
const ROOM = '/r/public/Abendrunde';

journey('a restart of the server, and a kill, bring everybody back', async () => {
  await place.house.addRoom(ANNA, 'public/Abendrunde');
  const [anna, gast] = await Promise.all([person(1), person(2)]);
  await anna.signInAt(ANNA, ROOM);
  await anna.join();
  await anna.isInside();
  await gast.comeAsGuest('Gast', ROOM);
  await gast.join();
  await bothMeet(anna, gast);

  for (const end of /** @type {const} */ (['stop', 'kill'])) {
    await place.house[end]();
    await anna.reads(end === 'stop' ? 'The server is restarting. You will be back in a moment.' : 'Connection lost. Restoring it …');
    await place.house.start();
    await bothMeet(anna, gast);
  }
});

/** @param {import('../harness/person.mjs').Person} one @param {import('../harness/person.mjs').Person} other */
async function bothMeet(one, other) {
  for (const [reader, seen] of /** @type {const} */ ([[one, other], [other, one]])) {
    await reader.isInside();
    await reader.hasTilesOf(seen);
    await reader.sees(seen);
    await reader.hears(seen);
  }
}
