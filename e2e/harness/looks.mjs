/** What is looked for at each stop of a walk, and the walk itself: one browser, bots as company, and all that was found. */

import assert from 'node:assert/strict';
import { faults, overflow } from './axe.mjs';
import { crowd } from './crowd.mjs';
import { atFarEnd, launch } from './person.mjs';

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };

/** @typedef {(screen: string, person: import('./person.mjs').Person) => Promise<string[]>} Look */

/** In both themes and two sizes axe finds nothing, and nothing overflows. @type {Look} */
export async function byAxe(screen, person) {
  /** @type {string[]} */
  const found = [];
  for (const viewport of [DESKTOP, PHONE]) {
    await person.page.setViewportSize(viewport);
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      // Nothing is looked at while it moves.
      await person.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await person.rests();
      found.push(...(await faults(person)).map((fault) => `${screen}, ${colorScheme}, ${viewport.width}: ${fault}`));
    }
    if ((await overflow(person)) > 0) found.push(`${screen}: ${await overflow(person)} px beyond the edge of ${viewport.width}`);
  }
  return found;
}

/** Nothing lies beyond the edge of a phone. @type {Look} */
export async function onPhone(screen, person) {
  await person.page.setViewportSize(PHONE);
  await person.page.emulateMedia({ reducedMotion: 'reduce' });
  await person.rests();
  assert.equal(await person.page.evaluate(() => document.documentElement.lang), 'de');
  const beyond = await overflow(person);
  return beyond > 0 ? [`${screen}: ${beyond} px beyond the edge`] : [];
}

/**
 * @param {import('./house.mjs').House} house
 * @param {import('./words.mjs').Language} language
 * @param {(walk: import('./tour.mjs').Walk) => Promise<void>} tour
 * @param {Look} look
 */
export function walk(house, language, tour, look) {
  return walkTogether(house, [[language, look]], tour);
}

/**
 * Several walk at the same time, where what they look at takes long to come.
 * @param {import('./house.mjs').House} house
 * @param {readonly (readonly [import('./words.mjs').Language, Look])[]} walkers
 * @param {(...walks: [import('./tour.mjs').Walk, ...import('./tour.mjs').Walk[]]) => Promise<void>} tour
 */
export async function walkTogether(house, walkers, tour) {
  /** @type {string[]} */
  const found = [];
  // Where there is a line, whoever walks is at its far end.
  const browser = await launch('files', 1, house.line ? atFarEnd(house.line) : {});
  const [first, ...others] = walkers.map(([language, look]) => ({
    house,
    browser,
    language,
    journey: 'access',
    company: (/** @type {string} */ room) => crowd(house, room, 2),
    stop: async (/** @type {string} */ screen, /** @type {import('./person.mjs').Person} */ person) => {
      found.push(...(await look(screen, person)));
    },
  }));
  if (!first) throw new Error('nobody walks');
  await tour(first, ...others);
  assert.deepEqual(found, []);
}
