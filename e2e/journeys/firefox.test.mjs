/** Firefox and Chromium in one call, in both directions. */

import assert from 'node:assert/strict';
import { FirefoxPerson } from '../harness/firefox.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url);
const AES_GCM = /AES_?(128|256)_?GCM/;

journey('Firefox and Chromium see and hear each other', async () => {
  await place.house.addRoom(ANNA, 'public/Beide');
  const fritz = await FirefoxPerson.arrive(place.house);
  try {
    const anna = await person(1);
    await anna.signInAt(ANNA, '/r/public/Beide');
    await anna.join();
    await anna.isInside();
    await fritz.comeAsGuest('Fritz', '/r/public/Beide');
    await fritz.click('Join');
    await fritz.isInside();

    await untilEqual('the tiles in Firefox', [anna.name], () => fritz.tiles());
    await untilEqual('the right face in Firefox', anna.equipment.identity, () => fritz.barcode(anna.name), { timeoutMs: 30_000 });
    await until('the right voice in Firefox', async () => {
      const tone = await fritz.tone(anna.name);
      return typeof tone !== 'string' && tone.db > -60 && Math.abs(tone.hz - 400) <= 15;
    });
    await anna.hasTilesOf(fritz);
    // Firefox's own picture has no barcode; that fresh frames of it are shown is what can be told.
    await until("Firefox's face before Anna", async () => {
      const seen = await anna.barcode(fritz.name);
      return seen === 'no barcode' || typeof seen === 'number';
    });
    await until("Firefox's voice in Anna's ears", async () => {
      const tone = await anna.tone(fritz.name);
      return typeof tone !== 'string' && tone.db > -60;
    });
    for (const someone of [anna, fritz]) {
      const transports = await someone.transports();
      assert.ok(transports.length > 0, 'there is a transport');
      for (const transport of transports) assert.match(transport.srtp, AES_GCM);
    }
    assert.deepEqual(fritz.errors(), []);
    const own = new URL(place.house.url).host;
    const foreign = fritz.requests.filter((address) => !/^(data|blob|about|moz-extension):/.test(address) && new URL(address).host !== own);
    assert.deepEqual(foreign, [], 'Firefox asked no other host');
  } catch (error) {
    await fritz.keepEvidence('firefox');
    throw error;
  } finally {
    await fritz.goHome();
  }
});
