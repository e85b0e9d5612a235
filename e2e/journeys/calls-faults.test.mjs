/** What goes wrong while it rings: reloads, lost networks, closed pages. No call is left that nobody makes. */

import { answers, calls, dialog, hangsUp, isAtPageOf, nothingRings, readsOf, rings, sharedBrowser, somebody, talk } from '../harness/calls.mjs';
import { journeys } from '../harness/journey.mjs';
import { until } from '../harness/wait.mjs';

const { journey, place } = journeys(import.meta.url);

/** @param {string[]} names */
async function people(...names) {
  const { comes } = await sharedBrowser(place.house, 'calls-faults');
  const accounts = [];
  for (const name of names) accounts.push(await somebody(place.house, name));
  const there = await Promise.all(accounts.map((account) => comes(account)));
  return { comes, accounts, there };
}

journey('whoever is called reloads while it rings, and then answers', async () => {
  const { accounts: [a, b], there: [anton, berta] } = await people('Anton', 'Berta');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  await calls(anton, b);
  await rings(berta, a);
  await berta.page.reload();
  await rings(berta, a);
  await answers(berta, 'accept');
  await talk(anton, berta);
  await hangsUp(berta);
  await Promise.all([isAtPageOf(anton, b), isAtPageOf(berta, a)]);
});

journey('whoever calls reloads while it rings, and is answered', async () => {
  const { accounts: [a, b], there: [anton, berta] } = await people('Cem', 'Dana');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  await calls(anton, b);
  await rings(berta, a);
  await anton.page.reload();
  await readsOf(anton, 'call.ringing', b);
  await rings(berta, a);
  await answers(berta, 'accept');
  await talk(anton, berta);
  await hangsUp(anton);
  await nothingRings(anton, berta);
});

journey('whoever calls closes the page: it stops ringing, and is missed', async () => {
  const { accounts: [a, b], there: [anton, berta] } = await people('Enis', 'Frida');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  await calls(anton, b);
  await rings(berta, a);
  await anton.page.close();
  await until('the end of the ringing', async () => (await dialog(berta).count()) === 0, { timeoutMs: 30_000 });
  await nothingRings(berta);
});

journey('the network of whoever calls is gone while it rings: it stops, and comes back to words', async () => {
  const { accounts: [a, b], there: [anton, berta] } = await people('Gisa', 'Hans');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  await calls(anton, b);
  await rings(berta, a);
  // Chromium cuts no socket that is open: the page loses it as a browser whose network went does.
  await anton.context.setOffline(true);
  await anton.page.evaluate(() => window.dispatchEvent(new Event('offline')));
  await until('the end of the ringing, or an answer', async () => (await dialog(berta).count()) === 0, { timeoutMs: 60_000 });
  await nothingRings(berta);
  await anton.context.setOffline(false);
  await until('words at the caller', () => anton.button(anton.say('call.back')).isVisible());
});
