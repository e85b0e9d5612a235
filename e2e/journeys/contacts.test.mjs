/** People of the house and what was: found, seen whether they are there, favourites, the history; on all devices at once. */

import assert from 'node:assert/strict';
import { isSound } from '../harness/axe.mjs';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { Person } from '../harness/person.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

/** @typedef {import('../harness/house.mjs').Account} Account */

const PHONE = { width: 360, height: 740 };
const CHIARA = { username: 'chiara', name: 'Chiara Conti', password: 'a long word for chiara' };
/** More than are listed without a search. */
const CROWD = 105;
/** What is promised is two seconds: a machine that is busy with other things may take longer. */
const PRESENCE_MS = 8_000;

const { journey, person, place } = journeys(import.meta.url);

/** Another device: a profile of its own beside the first one's. @param {Person} first @param {Partial<import('../harness/person.mjs').Equipment>} [equipment] */
function another(first, equipment = {}) {
  const browser = /** @type {import('playwright-core').Browser} */ (first.browser);
  return Person.open(place.house, { ...first.equipment, ...equipment }, browser);
}

/** @param {Person} who @param {string} name */
async function openTab(who, name) {
  await who.page.getByRole('tab', { name: new RegExp(`^${name}`) }).click();
}

/** What stands in the rows of one list, line by line. @param {Person} who @param {string} list */
async function rows(who, list) {
  const texts = await who.page.getByRole('list', { name: list, exact: true }).getByRole('listitem').allInnerTexts();
  return texts.map((text) => text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && line !== '·'));
}

/** @param {Person} who */
const history = async (who) => (await rows(who, 'Latest first')).map((row) => row.slice(0, 2).join(': '));

/** What stands beside somebody's name. @param {Person} who @param {string} name */
async function availability(who, name) {
  const link = who.page.getByRole('link', { name });
  return (await link.first().innerText()).split('\n').at(-1)?.trim();
}

/** @param {Person} who what they say of themselves @param {string} status */
async function choose(who, status) {
  await who.openMenu();
  await who.page.getByRole('radio', { name: new RegExp(`^${status}`) }).check();
  await who.page.keyboard.press('Escape');
}

journey('people are found, opened, and kept as favourites on every device', async () => {
  await place.house.addUser(BELA);
  await place.house.addUser(CHIARA);
  const anna = await person(1, { devices: 'none' });
  await anna.signInAtHome(ANNA);
  await openTab(anna, 'Contacts');
  await untilEqual('everybody else in the list', ['Béla Brandt', 'Chiara Conti'], async () =>
    (await rows(anna, 'Everybody')).map(([name]) => name));
  await isSound(anna, 'contacts');
  await anna.field('Find people').fill('CHI con');
  await untilEqual('who matches', [['Chiara Conti', 'Offline · chiara']], () => rows(anna, 'Found'));
  await anna.field('Find people').fill('nobody at all');
  await anna.reads('Nobody found.');
  await anna.field('Find people').fill('');

  const phone = await another(anna, { viewport: PHONE });
  await phone.signInAtHome(ANNA);
  await openTab(phone, 'Contacts');
  await phone.reads('Béla Brandt');
  await anna.page.getByRole('link', { name: /Béla Brandt/ }).click();
  await anna.page.getByRole('heading', { level: 1, name: 'Béla Brandt' }).waitFor();
  const address = anna.page.url();
  assert.match(address, /\/people\/[^/]+$/);
  await isSound(anna, 'the page of a person');
  await anna.page.reload();
  await anna.page.getByRole('heading', { level: 1, name: 'Béla Brandt' }).waitFor();
  await anna.reads('Offline');
  await anna.button('Add to favourites').click();
  await anna.button('Remove from favourites').waitFor();
  await untilEqual('the favourite on the phone', ['Béla Brandt'], async () =>
    (await rows(phone, 'Favourites')).map(([name]) => name));
  await isSound(phone, 'favourites on a phone');

  await phone.goto(address);
  await phone.button('Remove from favourites').click();
  await anna.button('Add to favourites').waitFor();
  await isSound(phone, 'the page of a person on a phone');
  await anna.goto(`${address}x`);
  await anna.page.getByRole('heading', { level: 1, name: 'There is nothing here' }).waitFor();
});

journey('in a large house nobody is listed until three letters are there, but those who are near', async () => {
  const people = Array.from({ length: CROWD }, (_, at) => `crowd${at},Person ${at}`);
  await place.house.importPeople(`username,name\n${people.join('\n')}\n`);
  const anna = await person(1, { devices: 'none', viewport: PHONE });
  await anna.signInAtHome(ANNA);
  await anna.button('New call').click();
  await anna.reads('People appear from three letters on.');
  await isSound(anna, 'a new call');
  await anna.field('Find people').fill('pe');
  await anna.reads('People appear from three letters on.');
  await anna.field('Find people').fill('per');
  await anna.reads('The first 100. More letters narrow it down.');
  await isSound(anna, 'many people on a phone');
  await anna.field('Find people').fill('person 104');
  await untilEqual('who matches', ['Person 104'], async () => (await rows(anna, 'Found')).map(([name]) => name));
  await anna.page.getByRole('link', { name: /Person 104/ }).click();
  await anna.button('Add to favourites').click();
  await anna.button('Remove from favourites').waitFor();
  await anna.page.getByRole('link', { name: 'To the home page' }).click();
  await openTab(anna, 'Contacts');
  await untilEqual('the favourites', ['Person 104'], async () => (await rows(anna, 'Favourites')).map(([name]) => name));
});

journey('everybody sees at once who is there and who does not want to be disturbed', async () => {
  const anna = await person(1, { devices: 'none' });
  await anna.signInAtHome(ANNA);
  await openTab(anna, 'Contacts');
  await anna.field('Find people').fill('bran');
  /** @type {number[]} */
  const took = [];
  const sees = async (/** @type {string} */ word) => {
    const asked = Date.now();
    await untilEqual(`“${word}” beside Béla's name`, `${word} · bela`, () => availability(anna, 'Béla Brandt'), { timeoutMs: PRESENCE_MS, everyMs: 50 });
    took.push(Date.now() - asked);
  };
  await until('Béla in the list', async () => (await availability(anna, 'Béla Brandt'))?.startsWith('Offline'));
  const bela = await another(anna);
  await bela.signInAtHome(BELA);
  await sees('Available');
  const tablet = await another(anna);
  await tablet.signInAtHome(BELA);
  await choose(bela, 'Do not disturb');
  await sees('Do not disturb');
  await tablet.openMenu();
  await tablet.page.getByRole('radio', { name: /^Do not disturb/, checked: true }).waitFor();
  await isSound(tablet, 'the menu');
  await tablet.page.getByRole('radio', { name: /^Away/ }).check();
  await sees('Away');
  await choose(bela, 'Available');
  await sees('Available');
  console.log(`from one device to another: ${took.join(', ')} ms`);
});

journey('a missed call is seen, called back, and deleted, live on every device', async () => {
  const anna = await person(1, { devices: 'none' });
  await anna.signInAtHome(ANNA);
  await anna.reads('No calls yet.');
  await isSound(anna, 'no calls');
  const other = await another(anna, { viewport: PHONE });
  await other.signInAtHome(ANNA);
  await openTab(other, 'Calls');
  await other.reads('No calls yet.');

  // Nobody has ever seen her.
  await callFromContacts(anna, 'Chiara Conti', 'Chiara Conti cannot be reached.');
  await untilEqual('the call on the phone', ['Chiara Conti: Not reachable'], () => history(other));
  await isSound(other, 'the history on a phone');

  const bela = await another(anna);
  await bela.signInAtHome(BELA);
  const phone = await another(anna, { viewport: PHONE });
  await phone.signInAtHome(BELA);
  await choose(bela, 'Do not disturb');
  await openTab(bela, 'Contacts');
  await openTab(phone, 'Contacts');
  await anna.goto('/');
  await callFromContacts(anna, 'Béla Brandt', 'Béla Brandt does not want to be disturbed.');
  await hasMissed(bela, 1);
  await hasMissed(phone, 1);
  await openTab(bela, 'Calls');
  await untilEqual('the missed call', ['Anna Albrecht: Missed'], () => history(bela));
  await hasMissed(bela, 0);
  await hasMissed(phone, 0);

  await openTab(phone, 'Calls');
  await untilEqual('the missed call on the phone', ['Anna Albrecht: Missed'], () => history(phone));
  await bela.button('More about Anna Albrecht').click();
  await isSound(bela, 'the menu of a row');
  await bela.button('Delete from the list').click();
  await bela.reads('No calls yet.');
  await phone.reads('No calls yet.');
  const own = ['Béla Brandt: Do not disturb', 'Chiara Conti: Not reachable'];
  await untilEqual('the caller’s own history', own, () => history(other));
  await other.button('Delete all').click();
  await other.page.getByRole('dialog').getByRole('button', { name: 'Delete all' }).click();
  await other.reads('No calls yet.');
  await anna.goto('/');
  await anna.reads('No calls yet.');
});

/** Rings somebody in vain. @param {Person} who @param {string} name @param {string} outcome */
async function callFromContacts(who, name, outcome) {
  await openTab(who, 'Contacts');
  await who.field('Find people').fill(name);
  await who.page.getByRole('listitem').filter({ hasText: name }).getByRole('button', { name: new RegExp(name) }).click();
  await who.reads(outcome);
}

/** On the tab and in the title. @param {Person} who @param {number} count */
async function hasMissed(who, count) {
  const tab = who.page.getByRole('tab', { name: count > 0 ? `Calls ${count} missed` : 'Calls', exact: true });
  await tab.waitFor();
  await untilEqual('the number in the title', count > 0, async () => (await who.page.title()).startsWith(`(${count})`));
}
