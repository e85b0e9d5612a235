/** Without camera and microphone, for whatever reason, one still joins; and the way back to them is shown. */

import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';

const { journey, person, place } = journeys(import.meta.url);

for (const [devices, words] of /** @type {const} */ ([
  ['denied', /are blocked/],
  ['camera-denied', /The camera is blocked/],
  ['none', /No camera and no microphone found/],
])) {
  journey(`somebody whose devices are ${devices} joins, sees and hears`, async () => {
    // A room for each: who went home without a word keeps a seat for a while.
    const room = `public/Probe ${devices}`;
    await place.house.addRoom(ANNA, room);
    const path = `/r/${encodeURI(room)}`;
    const [anna, gast] = await Promise.all([person(1), person(3, { devices })]);
    await anna.signInAt(ANNA, path);
    await anna.join();
    await anna.isInside();

    await gast.comeAsGuest('Gast', path);
    await gast.agreeToDevices();
    await gast.reads(words);
    await gast.button('Join').click();
    await gast.isInside();
    await gast.hasTilesOf(anna);
    await gast.sees(anna);
    await gast.hears(anna);
    await anna.hasTilesOf(gast);
    await anna.seesNoPictureOf(gast);
    await gast.button('Turn camera on').waitFor();
    if (devices === 'camera-denied') await anna.hears(gast);
  });
}
