/** Rooms of one's own: pinned, renamed, deleted while somebody is inside, and the personal one. */

import assert from 'node:assert/strict';
import { isSound } from '../harness/axe.mjs';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { Person } from '../harness/person.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

const PHONE = { width: 360, height: 740 };

const { journey, person, place } = journeys(import.meta.url);

/** Names of the doors under a heading. @param {Person} who @param {string} heading */
async function doors(who, heading) {
  const list = who.page.getByRole('list', { name: heading, exact: true });
  const texts = await list.getByRole('link').allInnerTexts();
  return texts.map((text) => text.split('\n')[0]?.trim());
}

journey('a room is pinned, and stands in front on every device', async () => {
  for (const room of ['Küche', 'Garten', 'Dach']) await place.house.addRoom(ANNA, room);
  const anna = await person(1, { devices: 'none' });
  await anna.signInAtHome(ANNA);
  await anna.button('More about “Garten”').click();
  await anna.button('Pin').click();
  await untilEqual('the pinned room', ['Garten'], () => doors(anna, 'Pinned'));
  assert.deepEqual((await doors(anna, 'Own')).sort(), ['Dach', 'Küche']);
  await isSound(anna, 'rooms of mine');

  const phone = await Person.open(place.house, { ...anna.equipment, viewport: PHONE }, /** @type {any} */ (anna.browser));
  await phone.signInAtHome(ANNA);
  await untilEqual('the pinned room on the phone', ['Garten'], () => doors(phone, 'Pinned'));
  await isSound(phone, 'rooms of mine on a phone');
  await phone.button('More about “Garten”').click();
  await phone.button('Unpin').click();
  await until('nothing pinned on the other device', async () => (await anna.page.getByText('Pinned').count()) === 0);
});

journey('a room is renamed, and deleted while somebody is inside', async () => {
  await place.house.addUser(BELA);
  await place.house.addRoom(ANNA, 'Salon');
  const [anna, bela] = await Promise.all([person(1, { devices: 'none' }), person(2)]);
  await anna.signInAtHome(ANNA);
  await bela.signInAt(BELA, '/r/Salon');
  await bela.join();
  await bela.isInside();

  await anna.button('More about “Salon”').click();
  await anna.button('Manage …').click();
  await anna.field('Room name').fill('Wintergarten');
  await anna.button('Rename').click();
  await anna.page.getByRole('dialog', { name: 'Manage “Wintergarten”' }).waitFor();
  await untilEqual("Béla's address", '/r/Wintergarten', () => new URL(bela.page.url()).pathname);

  await anna.button('Delete room').click();
  await anna.reads('1 person is inside and has to leave.');
  await isSound(anna, 'the question before a room is deleted');
  await anna.button('Delete').click();
  await bela.reads('“Wintergarten” is no longer there');
  assert.equal(await bela.button('Join again').count(), 0, 'it would make another room of that name');
  await until('the room is gone', async () => (await anna.page.getByRole('link', { name: /Wintergarten/ }).count()) === 0);
  await bela.button('To the home page').click();
  await bela.button('New call').waitFor();
  assert.equal(await bela.page.getByRole('link', { name: /Wintergarten/ }).count(), 0);
});

journey('the personal room has its owner\'s name, and others knock there', async () => {
  const [anna, bela] = await Promise.all([person(1), person(2)]);
  await anna.signInAtHome(ANNA);
  await anna.page.getByRole('button', { name: /^Make a personal room/ }).click();
  await anna.page.getByRole('heading', { level: 1, name: 'Anna Albrecht' }).waitFor();
  const { pathname } = new URL(anna.page.url());
  await anna.join();
  await anna.isInside();
  await bela.signInAt(BELA, pathname);
  await bela.agreeToDevices();
  await bela.button('Knock').click();
  await anna.button('Let in: Béla Brandt').click();
  await bela.isInside();
  await anna.leave();
  await anna.button('To the home page').click();
  await anna.button('More about “Anna Albrecht”').waitFor();
  assert.equal(await anna.page.getByText('Make a personal room').count(), 0, 'everybody has one');
});
