/** What happens to tabs: reloaded, closed, doubled, and not allowed to play sound before a click. */

import { journeys } from '../harness/journey.mjs';
import { meeting } from '../harness/meeting.mjs';
import { staysTrue, until } from '../harness/wait.mjs';

const frame = journeys(import.meta.url);
const { journey } = frame;

journey('a reload keeps the seat and leaves no ghost', async () => {
  const [anna, gast] = await meeting(frame, 'Neuladen');
  await anna.sees(gast);
  const reloaded = Date.now();
  const back = gast.page.reload().then(() => gast.isInside());
  // Nobody goes, nobody comes, nobody is there twice.
  await staysTrue('the one tile of somebody who reloads', 3000, async () => (await anna.tiles()).join() === 'Gast');
  await back;
  await gast.sees(anna);
  await gast.hears(anna);
  await anna.sees(gast);
  await anna.hears(gast);
  await anna.hasTilesOf(gast);
  console.log(`a reload: seen and heard again by everybody after ${Date.now() - reloaded} ms, with probes`);
});

journey('a second tab of the same person is a second seat, both are whole, and a closed one is gone soon', async () => {
  const [anna, gast] = await meeting(frame, 'Doppelt');
  const [other] = await Promise.all([
    gast.context.waitForEvent('page'),
    // With a copy of what the first tab remembers, as when a browser doubles a tab.
    gast.page.evaluate(() => void window.open(location.href)),
  ]);
  const leave = other.getByRole('button', { name: 'Leave', exact: true });
  const join = other.getByRole('button', { name: 'Join', exact: true });
  // It may come in by itself.
  await until('the other tab to be inside', async () => {
    if (await join.isVisible()) await join.click({ timeout: 1_000 });
    return leave.isVisible();
  });
  await until('two seats', async () => (await anna.tiles()).length === 2);
  await gast.isInside();
  await gast.sees(anna);
  await other.close();
  const closed = Date.now();
  await until('one seat', async () => (await anna.tiles()).length === 1, { timeoutMs: 40_000 });
  console.log(`a closed tab: gone after ${Date.now() - closed} ms`);
  await anna.sees(gast);
});

journey('sound that the browser holds back is one click away', async () => {
  const [anna, gast] = await meeting(frame, 'Stille');
  await gast.hears(anna);
  // Headless Chromium holds nothing back from a page that was clicked on once, so what it would do is done for it.
  await gast.page.addInitScript(() => {
    const { play } = HTMLMediaElement.prototype;
    let clicked = false;
    addEventListener('click', () => { clicked = true; }, { capture: true });
    HTMLMediaElement.prototype.play = function () {
      return clicked || this.muted ? play.call(this) : Promise.reject(new DOMException('no gesture', 'NotAllowedError'));
    };
    // What plays by its attribute asks nobody.
    Object.defineProperty(HTMLMediaElement.prototype, 'autoplay', { set: () => {}, get: () => false });
  });
  await gast.page.reload();
  await gast.isInside();
  await gast.button('Turn sound on').click();
  await gast.hears(anna);
  await gast.button('Turn sound on').waitFor({ state: 'detached' });
});
