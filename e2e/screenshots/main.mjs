/**
 * Photographs every screen in two languages, two themes and three sizes into `docs/screens`, and what the app shows of itself
 * before it is installed into `web/public/screenshots`. With words after it, only the
 * files whose names contain one of them: `npm run screenshots -- meeting-en door-de-dark`.
 */

import { ANNA, BELA } from '../harness/house.mjs';
import { tour } from '../harness/tour.mjs';
import { callsTour } from '../harness/tour_calls.mjs';
import { ownTour } from '../harness/tour_own.mjs';
import { roomsTour } from '../harness/tour_rooms.mjs';
import { LANGUAGES, photograph, taken } from './studio.mjs';

for (const language of LANGUAGES) {
  await photograph('screenshots', language, tour);
  await photograph('screenshots-own', language, async (walk) => {
    await walk.house.setUp(ANNA);
    await ownTour(walk);
  });
  await photograph('screenshots-rooms', language, async (walk) => {
    await walk.house.setUp(ANNA);
    await walk.house.addUser(BELA);
    await roomsTour(walk);
  });
  await photograph('screenshots-calls', language, async (walk) => {
    await walk.house.setUp(ANNA);
    await callsTour(walk);
  });
}
console.log(`${taken()} pictures`);
// Runs in a network of its own, and is the last.
await import('./lines.mjs');
