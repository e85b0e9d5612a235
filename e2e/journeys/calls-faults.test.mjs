/** What goes wrong while it rings: reloads, lost networks, closed pages. No call is left that nobody makes. */

import assert from 'node:assert/strict';
import { answers, calls, clickNotice, dialog, hangsUp, isAtPageOf, nothingRings, readsOf, rings, sharedBrowser, somebody, talk, tones } from '../harness/calls.mjs';
import { journeys } from '../harness/journey.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

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
  const { cut, mend } = await breakable(anton);
  await calls(anton, b);
  await rings(berta, a);
  await cut();
  await anton.reads(anton.say('meeting.reconnecting'));
  await untilEqual('no tone while nobody knows', 0, () => tones(anton));
  await until('the end of the ringing', async () => (await dialog(berta).count()) === 0, { timeoutMs: 30_000 });
  await nothingRings(berta);
  await mend();
  await until('words at the caller', () => anton.button(anton.say('call.back')).isVisible());
  await nothingRings(anton, berta);
});

journey('a call is declined from its notification, and the next one accepted from it', async () => {
  const { accounts: [a, b], there: [anton, berta] } = await people('Ida', 'Jan');
  if (!a || !b || !anton || !berta) throw new Error('two people');
  await berta.context.grantPermissions(['notifications', 'camera', 'microphone']);
  await berta.goto('/account');
  const toggle = berta.page.getByRole('switch', { name: berta.say('notify.calls') });
  assert.equal(await toggle.getAttribute('aria-checked'), 'false', 'nobody is asked unasked');
  await toggle.click();
  await untilEqual('the switch', 'true', () => toggle.getAttribute('aria-checked'));
  const worker = await until('the service worker', () => berta.context.serviceWorkers()[0]);
  await until('the worker to run', () => berta.page.evaluate(async () => Boolean((await navigator.serviceWorker.ready).active)));

  await hide(berta, true);
  await calls(anton, b);
  await untilEqual('the notification', [`${a.name} is calling`], () => titles(worker));
  await clickNotice(worker, 'decline');
  await readsOf(anton, 'call.declined', b);
  await untilEqual('no notification', [], () => titles(worker));
  await nothingRings(anton, berta);

  await anton.button(anton.say('call.again')).click();
  await untilEqual('the next notification', [`${a.name} is calling`], () => titles(worker));
  await clickNotice(worker, 'accept');
  await hide(berta, false);
  await talk(anton, berta);
  await hangsUp(anton);
  await isAtPageOf(berta, a);

  // It goes with the call, too.
  await hide(berta, true);
  await calls(anton, b);
  await untilEqual('the last notification', [`${a.name} is calling`], () => titles(worker));
  await hangsUp(anton);
  await untilEqual('no notification', [], () => titles(worker));
  await nothingRings(anton, berta);
});

/**
 * From its next page on the network of this person can be cut: Chromium's own offline mode leaves open sockets alone.
 * @param {import('../harness/person.mjs').Person} person
 */
async function breakable(person) {
  /** @type {import('playwright-core').WebSocketRoute[]} */
  const sockets = [];
  await person.context.routeWebSocket(/\/api\/v1\/socket/, (socket) => {
    sockets.push(socket.connectToServer(), socket);
  });
  const tickets = '**/api/v1/tickets';
  return {
    cut: async () => {
      await person.context.route(tickets, (route) => route.abort());
      await Promise.all(sockets.map((socket) => socket.close()));
      await person.context.setOffline(true);
    },
    mend: async () => {
      await person.context.setOffline(false);
      await person.context.unroute(tickets);
    },
  };
}

/** Headless pages are always seen: this one says otherwise. @param {import('../harness/person.mjs').Person} person @param {boolean} hidden */
async function hide(person, hidden) {
  await person.page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden ? 'hidden' : 'visible');
}

/** @param {import('playwright-core').Worker} worker @returns {Promise<string[]>} */
function titles(worker) {
  return worker.evaluate(async () => {
    const scope = /** @type {any} */ (self);
    return (await scope.registration.getNotifications()).map((/** @type {Notification} */ one) => one.title);
  });
}
