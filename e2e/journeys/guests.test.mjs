/** Guests at the door: waiting, getting in, being told that a room is not for them, and the way to the sign-in and back. */

import assert from 'node:assert/strict';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { staysTrue, untilEqual } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url);

journey('a guest waits until somebody of the house is in, and gets in by themselves', async () => {
  await place.house.addRoom(ANNA, 'public/Sprechstunde');
  const [gast, anna] = await Promise.all([person(3), person(1)]);
  await gast.comeAsGuest('Gast', '/r/public/Sprechstunde');
  await gast.join();
  await gast.reads('Nobody of the house is here yet');
  await staysTrue('the guest is outside', 1000, async () => !(await gast.button('Leave').isVisible()));

  await anna.signInAt(ANNA, '/r/public/Sprechstunde');
  await anna.join();
  await anna.isInside();
  await gast.isInside();
  await gast.hasTilesOf(anna);
  await gast.sees(anna);
  await gast.hears(anna);
  await anna.hasTilesOf(gast);
  await anna.sees(gast);
  await anna.hears(gast);

  // Who is inside stays when the last account goes.
  await anna.leave();
  await gast.hasTilesOf();
  await staysTrue('the guest is inside', 1000, () => gast.button('Leave').isVisible());
});

journey('a guest at a closed room is told so, and the sign-in comes back to the same door', async () => {
  await place.house.addUser(BELA);
  await place.house.addRoom(ANNA, 'Interne Runde');
  const somebody = await person(4);
  await somebody.goto('/r/Interne%20Runde');
  await somebody.reads('This room is not open to guests');
  assert.equal(await somebody.button('Join').count(), 0);

  await somebody.page.getByRole('button', { name: /sign in|account/i }).or(somebody.page.getByRole('link', { name: /sign in|account/i })).first().click();
  await somebody.signIn(BELA);
  await somebody.button('Join').waitFor();
  assert.equal(new URL(somebody.page.url()).pathname, '/r/Interne%20Runde');
  await somebody.join();
  await somebody.isInside();
});

journey('opening and closing a room lets guests in and keeps them out', async () => {
  await place.house.addRoom(ANNA, 'Werkstatt');
  const [anna, gast] = await Promise.all([person(1), person(3)]);
  await anna.signInAt(ANNA, '/r/Werkstatt');
  await anna.button('Share link').click();
  await anna.page.getByRole('switch', { name: 'Allow guests' }).click();
  await anna.reads('With this link, everyone can enter, without an account.');
  await untilEqual('the public address', '/r/public/Werkstatt', () => new URL(anna.page.url()).pathname);

  await gast.comeAsGuest('Gast', '/r/public/Werkstatt');
  await gast.join();
  await gast.reads('Nobody of the house is here yet');

  await anna.page.getByRole('switch', { name: 'Allow guests' }).click();
  await gast.reads(/closed to guests|not open to guests/);
});
