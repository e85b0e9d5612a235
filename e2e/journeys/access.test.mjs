/** Every screen, in both themes: axe finds nothing. At a phone's width, in both languages: nothing lies beyond the edge. */

import assert from 'node:assert/strict';
import { faults, overflow } from '../harness/axe.mjs';
import { crowd } from '../harness/crowd.mjs';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { launch } from '../harness/person.mjs';
import { tour as meetingTour } from '../harness/tour.mjs';
import { callsTour } from '../harness/tour_calls.mjs';
import { ownTour } from '../harness/tour_own.mjs';
import { roomsTour } from '../harness/tour_rooms.mjs';

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };

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

/** @typedef {(screen: string, person: import('../harness/person.mjs').Person) => Promise<string[]>} Look */

/** @type {Look} */
async function byAxe(screen, person) {
  /** @type {string[]} */
  const found = [];
  for (const viewport of [DESKTOP, PHONE]) {
    await person.page.setViewportSize(viewport);
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await person.page.emulateMedia({ colorScheme });
      await person.rests();
      found.push(...(await faults(person)).map((fault) => `${screen}, ${colorScheme}, ${viewport.width}: ${fault}`));
    }
    if ((await overflow(person)) > 0) found.push(`${screen}: ${await overflow(person)} px beyond the edge of ${viewport.width}`);
  }
  return found;
}

/** @type {Look} */
async function onPhone(screen, person) {
  await person.page.setViewportSize(PHONE);
  assert.equal(await person.page.evaluate(() => document.documentElement.lang), 'de');
  const beyond = await overflow(person);
  return beyond > 0 ? [`${screen}: ${beyond} px beyond the edge`] : [];
}

/**
 * @param {import('../harness/house.mjs').House} house
 * @param {import('../harness/words.mjs').Language} language
 * @param {(walk: import('../harness/tour.mjs').Walk) => Promise<void>} tour
 * @param {Look} look
 */
async function walk(house, language, tour, look) {
  /** @type {string[]} */
  const found = [];
  const browser = await launch('files', 1);
  await tour({
    house,
    browser,
    language,
    journey: 'access',
    company: (room) => crowd(house, room, 2),
    stop: async (screen, person) => {
      found.push(...(await look(screen, person)));
    },
  });
  assert.deepEqual(found, []);
}
