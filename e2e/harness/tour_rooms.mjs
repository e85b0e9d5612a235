/**
 * A walk through rooms of one's own and through knocking, stopping at each screen. What is done at a stop is up to who
 * walks.
 */

import { ANNA, BELA } from './house.mjs';
import { arrive, halt } from './tour.mjs';

/** @typedef {Omit<import('./tour.mjs').Walk, 'company'>} Walk */
/** @typedef {import('./person.mjs').Person} Person */

const ROOM = 'Sprechstunde';

/** @param {Walk} walk through a house where ANNA and BELA have accounts */
export async function roomsTour(walk) {
  const { house } = walk;
  for (const room of [ROOM, 'Werkstatt', 'Küche & Stube']) await house.addRoom(ANNA, room);
  await house.post(ANNA, 'rooms/personal', {});
  await house.changeRoom(ANNA, { name: ROOM, knock: true });
  const anna = await arrive(walk);
  await anna.signInAtHome(ANNA);
  await theHome(walk, anna);
  await anna.goto(`/r/${ROOM}`);
  await anna.join();
  await anna.isInside();
  const bela = await arrive(walk);
  await theDoor(walk, bela);
  await anna.reads(anna.say('knock.at_door').replace('{name}', BELA.name));
  await halt(walk, 'meeting-knock', anna);
  await bela.context.close();
  await anna.context.close();
}

/** @param {Walk} walk @param {Person} anna */
async function theHome(walk, anna) {
  const { say } = anna;
  const menu = () => anna.button(say('rooms.menu').replace('{name}', ROOM)).click();
  await menu();
  await anna.button(say('rooms.pin')).click();
  await anna.reads(say('rooms.pinned'));
  await halt(walk, 'rooms', anna);
  await menu();
  await anna.button(say('rooms.manage')).click();
  await anna.field(say('room.add_member')).fill('béla');
  await anna.button(say('room.add').replace('{name}', BELA.name)).waitFor();
  await halt(walk, 'room', anna);
  await anna.button(say('room.delete')).click();
  await anna.reads(say('room.delete_text'));
  await halt(walk, 'room-delete', anna);
  await anna.page.keyboard.press('Escape');
  await anna.page.keyboard.press('Escape');
}

/** @param {Walk} walk @param {Person} bela */
async function theDoor(walk, bela) {
  const { say } = bela;
  await bela.signInAt(BELA, `/r/${ROOM}`);
  await bela.agreeToDevices();
  await halt(walk, 'door-knock', bela);
  await bela.button(say('door.knock')).click();
  await bela.reads(say('door.knocking_title'));
  await halt(walk, 'door-knocking', bela);
}
