/**
 * A walk through every screen of the app, as a person with an account and as a guest, stopping at each. What is done at a
 * stop (looked at, photographed) is up to who walks.
 */

import { ANNA } from './house.mjs';
import { Person } from './person.mjs';
import { words } from './words.mjs';

/** @typedef {(screen: string, person: Person) => Promise<void>} Stop */

/**
 * @typedef {object} Walk
 * @property {import('./house.mjs').House} house with no account yet
 * @property {import('playwright-core').Browser} browser
 * @property {Partial<import('./person.mjs').Equipment>} [equipment]
 * @property {string} journey
 * @property {import('./words.mjs').Language} language
 * @property {Stop} stop
 * @property {(room: string) => Promise<() => Promise<void>>} company brings others into the room; ends them again
 */

const ROOM = 'Montagsrunde';

/** @param {Walk} walk */
export async function tour(walk) {
  const { house, stop } = walk;
  const say = words(walk.language);
  const open = (/** @type {Partial<import('./person.mjs').Equipment>} */ more = {}) =>
    Person.open(house, { journey: walk.journey, identity: 1, locale: walk.language === 'de' ? 'de-DE' : 'en-US', ...walk.equipment, ...more }, walk.browser);

  const anna = await open();
  anna.name = ANNA.name;
  await anna.goto('/setup');
  await anna.page.getByText(say('setup.no_token')).waitFor();
  await stop('setup-without-token', anna);
  const link = await house.setupLink();
  await anna.goto(`/setup${new URL(link).hash}`);
  await anna.page.reload();
  await anna.button(say('setup.submit')).waitFor();
  await stop('setup', anna);
  await house.setUp(ANNA);

  await anna.goto('/sign-in');
  await anna.field(say('field.username')).waitFor();
  await stop('sign-in', anna);
  await anna.signIn(ANNA);
  await anna.button(say('home.new_call')).waitFor();
  await anna.page.getByText(say('home.empty_title')).waitFor();
  await stop('home-empty', anna);
  await house.addRoom(ANNA, `public/${ROOM}`);
  await house.addRoom(ANNA, 'Werkstatt');
  await house.addRoom(ANNA, 'Küche & Stube');
  await anna.page.getByText(ROOM).first().waitFor();
  await stop('home', anna);
  await anna.button(say('home.new_call')).click();
  await anna.field(say('field.room_name')).fill('Planung');
  await anna.page.getByRole('switch', { name: say('new_call.allow_guests') }).click();
  await stop('new-call', anna);

  await theDoor(walk, anna);
  await theGuests(walk, open);
  await theMeeting(walk, anna);

  await anna.goto('/nowhere');
  await anna.page.getByText(say('not_found.title')).waitFor();
  await stop('not-found', anna);
}

/** @param {Walk} walk @param {Person} anna */
async function theDoor({ stop, language }, anna) {
  const say = words(language);
  await anna.goto(`/r/public/${ROOM}`);
  await anna.agreeToDevices();
  await anna.button(say('devices.camera_off')).waitFor();
  await stop('door', anna);
  await anna.button(say('devices.open')).click();
  await stop('door-devices', anna);
  await anna.page.keyboard.press('Escape');
  await anna.button(say('door.share')).click();
  await anna.page.getByRole('dialog').waitFor();
  await stop('share', anna);
  await anna.page.keyboard.press('Escape');
}

/** @param {Walk} walk @param {() => Promise<Person>} open */
async function theGuests({ stop, language }, open) {
  const say = words(language);
  const guest = await open();
  await guest.goto(`/r/public/${ROOM}`);
  await guest.field(say('field.your_name')).waitFor();
  await guest.agreeToDevices();
  await stop('door-guest', guest);
  await guest.field(say('field.your_name')).fill('Gesine Gast');
  await guest.button(say('door.join_guest')).click();
  await guest.page.getByText(say('door.waiting_title')).waitFor();
  await stop('door-waiting', guest);
  await guest.goto('/r/Werkstatt');
  await guest.page.getByText(say('door.closed_title')).waitFor();
  await stop('door-closed', guest);
  await guest.context.close();
}

/** @param {Walk} walk @param {Person} anna */
async function theMeeting({ stop, company, language }, anna) {
  const say = words(language);
  await anna.button(say('door.join')).click();
  await anna.isInside();
  await anna.page.getByText(say('meeting.alone')).first().waitFor();
  await stop('meeting-alone', anna);
  const end = await company(`public/${ROOM}`);
  try {
    await stop('meeting', anna);
    await anna.button(say('meeting.people_open')).click();
    await stop('meeting-people', anna);
  } finally {
    await end();
  }
  await anna.leave();
  await stop('left', anna);
}
