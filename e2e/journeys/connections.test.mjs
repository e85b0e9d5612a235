/** How a connection is and was, in words: in the meeting, beside the call, on its own page, and for administrators. */

import assert from 'node:assert/strict';
import { answers, calls, hangsUp, isAtPageOf, rings, somebody, talk } from '../harness/calls.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { until } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url);

journey('after a call both read how their connection was, and administrators read it of both', async () => {
  const [a, b] = await Promise.all(['Anton', 'Berta'].map((name) => somebody(place.house, name)));
  if (!a || !b) throw new Error('two accounts');
  const [anton, berta] = await Promise.all([person(1, { locale: 'de-DE' }), person(2)]);
  await Promise.all([anton.signInAtHome(a), berta.signInAtHome(b)]);
  await calls(anton, b, true);
  await rings(berta, a);
  await answers(berta, 'accept');
  await talk(anton, berta);

  // Live, of one's own.
  await anton.button(anton.say('meeting.people_open')).click();
  await anton.button(anton.say('connection.title')).click();
  const now = anton.page.getByRole('dialog', { name: anton.say('connection.now') });
  await now.getByText(anton.say('connection.n_rtt')).waitFor();
  await now.locator('li').first().waitFor();
  await anton.page.keyboard.press('Escape');
  // The server measures every ten seconds.
  const measured = Date.now() + 12_000;
  await until('twelve seconds of a call', async () => Date.now() > measured, { timeoutMs: 20_000, everyMs: 500 });
  await hangsUp(anton);

  await isAtPageOf(anton, b);
  // Good on a machine that keeps up, and something else in words on one that does not.
  const link = anton.page.locator('a[href^="/connections/"]');
  await link.waitFor();
  const words = (await link.textContent()) ?? '';
  await link.click();
  await anton.page.getByRole('heading', { level: 1, name: anton.say('connection.title') }).waitFor();
  await anton.reads(words);
  await anton.page.getByRole('img').first().waitFor();
  assert.match((await anton.page.locator('dl').textContent()) ?? '', /UDP, IPv[46]/);

  await berta.goto('/');
  await berta.button(berta.say('history.menu').replace('{name}', a.name)).click();
  await berta.page.getByRole('link', { name: berta.say('connection.open') }).click();
  await berta.page.getByRole('heading', { name: berta.say('connection.timeline') }).waitFor();
  const address = new URL(berta.page.url()).pathname;
  await anton.goto(address);
  await anton.reads(anton.say('connection.unknown_stay'));

  const anna = await person(3);
  await anna.signInAtHome(ANNA);
  await anna.goto('/admin/connections');
  for (const { name } of [a, b]) await anna.page.getByRole('link', { name: new RegExp(name) }).waitFor();
  await anna.page.getByLabel(anna.say('connections.search')).fill(b.name);
  await anna.page.getByRole('link', { name: new RegExp(a.name) }).waitFor({ state: 'detached' });
  await anna.page.getByRole('link', { name: new RegExp(b.name) }).click();
  await anna.page.getByRole('heading', { level: 1, name: b.name }).waitFor();
  await anna.page.getByRole('heading', { name: anna.say('connection.numbers') }).waitFor();
  await anna.goto('/admin/connections');
  await anna.page.getByLabel(anna.say('connections.search')).fill('nobody of this name');
  await anna.reads(anna.say('connections.empty'));
});
