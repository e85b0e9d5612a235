/** Every screen, in both themes: axe finds nothing. At a phone's width, in both languages: nothing lies beyond the edge. */

import assert from 'node:assert/strict';
import { faults, overflow } from '../harness/axe.mjs';
import { crowd } from '../harness/crowd.mjs';
import { journeys } from '../harness/journey.mjs';
import { launch } from '../harness/person.mjs';
import { tour } from '../harness/tour.mjs';

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };

const { journey, place, another } = journeys(import.meta.url, { setUp: false });

journey('axe finds nothing on any screen, in both themes; nothing overflows a phone', async () => {
  await walk(place.house, 'en', async (screen, person) => {
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
  });
});

journey('the German words fit on a phone', async () => {
  const house = await another();
  await walk(house, 'de', async (screen, person) => {
    await person.page.setViewportSize(PHONE);
    assert.equal(await person.page.evaluate(() => document.documentElement.lang), 'de');
    const beyond = await overflow(person);
    return beyond > 0 ? [`${screen}: ${beyond} px beyond the edge`] : [];
  });
});

/**
 * @param {import('../harness/house.mjs').House} house
 * @param {import('../harness/words.mjs').Language} language
 * @param {(screen: string, person: import('../harness/person.mjs').Person) => Promise<string[]>} look
 */
async function walk(house, language, look) {
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
