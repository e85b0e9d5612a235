/**
 * A walk through every screen of the app, as a person with an account and as a guest, stopping at each. What is done at a
 * stop (looked at, photographed) is up to who walks.
 */

import { ANNA } from './house.mjs';
import { Person } from './person.mjs';
import { words } from './words.mjs';

/** May change the size of the window: it is put back. @typedef {(screen: string, person: Person) => Promise<void>} Stop */

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
  const { house } = walk;
  const stop = (/** @type {string} */ screen, /** @type {Person} */ person) => halt(walk, screen, person);
  const say = words(walk.language);
  const open = () => arrive(walk);

  const anna = await open();
  anna.name = ANNA.name;
  await anna.goto('/setup');
  await anna.reads(say('setup.no_token'));
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
  await anna.reads(say('home.empty_title'));
  await stop('home-empty', anna);
  await house.addRoom(ANNA, `public/${ROOM}`);
  await house.addRoom(ANNA, 'Werkstatt');
  await house.addRoom(ANNA, 'Küche & Stube');
  await anna.reads(ROOM);
  await stop('home', anna);
  await anna.button(say('home.new_call')).click();
  await stop('new-call-people', anna);
  await anna.button(say('new_call.title')).click();
  await anna.field(say('field.room_name')).fill('Planung');
  await anna.page.getByRole('switch', { name: say('new_call.allow_guests') }).click();
  await stop('new-call', anna);

  await theDoor(walk, anna);
  const invite = await theInvites(walk, anna);
  await theGuests(walk, open, invite);
  await theMeeting(walk, anna);

  await anna.goto('/nowhere');
  await anna.reads(say('not_found.title'));
  await stop('not-found', anna);
  await theOpenHouse(walk, open);
}

/** @param {Walk} walk @param {Person} anna */
async function theDoor(walk, anna) {
  const say = words(walk.language);
  const stop = (/** @type {string} */ screen) => halt(walk, screen, anna);
  await anna.goto(`/r/public/${ROOM}`);
  await anna.agreeToDevices();
  await anna.button(say('devices.camera_off')).waitFor();
  await stop('door');
  await anna.button(say('devices.open')).click();
  await stop('door-devices');
  await anna.page.keyboard.press('Escape');
  await anna.button(say('door.share')).click();
  await anna.page.getByRole('dialog').waitFor();
  await stop('share');
  await anna.page.keyboard.press('Escape');
}

/** @param {Walk} walk @param {Person} anna @returns {Promise<string>} a link into a room that is not open */
async function theInvites(walk, anna) {
  const say = words(walk.language);
  const stop = (/** @type {string} */ screen) => halt(walk, screen, anna);
  await anna.goto('/r/Werkstatt');
  await anna.agreeToDevices();
  await anna.button(say('door.share')).click();
  await anna.page.getByRole('tab', { name: say('share.way_invite') }).click();
  await stop('share-invite');
  await anna.button(say('share.make')).click();
  const link = await anna.field(say('share.link')).inputValue();
  await anna.button(say('share.another')).click();
  await anna.button(say('share.make')).click();
  await anna.button(say('app.take_back')).nth(1).waitFor();
  await stop('share-invited');
  await anna.button(say('app.take_back')).first().click();
  await anna.reads(say('share.take_back_text'));
  await stop('share-take-back');
  await anna.page.keyboard.press('Escape');
  await anna.page.keyboard.press('Escape');
  // The meeting is in the open room.
  await anna.goto(`/r/public/${ROOM}`);
  await anna.joinButton().waitFor();
  return link;
}

/** @param {Walk} walk @param {() => Promise<Person>} open @param {string} invite */
async function theGuests(walk, open, invite) {
  const say = words(walk.language);
  const guest = await open();
  const stop = (/** @type {string} */ screen) => halt(walk, screen, guest);
  await guest.goto(`/r/public/${ROOM}`);
  await guest.field(say('field.your_name')).waitFor();
  await guest.agreeToDevices();
  await stop('door-guest');
  await guest.field(say('field.your_name')).fill('Gesine Gast');
  await guest.joinButton().click();
  await guest.reads(say('door.waiting_title'));
  await stop('door-waiting');
  await guest.goto('/r/Werkstatt');
  await guest.reads(say('door.closed_title'));
  await stop('door-closed');
  await guest.goto(invite);
  await guest.field(say('field.your_name')).waitFor();
  await guest.agreeToDevices();
  await stop('door-invited');
  await guest.goto('/join#gone');
  await guest.reads(say('door.invite_invalid_title'));
  await stop('door-invite-invalid');
  await guest.context.close();
}

/** The same house, opened to everybody. @param {Walk} walk @param {() => Promise<Person>} open */
async function theOpenHouse(walk, open) {
  const { house } = walk;
  const say = words(walk.language);
  house.env = { ...house.env, STUBE__POLICY__OPEN_HOUSE: 'true' };
  await house.stop();
  await house.start();
  const comer = await open();
  await comer.goto('/');
  await comer.field(say('field.room_name')).fill('Planung');
  await halt(walk, 'lobby', comer);
  await comer.button(say('new_call.enter')).click();
  await comer.reads(say('door.new_open'));
  await comer.agreeToDevices();
  await halt(walk, 'door-open-house', comer);
  await comer.context.close();
}

/** @param {Walk} walk @param {Person} anna */
async function theMeeting(walk, anna) {
  const say = words(walk.language);
  const stop = (/** @type {string} */ screen) => halt(walk, screen, anna);
  await anna.joinButton().click();
  await anna.isInside();
  await anna.reads(say('meeting.alone'));
  await stop('meeting-alone');
  const end = await walk.company(`public/${ROOM}`);
  try {
    await stop('meeting');
    await anna.button(say('meeting.people_open')).click();
    await stop('meeting-people');
    // On a phone the list lies over the controls.
    await anna.page.keyboard.press('Escape');
  } finally {
    await end();
  }
  await anna.leave();
  await stop('left');
}

/** Somebody new. @param {Pick<Walk, 'house' | 'journey' | 'language' | 'equipment' | 'browser'>} walk @returns {Promise<Person>} */
export function arrive(walk) {
  const locale = walk.language === 'de' ? 'de-DE' : 'en-US';
  return Person.open(walk.house, { journey: walk.journey, identity: 1, locale, ...walk.equipment }, walk.browser);
}

/**
 * Stops at a screen, and puts the window back.
 * @param {Pick<Walk, 'stop'>} walk @param {string} screen @param {Person} person
 */
export async function halt(walk, screen, person) {
  const before = person.page.viewportSize();
  await walk.stop(screen, person);
  if (before) await person.page.setViewportSize(before);
}
