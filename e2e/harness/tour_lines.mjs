/**
 * A walk through what is said of a connection: in a meeting over a thin line, over one that lets nothing but words through and
 * over none, after it, and to administrators, stopping at each screen. What is done at a stop is up to who walks.
 */

import { ANNA } from './house.mjs';
import { arrive, halt } from './tour.mjs';

/** @typedef {import('./tour.mjs').Walk} Walk */
/** @typedef {import('./person.mjs').Person} Person */

const ROOM = 'Vereinsabend';
/** Sound and perhaps one picture. */
const THIN = { rate: 160, queue: 300 };

/** @param {Walk} walk through a house that ANNA manages, by a browser at the far end of its line */
export async function linesTour(walk) {
  await walk.house.addRoom(ANNA, `public/${ROOM}`);
  const anna = await arrive(walk);
  await anna.signInAt(ANNA, `/r/public/${ROOM}`);
  await anna.join();
  await anna.isInside();
  const end = await walk.company(`public/${ROOM}`);
  try {
    await theMeeting(walk, anna);
  } finally {
    await end();
  }
  await anna.leave();
  const record = anna.page.locator('a[href^="/connections/"]');
  await record.waitFor();
  await halt(walk, 'left-connection', anna);
  await record.click();
  await anna.page.getByRole('heading', { name: anna.say('connection.numbers') }).waitFor();
  await halt(walk, 'connection', anna);
  await anna.goto('/admin/connections');
  const one = anna.page.getByRole('main').getByRole('link', { name: new RegExp(ANNA.name) }).first();
  await one.waitFor();
  await halt(walk, 'admin-connections', anna);
  await one.click();
  await anna.page.getByRole('heading', { level: 1, name: ANNA.name }).waitFor();
  await halt(walk, 'admin-connection', anna);
  await anna.context.close();
}

/** @param {Walk} walk @param {Person} anna */
async function theMeeting(walk, anna) {
  const { say } = anna;
  const { line } = walk.house;
  if (!line) throw new Error('no line to the house');
  /** @param {string} key */
  const reads = (key) => anna.page.getByRole('main').getByText(say(key)).first().waitFor({ timeout: 60_000 });
  await anna.button(say('meeting.screen_on')).click();
  await reads('sharing.on');
  await halt(walk, 'meeting-sharing', anna);
  await anna.button(say('sharing.stop')).click();

  anna.expectsSharp = false;
  await line.is(THIN);
  await reads('pictures.paused');
  await halt(walk, 'meeting-thin', anna);
  await anna.button(say('meeting.people_open')).click();
  await anna.button(say('connection.title')).click();
  await anna.reads(say('connection.narrow_down'));
  await halt(walk, 'meeting-connection', anna);
  await anna.page.keyboard.press('Escape');

  await line.is({ only_loses: 'udp', loss: 100 });
  await reads('meeting.obstructed');
  await halt(walk, 'meeting-obstructed', anna);
  await line.is({ cut: true });
  await reads('meeting.stuck');
  await halt(walk, 'meeting-stuck', anna);
  await line.is({});
  await anna.page.getByRole('main').getByText(say('meeting.stuck')).waitFor({ state: 'detached', timeout: 60_000 });
}
