/** How calls end that nobody talks in, and calls that meet: each with its words, and nothing that rings on. */

import assert from 'node:assert/strict';
import { answers, callButton, calls, dialog, hangsUp, isAtPageOf, lookAt, nothingRings, readsOf, rings, sharedBrowser, somebody, talk, tones } from '../harness/calls.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { untilEqual } from '../harness/wait.mjs';

const { journey, place } = journeys(import.meta.url);

/** @param {string[]} names */
async function people(...names) {
  const { comes } = await sharedBrowser(place.house, 'calls-outcomes');
  const accounts = [];
  for (const name of names) accounts.push(await somebody(place.house, name));
  const there = await Promise.all(accounts.map((account) => comes(account)));
  return { comes, accounts, there };
}

journey('declined, on all devices at once, and tried again', async () => {
  const { comes, accounts: [a, b], there: [anton, berta] } = await people('Anton', 'Berta');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  const tablet = await comes(b);
  await calls(anton, b);
  await Promise.all([rings(berta, a), rings(tablet, a)]);
  await answers(tablet, 'decline');
  await readsOf(anton, 'call.declined', b);
  await nothingRings(anton, berta, tablet);
  await anton.button(anton.say('call.again')).click();
  await rings(berta, a);
  await answers(berta, 'decline');
  await readsOf(anton, 'call.declined', b);
  await anton.button(anton.say('call.back')).click();
  await isAtPageOf(anton, b);
  await nothingRings(anton, berta, tablet);
});

journey('ignored on one device, taken back by the caller', async () => {
  const { comes, accounts: [a, b], there: [anton, berta] } = await people('Cem', 'Dana');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  const tablet = await comes(b);
  await calls(anton, b);
  await Promise.all([rings(berta, a), rings(tablet, a)]);
  await berta.page.keyboard.press('Escape');
  await nothingRings(berta);
  await rings(tablet, a);
  await readsOf(anton, 'call.ringing', b);
  await hangsUp(anton);
  await isAtPageOf(anton, b);
  await nothingRings(anton, berta, tablet);
});

journey('two tabs of one browser are one device: one of them makes the noise, and an answer in one is an answer in both', async () => {
  const { accounts: [a, b], there: [anton, berta] } = await people('Enis', 'Frida');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  const tab = await berta.context.newPage();
  await tab.goto('/account');
  await tab.getByRole('heading', { level: 1 }).waitFor();
  await calls(anton, b);
  await rings(berta, a);
  await dialog(berta, tab).waitFor();
  await untilEqual('one tab that rings', 1, async () => (await tones(berta)) + (await tones(berta, tab)));
  await dialog(berta, tab).getByRole('button', { name: berta.say('ring.ignore') }).click();
  await nothingRings(berta);
  await dialog(berta, tab).waitFor({ state: 'detached' });
  await untilEqual('silence in the other tab', 0, () => tones(berta, tab));
  await hangsUp(anton);
});

journey('busy, do not disturb, and not reachable', async () => {
  const { accounts: [a, b, c], there: [anton, berta, cem] } = await people('Gisa', 'Hans', 'Ida');
  if (!a || !b || !c || !anton || !berta || !cem) throw new Error('three people');
  await calls(anton, b);
  await rings(berta, a);
  // Busy while it rings, and busy in the talk.
  await calls(cem, b);
  await readsOf(cem, 'call.busy', b);
  await answers(berta, 'accept');
  await talk(anton, berta);
  await cem.button(cem.say('call.again')).click();
  await readsOf(cem, 'call.busy', b);
  await nothingRings(berta, cem);
  // Both at once: whoever comes second may find the call over already.
  const leave = [anton, berta].map((person) => person.button(person.say('meeting.leave')).elementHandle());
  const buttons = await Promise.all(leave);
  await Promise.all(buttons.map((button) => button?.evaluate((element) => element.dispatchEvent(new MouseEvent('click', { bubbles: true })))));
  await Promise.all([isAtPageOf(anton, b), isAtPageOf(berta, a)]);

  await berta.goto('/');
  await berta.openMenu();
  await berta.page.getByText(berta.say('presence.do_not_disturb')).first().click();
  await lookAt(cem, b);
  await cem.reads(cem.say('presence.do_not_disturb'));
  await callButton(cem).click();
  await readsOf(cem, 'call.do_not_disturb', b);
  await nothingRings(berta, cem);

  await calls(cem, ANNA);
  await readsOf(cem, 'call.not_reachable', ANNA);
  await nothingRings(cem);
});

journey('two who call each other at the same moment talk with each other', async () => {
  const { accounts: [a, b], there: [anton, berta] } = await people('Jan', 'Karla');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  await lookAt(anton, b);
  await lookAt(berta, a);
  // Not moved to and looked at first: whoever is slower would find a dialog over the button.
  await Promise.all([anton, berta].map((one) => callButton(one).evaluate((button) => /** @type {HTMLElement} */ (button).click())));
  await talk(anton, berta);
  await hangsUp(anton);
  await Promise.all([isAtPageOf(anton, b), isAtPageOf(berta, a)]);
  await nothingRings(anton, berta);
});

journey('somebody is rung into a room with a name, walks in without knocking, and leaves alone', async () => {
  const { accounts: [a, b], there: [anton, berta] } = await people('Lea', 'Max');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  await place.house.addRoom(a, 'Werkstatt');
  await anton.goto('/r/Werkstatt');
  await anton.join();
  await anton.isInside();
  await anton.button(anton.say('meeting.people_open')).click();
  await anton.button(anton.say('call.ring_in')).click();
  await anton.page.getByRole('dialog').getByRole('button', { name: new RegExp(b.name) }).click();
  await readsOf(anton, 'call.ringing', b);
  await rings(berta, a);
  await dialog(berta).getByText('Werkstatt').waitFor();
  await answers(berta, 'accept_video');
  await talk(anton, berta);
  assert.equal(new URL(berta.page.url()).pathname, '/r/Werkstatt');
  await hangsUp(berta);
  await berta.button(berta.say('left.again')).waitFor();
  await anton.isInside();
  await nothingRings(anton, berta);
});
