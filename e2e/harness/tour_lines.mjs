/**
 * A walk through what is said of a connection: in a meeting over a thin line, over one that lets nothing but words through and
 * over none, after it, and to administrators, stopping at each screen. What is done at a stop is up to who walks. A line takes
 * its time to be known, so several can walk together.
 */

import { ANNA } from './house.mjs';
import { arrive, halt } from './tour.mjs';

/** @typedef {import('./tour.mjs').Walk} Walk */
/** @typedef {import('./person.mjs').Person} Person */

const ROOM = 'Vereinsabend';
/** Sound and perhaps one picture, for each. */
const THIN = { rate: 160, queue: 300 };

/** @param {[Walk, ...Walk[]]} walks through a house that ANNA manages, by browsers at the far end of its line */
export async function linesTour(...walks) {
  const [{ house, company }] = walks;
  await house.addRoom(ANNA, `public/${ROOM}`);
  const walkers = await Promise.all(walks.map(async (walk) => {
    const anna = await arrive(walk);
    await anna.signInAt(ANNA, `/r/public/${ROOM}`);
    await anna.join();
    await anna.isInside();
    return { walk, anna };
  }));
  const end = await company(`public/${ROOM}`);
  try {
    await theMeeting(house, walkers);
  } finally {
    await end();
  }
  await Promise.all(walkers.map(theRecord));
}

/** @param {{ walk: Walk, anna: Person }} walker */
async function theRecord({ walk, anna }) {
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

/** @param {import('./house.mjs').House} house @param {{ walk: Walk, anna: Person }[]} walkers */
async function theMeeting({ line, port }, walkers) {
  if (!line) throw new Error('no line to the house');
  /** Everybody, before the line changes. @param {(anna: Person, stop: (screen: string) => Promise<void>) => Promise<void>} steps */
  const all = (steps) => Promise.all(walkers.map(({ walk, anna }) => steps(anna, (screen) => halt(walk, screen, anna))));
  /** @param {Person} anna @param {string} key */
  const reads = (anna, key) => anna.page.getByRole('main').getByText(anna.say(key)).first().waitFor({ timeout: 60_000 });
  await all(async (anna, stop) => {
    await anna.button(anna.say('meeting.screen_on')).click();
    await reads(anna, 'sharing.on');
    await stop('meeting-sharing');
    await anna.button(anna.say('sharing.stop')).click();
    anna.expectsSharp = false;
  });
  await line.is({ ...THIN, rate: THIN.rate * walkers.length });
  await all(async (anna, stop) => {
    await reads(anna, 'pictures.paused');
    await stop('meeting-thin');
    await anna.button(anna.say('meeting.people_open')).click();
    await anna.button(anna.say('connection.title')).click();
    await anna.reads(anna.say('connection.narrow_down'));
    await stop('meeting-connection');
    await anna.page.keyboard.press('Escape');
  });
  await line.is({ spares: port, loss: 100 });
  await all(async (anna, stop) => {
    await reads(anna, 'meeting.obstructed');
    await stop('meeting-obstructed');
  });
  await line.is({ cut: true });
  await all(async (anna, stop) => {
    await reads(anna, 'meeting.stuck');
    await stop('meeting-stuck');
  });
  await line.is({});
  await all((anna) => anna.page.getByRole('main').getByText(anna.say('meeting.stuck')).waitFor({ state: 'detached', timeout: 60_000 }));
}
