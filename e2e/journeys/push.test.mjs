/** Calls that reach somebody whose app is closed: in Firefox through a push service, in Chromium by delivered messages. */

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { calls, clickNotice, hangsUp, nothingRings, readsOf, rings, sharedBrowser, somebody } from '../harness/calls.mjs';
import { FirefoxPerson } from '../harness/firefox.mjs';
import { journeys } from '../harness/journey.mjs';
import { PushService } from '../harness/push_service.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

const service = await PushService.start();
after(() => service.end());
const env = { STUBE__POLICY__PUSH: 'true', STUBE__PUSH__SERVICES: service.origin };
const { journey, place } = journeys(import.meta.url, { env });

/** A page of the house that is not the app: what is shown can be read there, and the session is there. */
const ELSEWHERE = '/healthz';

/** @typedef {Window & { asked: Promise<void> }} Asked */

/** In a page of the app: `asked` settles when the worker wants to know whether it rings by itself, and the page has answered. */
function installAsked() {
  const asked = new Promise((resolve) => {
    navigator.serviceWorker.addEventListener('message', ({ data }) => data?.type === 'connected' && setTimeout(resolve));
  });
  Object.assign(window, { asked });
}

/** In a page: what is shown, by title and text. */
async function shown() {
  const registration = await navigator.serviceWorker.getRegistration('/');
  const all = (await registration?.getNotifications()) ?? [];
  return all.map((one) => `${one.title}: ${one.body}`);
}

journey('a call wakes Firefox while the app is closed, and becomes a missed one', async () => {
  const { comes } = await sharedBrowser(place.house, 'push');
  const [a, b] = [await somebody(place.house, 'Anton'), await somebody(place.house, 'Berta')];
  const fritz = await FirefoxPerson.arrive(place.house, service.preferences);
  try {
    const anton = await comes(a);
    await fritz.signIn(b);
    await fritz.page.goto(`${place.house.url}/account`);
    await fritz.turns('Calls also when the app is closed', true);
    await fritz.page.goto(place.house.url + ELSEWHERE);
    assert.deepEqual(await fritz.page.evaluate(shown), []);

    await calls(anton, b, true);
    await untilEqual('the notification', [`${a.name}: Video call`], () => fritz.page.evaluate(shown));
    const [ringing] = service.sent;
    assert.equal(ringing?.headers.urgency, 'high');
    assert.ok(Number(ringing?.headers.ttl) <= 45, `it is worth nothing later: ${ringing?.headers.ttl}`);
    assert.match(String(ringing?.headers.authorization), /^vapid t=/);
    assert.ok(!ringing?.body.includes(a.name), 'nobody on the way reads who calls');
    await hangsUp(anton);
    await untilEqual('the missed call', [`Missed call from ${a.name}: `], () => fritz.page.evaluate(shown));
    assert.equal(service.sent.at(-1)?.headers.topic, ringing?.headers.topic, 'the end replaces what was not delivered');

    // Whoever does not want it any more is not woken.
    await fritz.page.goto(`${place.house.url}/account`);
    await fritz.turns('Calls also when the app is closed', false);
    await fritz.page.goto(place.house.url + ELSEWHERE);
    const sent = service.sent.length;
    await calls(anton, b, true);
    await hangsUp(anton);
    await nothingRings(anton);
    assert.equal(service.sent.length, sent);
    // The page that is not the app has no icon.
    assert.deepEqual(fritz.errors().filter((line) => !line.includes('/favicon.ico')), []);
  } catch (error) {
    await fritz.keepEvidence('push');
    throw error;
  } finally {
    await fritz.goHome();
  }
});

journey('Chromium shows a call that was pushed, and declines it from there', async () => {
  const { comes } = await sharedBrowser(place.house, 'push');
  const [a, b] = [await somebody(place.house, 'Carl'), await somebody(place.house, 'Dora')];
  const [carl, laptop, phone] = [await comes(a), await comes(b), await comes(b)];
  await phone.context.grantPermissions(['notifications']);
  const deliver = await pusher(phone);
  const worker = await until('the service worker', () => phone.context.serviceWorkers()[0]);
  await phone.goto('/account');
  const toggle = phone.page.getByRole('switch', { name: phone.say('push.switch') });
  assert.equal(await toggle.getAttribute('aria-checked'), 'false', 'nobody is woken who did not ask for it');

  const call = callOf(laptop);
  await laptop.page.reload();
  await calls(carl, b);
  await rings(laptop, a);
  await rings(phone, a);
  const person = { id: 'u', name: a.name };
  const message = { type: 'ringing', call: await call, room: 'r', person, video: false, language: 'de' };
  await phone.page.evaluate(installAsked);
  await deliver(message);
  await phone.page.evaluate(() => /** @type {Asked} */ (/** @type {unknown} */ (window)).asked);
  await phone.page.goto(place.house.url + ELSEWHERE);
  assert.deepEqual(await phone.page.evaluate(shown), [], 'a page that is seen and connected rings by itself');
  await deliver(message);
  await untilEqual('the notification', [`${a.name}: Anruf`], () => phone.page.evaluate(shown));
  await clickNotice(worker, 'decline');
  await readsOf(carl, 'call.declined', b);
  await untilEqual('no notification', [], () => phone.page.evaluate(shown));
  await nothingRings(carl, laptop);

  await deliver(message);
  await deliver({ type: 'over', call: message.call, person, end: 'no_answer', missed: true, language: 'de' });
  await untilEqual('the missed call', [`Verpasster Anruf von ${a.name}: `], () => phone.page.evaluate(shown));
  await deliver({ ...message, call: 'another' });
  await deliver({ type: 'over', call: 'another', person, end: 'answered', missed: false, language: 'de' });
  await untilEqual('only the missed call', [`Verpasster Anruf von ${a.name}: `], () => phone.page.evaluate(shown));
});

/** As a push service delivers it, decrypted by the browser. @param {import('../harness/person.mjs').Person} person */
async function pusher(person) {
  const session = await person.context.newCDPSession(person.page);
  /** @type {string | undefined} */
  let registrationId;
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registrationId = registrations.find(({ scopeURL }) => scopeURL === `${place.house.url}/`)?.registrationId ?? registrationId;
  });
  await session.send('ServiceWorker.enable');
  const id = await until('the registration of the worker', () => registrationId);
  /** @param {object} message */
  return (message) => session.send('ServiceWorker.deliverPushMessage', { origin: place.house.url, registrationId: id, data: JSON.stringify(message) });
}

/** The next call that rings for somebody, as the server tells their next page. @param {import('../harness/person.mjs').Person} person @returns {Promise<string>} */
function callOf(person) {
  return new Promise((resolve) => {
    person.page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        const { change } = JSON.parse(String(payload));
        if (change?.type === 'call_changed') resolve(change.call.id);
      });
    });
  });
}
