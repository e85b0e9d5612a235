/** From the printed link to the first call: set-up, signing out and in, the home page, and all of it by keyboard. */

import assert from 'node:assert/strict';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { until } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url, { setUp: false });

journey('the printed link makes the first account, once; then one signs out and in', async () => {
  const anna = await person(1);
  const link = await place.house.setupLink();
  await anna.goto(link.replace(/^https?:\/\/[^/]+/, place.house.url));
  await anna.field('Username').fill(ANNA.username);
  await anna.field('Your name').fill(ANNA.name);
  await anna.field('Password').fill(ANNA.password);
  await anna.button('Create account').click();
  await anna.button('New call').waitFor();
  anna.name = ANNA.name;

  await anna.signOut();
  await anna.field('Username').waitFor();
  await anna.field('Username').fill(ANNA.username);
  await anna.field('Password').fill('something else entirely');
  await anna.button('Sign in').last().click();
  await anna.reads('Username and password do not match.');
  await anna.signIn(ANNA);
  await anna.button('New call').waitFor();

  // The link is used up: it leads to the sign-in, and its token opens nothing.
  const late = await person(2);
  await late.goto(link.replace(/^https?:\/\/[^/]+/, place.house.url));
  await late.field('Password').waitFor();
  assert.equal(new URL(late.page.url()).pathname, '/sign-in');
  const eve = { username: 'eve', name: 'Eve', password: 'a long enough password' };
  const token = new URL(link).hash.slice(1);
  await assert.rejects(place.house.post(eve, 'setup', { token, ...eve }), /410.*setup_link_invalid/);
});

journey('a call is made and left by keyboard alone', async () => {
  const anna = await person(1);
  await anna.goto('/sign-in');
  await anna.field('Username').waitFor();
  await type(anna, 'Username', ANNA.username);
  await type(anna, 'Password', ANNA.password);
  await anna.page.keyboard.press('Enter');
  await anna.button('New call').waitFor();
  await press(anna, 'New call');
  await press(anna, 'Enter or create a room');
  await type(anna, 'Room name', 'Tastatur');
  await anna.page.keyboard.press('Enter');
  await anna.agreeToDevices();
  await press(anna, 'Join');
  await anna.isInside();
  await press(anna, 'Mute microphone');
  await anna.button('Unmute microphone').waitFor();
  await press(anna, 'Leave');
  await anna.button('Join again').waitFor();
});

/** Tabs until the control has the focus. @param {import('../harness/person.mjs').Person} person @param {string} name */
async function tabTo(person, name) {
  await until(`the focus on ${name}`, async () => {
    const focused = person.page.locator(':focus');
    const there = await person.page.getByRole('textbox', { name, exact: true })
      .or(person.page.getByLabel(name, { exact: true }))
      .or(person.button(name))
      .and(focused)
      .count();
    if (there > 0) return true;
    await person.page.keyboard.press('Tab');
    return false;
  }, { everyMs: 20 });
}

/** @param {import('../harness/person.mjs').Person} person @param {string} name */
async function press(person, name) {
  await tabTo(person, name);
  const ring = await person.page.evaluate(() => {
    const style = document.activeElement && getComputedStyle(document.activeElement);
    return style ? style.outlineStyle !== 'none' || style.boxShadow !== 'none' : false;
  });
  assert.ok(ring, `the focus on ${name} is visible`);
  await person.page.keyboard.press('Enter');
}

/** @param {import('../harness/person.mjs').Person} person @param {string} name @param {string} text */
async function type(person, name, text) {
  await tabTo(person, name);
  await person.page.keyboard.type(text);
}
