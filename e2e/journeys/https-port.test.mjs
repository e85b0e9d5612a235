/** Networks that let nothing but HTTPS out, to a Stube that speaks TLS itself: media comes over the same port. */

import assert from 'node:assert/strict';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { ownNetwork } from '../harness/netem.mjs';

// The house made its certificate itself.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const flags = ['--ignore-certificate-errors'];

if (await ownNetwork(import.meta.url)) {
  const { journey, person, place } = journeys(import.meta.url, { line: true, lan: true });

  journey('with nothing but the port of HTTPS open, sound and pictures come over that', async () => {
    const { line, house } = place;
    await line.is({ loss: 100, spares: house.port });
    await house.addRoom(ANNA, 'public/Schleuse');
    const [anna, gast] = await Promise.all([person(1, { flags }), person(2, { far: true, flags })]);
    await anna.signInAt(ANNA, '/r/public/Schleuse');
    await anna.join();
    await anna.isInside();
    await gast.comeAsGuest('Gast', '/r/public/Schleuse');
    const begun = Date.now();
    await gast.join();
    await gast.isInside();
    await gast.sees(anna);
    await gast.hears(anna);
    console.log(`HTTPS alone: seen and heard ${Date.now() - begun} ms after the click on Join`);
    await anna.sees(gast);
    await anna.hears(gast);
    assert.equal((await line.probe({ count: 5 })).returned, 0);
    assert.deepEqual(await gast.protocols(), ['tcp']);
  });
}
