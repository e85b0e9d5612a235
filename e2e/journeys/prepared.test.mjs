/** The media connection comes up at the door: it is used by the join, nobody inside hears of it, and without it joining works as ever. */

import assert from 'node:assert/strict';
import { FirefoxPerson } from '../harness/firefox.mjs';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { staysTrue, until, untilEqual } from '../harness/wait.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const { journey, person, place } = journeys(import.meta.url);

/** Anna is inside her room. @param {string} name */
async function annaIn(name) {
  await place.house.addRoom(ANNA, `public/${name}`);
  const anna = await person(1);
  await anna.signInAt(ANNA, `/r/public/${name}`);
  await anna.join();
  await anna.isInside();
  return anna;
}

/** Goes in and says what was sent to get there. @param {Person} who */
async function goIn(who) {
  await who.timeFirstFrame('Join');
  await who.button('Join').click();
  await until('the first frame', () => who.firstFrameMs());
  return (await who.wayIn()).filter((step) => step.startsWith('> ')).map((step) => step.split(' ')[1]);
}

journey('accounts and guests come in with what came up at the door, and nobody knew', async () => {
  await place.house.addUser(BELA);
  const anna = await annaIn('Vorbereitet');
  const [bela, gast] = await Promise.all([person(2), person(3)]);
  await bela.signInAt(BELA, '/r/public/Vorbereitet');
  await bela.agreeToDevices();
  await gast.comeAsGuest('Gast', '/r/public/Vorbereitet');
  await gast.agreeToDevices();
  for (const who of [bela, gast]) await who.isPrepared();
  await staysTrue('Anna is alone', 1_000, async () => (await anna.tiles()).length === 0);

  for (const who of [bela, gast]) {
    const sent = await goIn(who);
    assert.equal(sent[0], 'join_room');
    assert.ok(!sent.includes('offer'), `no other connection was made: ${sent}`);
    await who.sees(anna);
    await who.hears(anna);
    await anna.sees(who);
    await anna.hears(who);
  }
});

journey('Firefox comes in with what came up at the door', async () => {
  const anna = await annaIn('Fuchsbau');
  const fritz = await FirefoxPerson.arrive(place.house);
  try {
    await fritz.comeAsGuest('Fritz', '/r/public/Fuchsbau');
    await until('the media of Firefox to be prepared', async () => (await fritz.transports()).some(({ state }) => state === 'connected'));
    const before = (await fritz.transports()).length;
    await fritz.click('Join');
    await fritz.isInside();
    await untilEqual('the right face in Firefox', anna.equipment.identity, () => fritz.barcode(anna.name), { timeoutMs: 30_000 });
    await until("Firefox's face before Anna", async () => {
      const seen = await anna.barcode(fritz.name);
      return seen === 'no barcode' || typeof seen === 'number';
    });
    assert.equal((await fritz.transports()).length, before, 'no other connection was made');
    assert.deepEqual(fritz.errors(), []);
  } catch (error) {
    await fritz.keepEvidence('prepared');
    throw error;
  } finally {
    await fritz.goHome();
  }
});

journey('whoever loses what was prepared comes in all the same', async () => {
  const anna = await annaIn('Verloren');
  const gast = await person(2);
  await gast.comeAsGuest('Gast', '/r/public/Verloren');
  await gast.agreeToDevices();
  await gast.isPrepared();
  // Who has to knock has no right to a connection of their own; what is gone does not come back by itself.
  await place.house.changeRoom(ANNA, { name: 'Verloren', knock: true });
  await until('it to end', async () => (await gast.transports()).every(({ state }) => state !== 'connected'));
  await place.house.changeRoom(ANNA, { name: 'Verloren', knock: false });
  assert.ok((await goIn(gast)).includes('offer'), 'a connection is made inside');
  await gast.sees(anna);
  await anna.sees(gast);
});

journey('a door that is left gives back what it had', async () => {
  await place.house.addRoom(ANNA, 'public/Drehtür');
  const anna = await person(1);
  await anna.signInAt(ANNA, '/r/public/Drehtür');
  // More often than one account may have at once.
  for (let round = 0; round < 6; round++) {
    await anna.agreeToDevices();
    await anna.isPrepared();
    await anna.goto('/');
    await anna.goto('/r/public/Drehtür');
  }
  await anna.isPrepared();
});
