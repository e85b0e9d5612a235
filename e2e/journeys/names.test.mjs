/** Names of rooms survive link, reload and share; old links lead to the right door. */

import assert from 'node:assert/strict';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { untilEqual } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url);

const NAMES = ['Küche & Stube', 'a/b/c', 'Wozu? Darum', 'Nr. #7', '100 % sicher', 'Feier 🎉👨‍👩‍👧', '../hinten'];

/** As the address bar has to show it. @param {string} name */
function pathOf(name) {
  const segments = name.split('/');
  const risky = segments.some((segment) => ['', '.', '..'].includes(segment));
  return risky ? encodeURIComponent(name) : segments.map(encodeURIComponent).join('/');
}

journey('every name survives link, reload and share', async () => {
  const anna = await person(1);
  await anna.signInAtHome(ANNA);
  for (const name of NAMES) {
    await anna.goto('/');
    await anna.button('New call').click();
    await anna.button('Enter or create a room').click();
    await anna.field('Room name').fill(name);
    await anna.button('Enter room').click();
    await anna.button('Join').waitFor();
    await anna.reads(name);
    assert.equal(new URL(anna.page.url()).pathname, `/r/${pathOf(name)}`);

    await anna.page.reload();
    await anna.button('Join').waitFor();
    await anna.reads(name);

    await anna.button('Share link').click();
    const link = `${place.house.url}/r/${pathOf(name)}`;
    await untilEqual(`the link of ${name}`, link, () => linkInSheet(anna));
    await anna.page.keyboard.press('Escape');
  }
  // And by the door: one of them is entered.
  await anna.goto(`/r/${pathOf('a/b/c')}`);
  await anna.join();
  await anna.isInside();
  await anna.leave();
});

journey('old links lead to the right door', async () => {
  await place.house.addRoom(ANNA, 'public/Früher');
  const gast = await person(3);
  await gast.goto('/meet/r/join/group/public/Fr%C3%BCher#mute=1&name=Gr%C3%A9ta');
  await gast.button('Join').waitFor();
  assert.equal(decodeURIComponent(new URL(gast.page.url()).pathname), '/r/public/Früher');
  await untilEqual('the name from the link', 'Gréta', () => gast.field('Your name').inputValue());
  await gast.agreeToDevices();
  await gast.button('Unmute microphone').waitFor();
  await gast.button('Turn camera off').waitFor();

  const anna = await person(1);
  await anna.signInAtHome(ANNA);
  await anna.goto('/meet/r/conference/public/Fr%C3%BCher#auto=2');
  await anna.isInside();
  await anna.leave();
  // A stranger's link makes no room and turns no camera on: that takes a click.
  await anna.goto('/r/public/Nie%20gesehen#auto=2');
  await anna.button('Join').waitFor();
  await anna.reads('New room. Entering it makes it yours.');
  assert.equal(await anna.button('Leave').count(), 0);
  await anna.goto('/meet/r/call');
  await anna.button('New call').waitFor();
  const response = await anna.page.goto('/nirgendwo');
  assert.equal(response?.status(), 404);
  await anna.reads('There is nothing here');
});

journey('the language follows the browser, is switched by a button and stays so', async () => {
  const gast = await person(3, { locale: 'de-DE' });
  await gast.goto('/sign-in');
  await gast.button('Anmelden').last().waitFor();
  await gast.button('English').click();
  await gast.button('Sign in').last().waitFor();
  await gast.page.reload();
  await gast.button('Sign in').last().waitFor();
  await untilEqual('the language of the page', 'en', () => gast.page.evaluate(() => document.documentElement.lang));
  await gast.button('Deutsch').click();
  await gast.button('Anmelden').last().waitFor();
});

/** @param {import('../harness/person.mjs').Person} person */
async function linkInSheet(person) {
  const field = person.page.getByRole('dialog').getByLabel('Link', { exact: true });
  return (await field.count()) > 0 ? field.first().inputValue() : null;
}
