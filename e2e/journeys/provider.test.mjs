/**
 * Another application of the house signs people in with Stube: a client nobody here wrote, a real browser between, and
 * pages of the application's own origin. Signatures are checked against the published keys.
 */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import * as client from 'openid-client';
import { ANNA, freePort, House } from '../harness/house.mjs';
import { launch } from '../harness/person.mjs';
import { until } from '../harness/wait.mjs';

/** @typedef {import('playwright-core').Page} Page */

const JOURNEY_MS = 120_000;

/** @type {House} */
let house;
/** @type {import('playwright-core').Browser} */
let browser;
/** The application's origin. */
let origin = '';
/** @type {import('node:http').Server} */
let server;
/** What pages complained of, content security policies above all. @type {string[]} */
const complaints = [];

before(async () => {
  house = await House.start('provider');
  await house.setUp(ANNA);
  const port = await freePort();
  origin = `http://localhost:${port}`;
  server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    // A page that tries to put the house into a frame, where its buttons could be hidden under others.
    const target = new URL(request.url ?? '/', origin).searchParams.get('frame');
    response.end(target ? `<iframe src="${target.replaceAll('&', '&amp;')}"></iframe>` : `<h1>${request.url}</h1>`);
  });
  await new Promise((resolve) => server.listen(port, 'localhost', () => resolve(undefined)));
  browser = await launch('none', 1);
});
after(async () => {
  await browser?.close();
  server?.close();
  await house?.demolish();
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  assert.deepEqual(complaints.splice(0), []);
});

/** @param {string} [locale] */
async function page(locale = 'en-US') {
  const context = await browser.newContext({ locale });
  context.setDefaultTimeout(20_000);
  const opened = await context.newPage();
  opened.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('favicon')) complaints.push(message.text());
  });
  return opened;
}

/** @param {string[]} options @param {string} [algorithm] */
async function application(options, algorithm = 'RS256') {
  const addresses = ['--redirect', `${origin}/cb`, '--post-logout', `${origin}/bye`];
  const { id, secret } = await house.addClient('Ablage', [...addresses, ...options]);
  const proof = secret ? client.ClientSecretBasic(secret) : client.None();
  const config = await client.discovery(new URL(house.url), id, { id_token_signed_response_alg: algorithm }, proof, {
    // The house is on this computer.
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  });
  return config;
}

/** One sign-in of this application. @param {client.Configuration} config @param {Record<string, string>} [more] */
async function attempt(config, more = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: `${origin}/cb`,
    scope: 'openid profile offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...more,
  });
  return {
    url: url.href,
    /** @param {Page} at the callback */
    async finish(at) {
      await at.waitForURL(`${origin}/cb?**`);
      const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
      return client.authorizationCodeGrant(config, new URL(at.url()), checks);
    },
  };
}

/** @param {Page} at */
async function signIn(at) {
  await at.getByLabel('Username').fill(ANNA.username);
  await at.getByLabel('Password', { exact: true }).fill(ANNA.password);
  await at.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('somebody signs in, allows it once, and the application keeps up with it', { timeout: JOURNEY_MS }, async () => {
  const config = await application([]);
  const anna = await page();
  const first = await attempt(config);
  await anna.goto(first.url);
  await signIn(anna);
  await anna.getByRole('heading', { name: 'Sign in to Ablage?' }).waitFor();
  assert.match((await anna.textContent('main')) ?? '', /Signed in as Anna Albrecht/);
  await anna.getByRole('button', { name: 'Allow', exact: true }).click();
  const tokens = await first.finish(anna);
  const claims = tokens.claims();
  assert.ok(claims && tokens.refresh_token);
  assert.equal(claims.iss, house.url);
  assert.ok(Math.abs(Date.now() / 1000 - Number(claims.auth_time)) < 120);

  const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(info.name, ANNA.name);
  assert.equal(info.preferred_username, ANNA.username);

  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(renewed.claims()?.sub, claims.sub);
  assert.ok(renewed.refresh_token && renewed.refresh_token !== tokens.refresh_token);
  await client.fetchUserInfo(config, renewed.access_token, claims.sub);
  const invalid = { name: 'ResponseBodyError', error: 'invalid_grant' };
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), invalid, 'used before');
  await assert.rejects(client.refreshTokenGrant(config, renewed.refresh_token), invalid, 'and so the whole family is gone');
  await assert.rejects(client.fetchUserInfo(config, renewed.access_token, claims.sub));

  const again = await attempt(config);
  await anna.goto(again.url);
  await again.finish(anna);
});

test('an application of the house asks nothing, and can ask for the password again', { timeout: JOURNEY_MS }, async () => {
  const config = await application(['--trusted', '--public', '--eddsa'], 'EdDSA');
  const anna = await page();
  const first = await attempt(config);
  await anna.goto(first.url);
  await signIn(anna);
  const before = (await first.finish(anna)).claims();

  const silent = await attempt(config, { prompt: 'none' });
  await anna.goto(silent.url);
  await silent.finish(anna);

  const strict = await attempt(config, { prompt: 'login' });
  await anna.goto(strict.url);
  await signIn(anna);
  const after = (await strict.finish(anna)).claims();
  assert.equal(after?.sub, before?.sub);
  assert.notEqual(after?.sid, before?.sid, 'another sign-in');
});

test('signing out at the application signs out here', { timeout: JOURNEY_MS }, async () => {
  const config = await application(['--trusted']);
  const anna = await page();
  const first = await attempt(config, { scope: 'openid' });
  await anna.goto(first.url);
  await signIn(anna);
  const tokens = await first.finish(anna);
  const leave = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: `${origin}/bye`,
    id_token_hint: tokens.id_token ?? '',
    state: 'z',
  });
  await anna.goto(leave.href);
  await anna.waitForURL(`${origin}/bye?state=z`);
  await assert.rejects(client.fetchUserInfo(config, tokens.access_token, client.skipSubjectCheck));
  const silent = await attempt(config, { prompt: 'none' });
  await anna.goto(silent.url);
  await assert.rejects(silent.finish(anna), { name: 'AuthorizationResponseError', error: 'login_required' });
});

test('who is asked to leave decides, in their language', { timeout: JOURNEY_MS }, async () => {
  const config = await application(['--trusted']);
  const anna = await page('de-DE');
  await anna.goto(`${house.url}/sign-in`);
  await anna.getByLabel('Benutzername').fill(ANNA.username);
  await anna.getByLabel('Passwort', { exact: true }).fill(ANNA.password);
  await anna.getByRole('button', { name: 'Anmelden', exact: true }).click();
  await anna.waitForURL(`${house.url}/`);
  const leave = client.buildEndSessionUrl(config, { post_logout_redirect_uri: `${origin}/bye` });
  await anna.goto(leave.href);
  await anna.getByRole('heading', { name: 'Von Haus am See abmelden?' }).waitFor();
  await anna.getByRole('button', { name: 'Abmelden' }).click();
  await anna.waitForURL(`${origin}/bye`);
  await anna.goto(`${house.url}/`);
  await anna.waitForURL(`${house.url}/sign-in`);
});

test('the question cannot be put into a frame, and the no is told', { timeout: JOURNEY_MS }, async () => {
  const config = await application([]);
  const anna = await page();
  await anna.goto(`${house.url}/sign-in`);
  await signIn(anna);
  await anna.waitForURL(`${house.url}/`);
  const framed = await attempt(config);
  await anna.goto(`${origin}/?${new URLSearchParams({ frame: framed.url })}`);
  const frame = anna.frameLocator('iframe');
  await until('the browser to say why', () => /frame-ancestors/.test(complaints.join()));
  assert.equal(await frame.getByRole('button', { name: 'Allow' }).count(), 0);

  const asked = await attempt(config);
  await anna.goto(asked.url);
  await anna.getByRole('button', { name: 'Do not allow' }).click();
  await assert.rejects(asked.finish(anna), { name: 'AuthorizationResponseError', error: 'access_denied' });
  // It says so in several lines, the last of them whenever it likes.
  complaints.splice(0, complaints.length, ...complaints.filter((line) => !/frame-ancestors|ERR_BLOCKED_BY/.test(line)));
});
