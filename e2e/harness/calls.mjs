/** Calling people, as a person does it: who rings, what is answered, what is heard of it, and that nothing rings on. */

import assert from 'node:assert/strict';
import { launch, Person } from './person.mjs';
import { staysTrue, until, untilEqual } from './wait.mjs';

/** @typedef {import('./house.mjs').House} House */
/** @typedef {import('./house.mjs').Account} Account */
/** @typedef {Window & { tones: () => number }} WithTones */

let made = 0;

/** Somebody new of the house: floods are limited by person, and journeys call often. @param {House} house @param {string} name @returns {Promise<Account>} */
export async function somebody(house, name) {
  made += 1;
  const account = { username: `${name.toLowerCase()}${made}`, name: `${name} ${made}`, password: 'lamp over the table' };
  await house.addUser(account);
  return account;
}

/**
 * People who share one browser process, each with a profile of their own: enough where nobody has to be told apart by
 * face and voice. @param {House} house @param {string} journey
 */
export async function sharedBrowser(house, journey) {
  const browser = await launch('files', 1);
  /** @param {Account} account @param {Partial<import('./person.mjs').Equipment>} [more] */
  const comes = async (account, more = {}) => {
    const person = await Person.open(house, { journey, identity: 1, ...more }, browser);
    await person.context.addInitScript(installTones);
    await person.signInAtHome(account);
    return person;
  };
  return { comes };
}

/** In the page: how many of the app's own tones sound or are about to. */
export function installTones() {
  /** @type {Set<BaseAudioContext>} */
  const contexts = new Set();
  const original = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function createOscillator() {
    contexts.add(this);
    return original.call(this);
  };
  /** @type {WithTones} */ (/** @type {unknown} */ (window)).tones = () =>
    [...contexts].filter((context) => context.state !== 'closed').length;
}

/** @param {Person} person @param {import('playwright-core').Page} [page] another tab of theirs */
export function tones(person, page = person.page) {
  return page.evaluate(() => /** @type {WithTones} */ (/** @type {unknown} */ (window)).tones());
}

/** The page of somebody. @param {Person} person @param {{ name: string }} other */
export async function lookAt(person, other) {
  const id = await person.page.evaluate(async (name) => {
    const response = await fetch(`/api/v1/people?q=${encodeURIComponent(name)}`);
    /** @type {{ people: { id: string, name: string }[] }} */
    const { people } = await response.json();
    return people.find((one) => one.name === name)?.id;
  }, other.name);
  assert.ok(id, `${person.name} finds ${other.name}`);
  await person.goto(`/people/${id}`);
  await callButton(person).waitFor();
}

/** On the page of somebody. @param {Person} person @param {boolean} [video] */
export function callButton(person, video = false) {
  return person.button(person.say(video ? 'people.call_video' : 'people.call'));
}

/** @param {Person} person @param {{ name: string }} other @param {boolean} [video] */
export async function calls(person, other, video = false) {
  await lookAt(person, other);
  await callButton(person, video).click();
}

/** The dialog of a call that comes in. @param {Person} person @param {import('playwright-core').Page} [page] */
export function dialog(person, page = person.page) {
  return page.getByRole('dialog').filter({ has: page.getByRole('button', { name: person.say('ring.decline'), exact: true }) });
}

/** It rings, and says who. @param {Person} person @param {{ name: string }} from */
export async function rings(person, from) {
  await dialog(person).getByRole('heading', { name: from.name, exact: true }).waitFor();
}

/** @param {Person} person @param {'accept' | 'accept_voice' | 'accept_video' | 'decline' | 'ignore'} how */
export async function answers(person, how) {
  await dialog(person).getByRole('button', { name: person.say(`ring.${how}`), exact: true }).click();
}

/** Nothing rings here, and stays so. @param {Person[]} people */
export async function nothingRings(...people) {
  for (const person of people) {
    await dialog(person).waitFor({ state: 'detached' });
    await untilEqual(`silence at ${person.name}`, 0, () => tones(person));
  }
  await staysTrue('silence everywhere', 1_000, async () => {
    const ringing = await Promise.all(people.map(async (person) => (await dialog(person).count()) + (await tones(person))));
    return ringing.every((count) => count === 0);
  });
}

/** @param {Person} person @param {string} key @param {{ name: string }} other */
export async function readsOf(person, key, other) {
  await person.reads(person.say(key).replace('{name}', other.name));
}

/** Stands before the page of whom one talked with. @param {Person} person @param {{ name: string }} other */
export async function isAtPageOf(person, other) {
  await person.page.getByRole('heading', { level: 1, name: other.name, exact: true }).waitFor();
  await callButton(person).waitFor();
}

/** Both are in the call and see each other's tile. @param {Person} one @param {Person} other */
export async function talk(one, other) {
  await Promise.all([one.isInside(), other.isInside()]);
  await Promise.all([one.hasTilesOf(other), other.hasTilesOf(one)]);
}

/** @param {Person} person */
export async function hangsUp(person) {
  await person.button(person.say('meeting.leave')).click();
}

/** No room of a call is left in the house, as far as this person may know: the address leads nowhere. @param {Person} person @param {string} address */
export async function isOver(person, address) {
  await person.goto(address);
  await until(`the words that ${address} is over`, () => person.page.getByText(person.say('call.over')).first().isVisible());
}

/** Nothing can be clicked that headless does not draw: the worker is told as the system tells it. @param {import('playwright-core').Worker} worker @param {string} action */
export async function clickNotice(worker, action) {
  await worker.evaluate(async (name) => {
    const scope = /** @type {any} */ (self);
    const [notification] = await scope.registration.getNotifications();
    scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification, action: name }));
  }, action);
}
