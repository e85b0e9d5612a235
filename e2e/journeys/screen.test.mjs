/** A shared screen stands beside the face, and goes when it is stopped. */

import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url);

journey('a screen is shared, seen and taken away', async () => {
  await place.house.addRoom(ANNA, 'public/Vortrag');
  const [anna, gast] = await Promise.all([person(1), person(2)]);
  await anna.signInAt(ANNA, '/r/public/Vortrag');
  await anna.join();
  await anna.isInside();
  await gast.comeAsGuest('Gast', '/r/public/Vortrag');
  await gast.join();
  await gast.hasTilesOf(anna);

  const screen = `Screen of ${anna.name}`;
  await anna.button('Share screen').click();
  await gast.hasTilesOf(anna, { name: screen });
  // Chromium's stand-in for a screen has no barcode; fresh frames of it do come.
  await until('the screen before the guest', async () => {
    const seen = await gast.barcode(screen);
    return seen === 'no barcode' || typeof seen === 'number';
  });
  await gast.sees(anna);
  await anna.button('Stop sharing screen').click();
  await gast.hasTilesOf(anna);
  await untilEqual('the face after the screen', anna.equipment.identity, () => gast.barcode(anna.name));
  await gast.hears(anna);
});
