/** Rooms where others knock: accounts and guests are let in or not, a reload keeps the place, members walk in. */

import { isSound } from '../harness/axe.mjs';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { staysTrue, untilEqual } from '../harness/wait.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const PHONE = { width: 360, height: 740 };

const { journey, person, place } = journeys(import.meta.url);

/** Anna's room, where others knock. @param {string} name */
async function office(name) {
  await place.house.addRoom(ANNA, name);
  await place.house.changeRoom(ANNA, { name: name.replace('public/', ''), knock: true });
}

/** @param {Person} who @param {string} path */
async function knock(who, path) {
  await who.signInAt(BELA, path);
  await who.agreeToDevices();
  await who.button('Knock').click();
}

/** How many are shown that knock. @param {Person} who */
const bars = (who) => who.page.getByRole('button', { name: /^Let in: / }).count();

journey('somebody inside lets one in and another not', async () => {
  await place.house.addUser(BELA);
  await office('public/Büro');
  const [anna, bela, gast] = await Promise.all([person(1), person(2), person(3, { viewport: PHONE })]);
  await gast.comeAsGuest('Gast', '/r/public/B%C3%BCro');
  await gast.reads('Who can enter: members. Everyone else with the link knocks.');
  await gast.agreeToDevices();
  await gast.button('Knock').click();
  await gast.reads('Nobody here yet who can open');

  await anna.signInAt(ANNA, '/r/public/B%C3%BCro');
  await anna.join();
  await anna.isInside();
  await gast.reads('You have knocked');
  await isSound(gast, 'the door of somebody who knocked');
  await anna.reads('Gast (guest) knocks');
  await knock(bela, '/r/public/B%C3%BCro');
  await anna.reads('Béla Brandt knocks');
  await isSound(anna, 'a meeting where two knock');
  await staysTrue('nobody else is inside', 1000, async () => (await anna.tiles()).length === 0);

  await anna.button('Let in: Béla Brandt').click();
  await bela.isInside();
  await anna.hasTilesOf(bela);
  await anna.hears(bela);
  await bela.reads('Gast (guest) knocks');
  await bela.button('Do not open: Gast').click();
  await gast.reads('Not let into “Büro”');
  await untilEqual('who knocks at Anna\'s', 0, () => bars(anna));
  await gast.button('Join again').click();
  await gast.agreeToDevices();
  await gast.button('Knock').click();
  await gast.reads('Too many attempts. Wait a moment and try again.');
  await staysTrue('nobody knocks again at once', 1000, async () => (await bars(anna)) === 0);
});

journey('a reload while knocking keeps the place', async () => {
  await office('Werkstatt');
  const [anna, bela] = await Promise.all([person(1), person(2)]);
  await anna.signInAt(ANNA, '/r/Werkstatt');
  await anna.join();
  await anna.isInside();
  await knock(bela, '/r/Werkstatt');
  await bela.reads('You have knocked');
  await anna.reads('Béla Brandt knocks');
  await bela.page.reload();
  await bela.reads('You have knocked');
  await untilEqual('how many knock', 1, () => bars(anna));
  await anna.button('Let in: Béla Brandt').click();
  await bela.isInside();
  await anna.hasTilesOf(bela);

  await bela.leave();
  await bela.button('Join again').click();
  await bela.join();
  // Whoever was let in once comes in again, as long as the meeting lasts.
  await bela.isInside();
});

journey('whoever knocks gives up, and a room that stops asking lets everybody in', async () => {
  await office('Keller');
  const [anna, bela] = await Promise.all([person(1), person(2)]);
  await anna.signInAt(ANNA, '/r/Keller');
  await anna.join();
  await anna.isInside();
  await knock(bela, '/r/Keller');
  await anna.reads('Béla Brandt knocks');
  await bela.button('Cancel').click();
  await untilEqual('how many knock', 0, () => bars(anna));
  await bela.button('Knock').click();
  await anna.button('Let in: Béla Brandt').waitFor();

  await anna.button('Share link').first().click();
  await anna.page.getByRole('switch', { name: 'Others knock' }).click();
  await bela.isInside();
});

journey('members walk in', async () => {
  await office('Archiv');
  const [anna, bela] = await Promise.all([person(1), person(2)]);
  await anna.signInAtHome(ANNA);
  await anna.button('More about “Archiv”').click();
  await anna.button('Manage …').click();
  await anna.field('Add a member').fill('béla');
  await anna.button('Add Béla Brandt').click();
  await anna.button('Remove Béla Brandt').waitFor();
  await isSound(anna, 'the sheet of a room');

  await bela.signInAtHome(BELA);
  await bela.page.getByRole('link', { name: /Archiv/ }).click();
  await bela.reads('Who can enter: members. Others knock.');
  await bela.join();
  await bela.isInside();
});
