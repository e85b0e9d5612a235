/** Networks that let no UDP through: sound and pictures come over TCP, and nobody has to do anything for it. */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { FirefoxPerson } from '../harness/firefox.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { meeting as inMeeting } from '../harness/meeting.mjs';
import { forbidUdp, ownNetwork } from '../harness/netem.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

/** As long as that may take from the entrance on. */
const LONGEST_MS = 8_000;
/** Nobody else is in this network. */
const MEDIA_PORT = 10_000;
const NO_UDP = /** @type {const} */ ({ only_loses: 'udp', loss: 100 });

if (await ownNetwork(import.meta.url)) {
  const frame = journeys(import.meta.url, { line: true, env: { STUBE__MEDIA__PORT: `${MEDIA_PORT}` } });
  const { journey, person, place } = frame;

  /** @param {Person} one @param {Person} other */
  const meet = async (one, other) => {
    for (const [reader, seen] of /** @type {const} */ ([[one, other], [other, one]])) {
      await reader.sees(seen);
      await reader.hears(seen);
    }
  };

  /** That the line loses all UDP, the browser's too. */
  const losesUdp = async () => {
    assert.equal((await place.line.probe({ count: 5 })).returned, 0);
    const { to_near } = await place.line.counts();
    assert.ok(to_near.lost > 5, `${to_near.lost} packets were lost`);
  };

  journey('where no UDP gets through, sound and pictures come over TCP within seconds', async () => {
    const { line, house } = place;
    await line.is(NO_UDP);
    await house.addRoom(ANNA, 'public/Sperre');
    const [anna, gast] = await Promise.all([person(1), person(2, { far: true })]);
    await anna.signInAt(ANNA, '/r/public/Sperre');
    await anna.join();
    await anna.isInside();
    await gast.comeAsGuest('Gast', '/r/public/Sperre');
    const begun = Date.now();
    await gast.join();
    await gast.isInside();
    await gast.sees(anna);
    await gast.hears(anna);
    const took = Date.now() - begun;
    await meet(anna, gast);
    console.log(`no UDP: seen and heard ${took} ms after the click on Join`);
    assert.ok(took <= LONGEST_MS, `${took} ms`);
    await losesUdp();
    await untilEqual('each on the way that is there', [['udp'], ['tcp']], () => Promise.all([anna.protocols(), gast.protocols()]));
    // Said to whoever looks, and to nobody else.
    await gast.button(gast.say('meeting.people_open')).click();
    await gast.button(gast.say('connection.title')).click();
    const now = gast.page.getByRole('dialog', { name: gast.say('connection.now') });
    await now.getByText(gast.say('connection.over_tcp')).waitFor();
  });

  journey('a line that stops letting UDP through in the middle of a meeting is left for TCP, and nothing breaks when it does again', async () => {
    const { line } = place;
    const [anna, gast] = await inMeeting(frame, 'Wechsel', { far: true });
    await meet(anna, gast);
    // Where both work, UDP it is.
    await untilEqual('the way', ['udp'], () => gast.protocols());
    await gast.followSoundOf(anna);
    const blocked = Date.now();
    await line.is(NO_UDP);
    const back = await until('sound over TCP', async () => {
      const over = await gast.protocols();
      return over.includes('tcp') ? (await gast.arrivals()).find((at) => at > blocked + 500) : undefined;
    }, { timeoutMs: 30_000 });
    console.log(`UDP blocked in a meeting: sound again after ${Math.round(back - blocked)} ms`);
    await meet(anna, gast);
    await losesUdp();
    await line.is({});
    await meet(anna, gast);
    await untilEqual('a living connection', 'connected', async () => (await gast.transports())[0]?.state);
  });

  // The last one: there is no UDP for anybody from then on.
  journey('Firefox comes over TCP as well', async () => {
    const { house } = place;
    forbidUdp(MEDIA_PORT);
    const socket = createSocket('udp4');
    const refused = await new Promise((resolve) => socket.send('x', MEDIA_PORT, place.line.near, resolve));
    socket.close();
    assert.ok(refused instanceof Error, 'UDP still leads to the media port');
    await house.addRoom(ANNA, 'public/Fuchs');
    const fritz = await FirefoxPerson.arrive(house);
    try {
      const anna = await person(1);
      await anna.signInAt(ANNA, '/r/public/Fuchs');
      await anna.join();
      await anna.isInside();
      await fritz.comeAsGuest('Fritz', '/r/public/Fuchs');
      const begun = Date.now();
      await fritz.click('Join');
      await fritz.isInside();
      await untilEqual('the right face in Firefox', anna.equipment.identity, () => fritz.barcode(anna.name));
      console.log(`no UDP: seen in Firefox ${Date.now() - begun} ms after the click on Join`);
      await until("Firefox's voice in Anna's ears", async () => {
        const tone = await anna.tone(fritz.name);
        return typeof tone !== 'string' && tone.db > -60;
      });
      assert.deepEqual([await anna.protocols(), await fritz.protocols()], [['tcp'], ['tcp']]);
    } catch (error) {
      await fritz.keepEvidence('no-udp');
      throw error;
    } finally {
      await fritz.goHome();
    }
  });
}
