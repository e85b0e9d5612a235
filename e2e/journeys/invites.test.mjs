/** Invitations into a room that is not open, from the share sheet to the end of the visit; and meeting in an open house. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { outFolder } from '../harness/paths.mjs';

const { journey, person, place } = journeys(import.meta.url, { env: { RUST_LOG: 'trace' } });
const open = journeys(new URL('./open-house.test.mjs', import.meta.url).href, { env: { STUBE__POLICY__OPEN_HOUSE: 'true' } });

/** From taking back to being out, as promised. */
const OUT_MS = 2000;

journey('an invite lets a guest into a closed room, and taking it back shows them out', async () => {
  await place.house.addRoom(ANNA, 'Vorstand');
  const [anna, gast] = await Promise.all([person(1), person(3)]);
  await anna.signInAt(ANNA, '/r/Vorstand');
  await anna.button('Share link').click();
  await anna.page.getByRole('tab', { name: 'Invitation' }).click();
  await anna.page.getByLabel('Good for').selectOption('day');
  await anna.button('Create invitation').click();
  const link = await anna.page.getByRole('dialog').getByLabel('Link', { exact: true }).inputValue();
  assert.match(link, /\/join#[\w-]{43}$/);
  await anna.reads(/^Expires on/);
  await anna.page.keyboard.press('Escape');

  await gast.goto(`${link}&name=Gast`);
  gast.name = 'Gast';
  await gast.reads('Who may enter: Accounts of this house, and those invited');
  await gast.join();
  await gast.reads('Nobody of the house is here yet');
  await anna.join();
  await gast.isInside();
  await gast.sees(anna);
  await anna.sees(gast);
  await anna.hears(gast);
  assert.equal(gast.page.url(), link);

  // A reload comes back to the same seat.
  await gast.page.reload();
  await gast.isInside();
  await gast.sees(anna);

  await anna.button('Share link').click();
  await anna.page.getByRole('tab', { name: 'Invitation' }).click();
  await anna.button('Take back').click();
  await anna.reads(anna.say('share.take_back_text'));
  await anna.button('Take back').last().click();
  const began = Date.now();
  await gast.reads('Your visit has ended');
  const took = Date.now() - began;
  assert.ok(took < OUT_MS, `out after ${took} ms`);
  await anna.page.keyboard.press('Escape');
  await anna.hasTilesOf();

  await gast.button('Join again').click();
  await gast.reads('This invitation is not good any more');
  const secret = new URL(link).hash.slice(1);
  const log = readFileSync(join(outFolder('invites'), 'server.log'), 'utf8');
  assert.ok(!log.includes(secret), 'the secret stands in no log');
  const asked = [...anna.requests, ...gast.requests].filter((address) => address.includes(secret) && !address.includes(`/join#${secret}`));
  assert.deepEqual(asked, [], 'the secret stands in no address that is asked for');
});

journey('somebody with an account comes through an invite as themselves', async () => {
  await place.house.addUser(BELA);
  await place.house.addRoom(ANNA, 'Beirat');
  const made = await place.house.post(ANNA, 'rooms/invites', { room: 'Beirat', life_ms: 300_000 });
  const bela = await person(2);
  await bela.goto(`/join#${made.token}&auto=2`);
  await bela.button('Sign in').click();
  await bela.signIn(BELA);
  await bela.button('Join').waitFor();
  await bela.reads('As Béla Brandt');
  assert.equal(new URL(bela.page.url()).pathname, '/r/Beirat');
  // A stranger's link decides nothing.
  await bela.agreeToDevices();
  assert.equal(await bela.button('Leave').count(), 0);
  await bela.join();
  await bela.isInside();
});

open.journey('in an open house people without an account make a room and meet in it', async () => {
  const { person: comer } = open;
  const [erste, zweite] = await Promise.all([comer(3), comer(4)]);
  await erste.goto('/');
  await erste.field('Room name').fill('Nachbarschaft');
  await erste.button('Enter room').click();
  await erste.reads('New room. Nobody here yet.');
  assert.equal(new URL(erste.page.url()).pathname, '/r/public/Nachbarschaft');
  await erste.field('Your name').fill('Erste');
  erste.name = 'Erste';
  await erste.join();
  await erste.isInside();

  await zweite.comeAsGuest('Zweite', '/r/public/Nachbarschaft');
  await zweite.join();
  await zweite.isInside();
  await zweite.sees(erste);
  await erste.sees(zweite);
  await erste.hears(zweite);
  await erste.leave();
  await erste.button('To the home page').click();
  await erste.field('Room name').waitFor();
});

open.journey('an open house keeps closed rooms closed and has a way to sign in', async () => {
  await open.place.house.addRoom(ANNA, 'Interne Runde');
  const gast = await open.person(3);
  await gast.goto('/');
  await gast.field('Room name').fill('Interne Runde');
  await gast.button('Enter room').click();
  await gast.reads('This room is not open to guests');
  await gast.goto('/');
  await gast.button('Sign in').click();
  await gast.signIn(ANNA);
  await gast.button('New call').waitFor();
});
