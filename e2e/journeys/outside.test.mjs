/**
 * People of an organisation that has a provider already: a certified one that nobody here wrote. They come from their
 * portal straight into the house, and out of both at once.
 */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { freePort, House } from '../harness/house.mjs';
import { OutsideProvider } from '../harness/outside.mjs';
import { launch } from '../harness/person.mjs';
import { until, untilEqual } from '../harness/wait.mjs';

/** @typedef {import('playwright-core').Page} Page */

const JOURNEY_MS = 120_000;

/** @type {House} */
let house;
/** @type {OutsideProvider} */
let provider;
/** @type {import('playwright-core').Browser} */
let browser;
/** A page of another origin, with links into the house. @type {import('node:http').Server} */
let portal;
let portalUrl = '';
/** What pages complained of, content security policies above all. @type {string[]} */
const complaints = [];

before(async () => {
  provider = await OutsideProvider.planned();
  house = await House.start('outside', provider.settings());
  const port = await freePort();
  portalUrl = `http://localhost:${port}/`;
  portal = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<h1>Portal</h1><a href="${house.url}/">Meetings</a><a href="${house.url}/r/Tea#mute=1">Tea</a>`);
  });
  await new Promise((resolve) => portal.listen(port, 'localhost', () => resolve(undefined)));
  browser = await launch('none', 1);
});
after(async () => {
  await browser?.close();
  portal?.close();
  await provider?.stop();
  await house?.demolish();
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  assert.deepEqual(complaints.splice(0), []);
  assert.deepEqual(provider.problems.splice(0), []);
});

/** Somebody, and every page that they have seen. */
async function somebody() {
  const context = await browser.newContext({ locale: 'en-US' });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  /** @type {string[]} */
  const seen = [];
  page.on('framenavigated', (frame) => {
    if (frame === page.mainFrame()) seen.push(frame.url());
  });
  page.on('console', (message) => {
    if (/Content Security Policy|violates/.test(message.text())) complaints.push(message.text());
  });
  return { context, page, seen };
}

/** @param {Page} page @param {string} login */
async function signInThere(page, login) {
  await page.getByLabel('Login').fill(login);
  await page.getByRole('button', { name: 'Go on' }).click();
}

/** Who the house says that this browser is. @param {Page} page */
async function user(page) {
  const answer = await page.context().request.get(`${house.url}/api/v1/me`);
  return (await answer.json()).user;
}

/** Only the house forgets this browser. @param {import('playwright-core').BrowserContext} context */
async function forgetSession(context) {
  await context.clearCookies({ name: 'stube' });
}

test('the house stands while its provider is down, and people come in when it is up', { timeout: JOURNEY_MS }, async () => {
  const { page } = await somebody();
  await page.goto(`${house.url}/`);
  await page.waitForURL(`${house.url}/sign-in?problem=unavailable`);
  const button = page.getByRole('link', { name: 'Sign in with Portal' });
  await button.waitFor();
  assert.equal(await page.getByLabel('Password', { exact: true }).count(), 0, 'there is no form');

  await provider.start(house.url);
  // Right after a failure the house takes breath; then the button leads there.
  await until('the provider to be found', async () => {
    const way = new URL((await button.getAttribute('href')) ?? '', house.url);
    const answer = await page.context().request.get(way.href, { maxRedirects: 0 });
    return answer.headers().location?.startsWith(provider.issuer);
  });
  await button.click();
  await page.waitForURL(`${provider.issuer}/sign-in/*`);
  await signInThere(page, 'clara');
  await page.waitForURL(`${house.url}/`);
  const clara = await user(page);
  assert.equal(clara.name, 'Clara Clemens');
  assert.equal(clara.username, 'clara');
  assert.equal(clara.admin, true, 'by her group');
  assert.ok(clara.picture);
});

test('people coming from their portal see nothing of the sign-in', { timeout: JOURNEY_MS }, async () => {
  const { context, page, seen } = await somebody();
  await page.goto(`${house.url}/`);
  await page.waitForURL(`${provider.issuer}/sign-in/*`);
  await signInThere(page, 'dora');
  await page.waitForURL(`${house.url}/`);
  const first = await user(page);
  assert.deepEqual([first.username, first.admin], ['dora', false]);

  await forgetSession(context);
  await page.goto(portalUrl);
  seen.length = 0;
  await page.getByRole('link', { name: 'Meetings' }).click();
  await untilEqual('Dora to be in', first.id, async () => (await user(page))?.id);
  await page.waitForURL(`${house.url}/`);
  assert.deepEqual(seen.filter((address) => address.startsWith(provider.issuer)), [], 'no page over there');

  // To a room that guests may enter as well: as herself, and with everything that stood in the address.
  await forgetSession(context);
  const tab = await context.newPage();
  await tab.goto(portalUrl);
  await tab.getByRole('link', { name: 'Tea' }).click();
  await untilEqual('Dora to be in again', first.id, async () => (await user(tab))?.id);
  // The door does what the address asked for, and takes it off.
  await tab.getByRole('button', { name: 'Unmute microphone' }).waitFor();
  await tab.waitForURL(`${house.url}/r/Tea`);
});

test('who is unknown there is a guest at the door, asked nothing and only once', { timeout: JOURNEY_MS }, async () => {
  const { page } = await somebody();
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().startsWith(`${provider.issuer}/auth`)) asked += 1;
  });
  await page.goto(`${house.url}/r/Tea#mute=1`);
  await untilEqual('the door', 1, async () => (new URL(page.url()).pathname === '/r/Tea' ? asked : 0));
  await page.getByRole('main').waitFor();
  // Nobody lets a guest in here: what the address asked for is still to be done.
  await untilEqual('the whole address', `${house.url}/r/Tea#mute=1`, () => page.url());
  await page.reload();
  await page.getByRole('main').waitFor();
  assert.equal(asked, 1);
  assert.equal(await user(page), undefined);
});

test('who is not let in there is told so here, and can try again', { timeout: JOURNEY_MS }, async () => {
  const { page } = await somebody();
  await page.goto(`${house.url}/`);
  await page.waitForURL(`${provider.issuer}/sign-in/*`);
  await signInThere(page, 'nobody');
  await page.waitForURL(`${house.url}/sign-in?problem=denied`);
  provider.problems.length = 0;
  await page.getByRole('link', { name: 'Sign in with Portal' }).click();
  await page.waitForURL(`${provider.issuer}/sign-in/*`);
});

test('leaving the portal leaves the house, and leaving the house leaves the portal', { timeout: JOURNEY_MS }, async () => {
  const { context, page } = await somebody();
  await page.goto(`${house.url}/`);
  await page.waitForURL(`${provider.issuer}/sign-in/*`);
  await signInThere(page, 'dora');
  await page.waitForURL(`${house.url}/`);
  await untilEqual('Dora to be in', 'dora', async () => (await user(page))?.username);

  const told = provider.told;
  const other = await context.newPage();
  await other.goto(`${provider.issuer}/session/end`);
  await other.getByRole('button', { name: 'Yes' }).click();
  await untilEqual('the house to be told', told + 1, () => provider.told);
  assert.equal(await user(page), undefined);
  // The page that was open notices by itself, and asks at the portal who it is.
  await page.waitForURL(`${provider.issuer}/sign-in/*`);
  await signInThere(page, 'dora');
  await page.waitForURL(`${house.url}/`);

  await page.getByRole('button', { name: 'Dora Dahl' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${provider.issuer}/session/end?**`);
  await page.getByRole('button', { name: 'Yes' }).click();
  await page.waitForURL(`${house.url}/sign-in`);
  await page.getByRole('link', { name: 'Sign in with Portal' }).click();
  await page.waitForURL(`${provider.issuer}/sign-in/*`, { timeout: 20_000 });
});
