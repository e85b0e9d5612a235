/** Every screen, in both themes: axe finds nothing. At a phone's width, in both languages: nothing lies beyond the edge. */

import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { byAxe, onPhone, walk } from '../harness/looks.mjs';
import { tour as meetingTour } from '../harness/tour.mjs';
import { callsTour } from '../harness/tour_calls.mjs';
import { ownTour } from '../harness/tour_own.mjs';
import { roomsTour } from '../harness/tour_rooms.mjs';

const { journey, place, another } = journeys(import.meta.url, { setUp: false });

journey('axe finds nothing on any screen of the meeting, in both themes; nothing overflows a phone', async () => {
  await walk(place.house, 'en', meetingTour, byAxe);
});

journey('axe finds nothing in account and administration, in both themes; nothing overflows a phone', async () => {
  const house = await another();
  await house.setUp(ANNA);
  await walk(house, 'en', ownTour, byAxe);
});

journey('axe finds nothing in rooms of one\'s own and at doors where one knocks', async () => {
  const house = await another();
  await house.setUp(ANNA);
  await house.addUser(BELA);
  await walk(house, 'en', roomsTour, byAxe);
});

journey('the German words of rooms of one\'s own and of knocking fit on a phone', async () => {
  const house = await another();
  await house.setUp(ANNA);
  await house.addUser(BELA);
  await walk(house, 'de', roomsTour, onPhone);
});

journey('axe finds nothing in a call of two, in both themes, and the German words fit on a phone', async () => {
  for (const [language, look] of /** @type {const} */ ([['en', byAxe], ['de', onPhone]])) {
    const house = await another();
    await house.setUp(ANNA);
    await walk(house, language, callsTour, look);
  }
});

journey('the German words fit on a phone', async () => {
  await walk(await another(), 'de', meetingTour, onPhone);
});

journey('the German words of account and administration fit on a phone', async () => {
  const house = await another();
  await house.setUp(ANNA);
  await walk(house, 'de', ownTour, onPhone);
});
