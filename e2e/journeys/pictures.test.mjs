/** What nobody looks at costs nothing, what somebody looks at comes at once, and a shared screen fits what it is for. */

import assert from 'node:assert/strict';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url);
/** Several times what is measured: journeys run on busy machines. */
const SOON_MS = 5_000;

/** Rids of the encodings that go out now, and kbit/s of all pictures. @param {import('../harness/person.mjs').Person} who */
async function sends(who, ms = 1_500) {
  const before = await who.sent();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const after = await who.sent();
  const grown = after.flatMap(({ kind, rid, bytes }, i) => {
    const more = bytes - (before[i]?.bytes ?? 0);
    return kind === 'video' && more > 0 ? [{ rid, kbps: (more * 8) / ms }] : [];
  });
  return { rids: grown.map(({ rid }) => rid).sort().join(' '), kbps: Math.round(grown.reduce((all, one) => all + one.kbps, 0)) };
}

journey('a camera is sent for those who look, and for nobody else', async () => {
  await place.house.addRoom(ANNA, 'public/Blicke');
  const [anna, gast] = await Promise.all([person(1), person(2)]);
  await anna.signInAt(ANNA, '/r/public/Blicke');
  await anna.join();
  await anna.isInside();
  await until('the smallest picture alone to be ready for the first who comes', async () => (await sends(anna)).rids === 'q');

  await gast.comeAsGuest('Gast', '/r/public/Blicke');
  await gast.join();
  await gast.hasTilesOf(anna);
  await gast.sees(anna);
  const two = await until('one size to be sent to one viewer', async () => {
    const sent = await sends(anna);
    return sent.rids.length === 1 ? sent : undefined;
  });
  console.log(`a talk of two: ${two.rids} with ${two.kbps} kbit/s`);

  await gast.hide(true);
  await until('nothing to be sent to a hidden page', async () => (await sends(anna)).rids === '');
  await gast.hears(anna);
  await gast.hide(false);
  const back = await gast.frameAfter(anna.name);
  console.log(`back from a hidden page: a fresh frame after ${back} ms`);
  assert.ok(back < SOON_MS, `${back} ms`);
  await gast.sees(anna);
});

journey('a screen is there at once for who comes late, and is sent as it is meant', async () => {
  await place.house.addRoom(ANNA, 'public/Folien');
  const [anna, gast] = await Promise.all([person(1), person(2)]);
  await anna.signInAt(ANNA, '/r/public/Folien');
  await anna.join();
  await anna.isInside();
  await anna.button('Share screen').click();
  await anna.page.getByText('Your screen is being shared').waitFor();
  await gast.comeAsGuest('Gast', '/r/public/Folien');
  await gast.agreeToDevices();
  const screen = `Screen of ${anna.name}`;
  const late = await gast.frameAfter(screen, 'Join');
  console.log(`a late viewer sees the screen ${late} ms after Join`);
  assert.ok(late < SOON_MS, `${late} ms`);

  await gast.hide(true);
  await until('the screen to be sent to nobody', async () => (await sends(anna)).rids === '');
  await gast.hide(false);
  const again = await gast.frameAfter(screen);
  console.log(`a screen that slept is back after ${again} ms`);
  assert.ok(again < SOON_MS, `${again} ms`);

  assert.deepEqual(await anna.hints(), ['text']);
  await anna.page.getByText('Smooth motion').click();
  await untilEqual('the screen to be meant for watching', ['motion'], () => anna.hints());
  await gast.hasTilesOf(anna, { name: screen });
  await until('fresh frames of it', async () => {
    const seen = await gast.barcode(screen);
    return seen === 'no barcode' || typeof seen === 'number';
  });
});
