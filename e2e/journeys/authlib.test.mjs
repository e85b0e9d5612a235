/**
 * A second client that nobody here wrote, in another language: Authlib runs code and PKCE, refresh, userinfo and sign-out
 * against the house, with a real browser between.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { ANNA, freePort, House } from '../harness/house.mjs';
import { python, strangers } from '../harness/paths.mjs';
import { launch } from '../harness/person.mjs';

const JOURNEY_MS = 120_000;

/** @type {House} */
let house;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('node:http').Server} */
let server;
let origin = '';

before(async () => {
  house = await House.start('authlib');
  await house.setUp(ANNA);
  origin = `http://localhost:${await freePort()}`;
  server = createServer((_, response) => response.end('here'));
  await new Promise((resolve) => server.listen(Number(new URL(origin).port), 'localhost', () => resolve(undefined)));
  browser = await launch('none', 1);
});
after(async () => {
  await browser?.close();
  server?.close();
  await house?.demolish();
});

/** @type {Set<import('node:child_process').ChildProcess>} */
const programs = new Set();
afterEach(() => {
  for (const program of programs) program.kill();
  programs.clear();
});

/** The program, and a way to ask it. @param {string[]} options @param {string} method */
async function application(options, method) {
  const addresses = ['--redirect', `${origin}/cb`, '--post-logout', `${origin}/bye`];
  const { id, secret } = await house.addClient('Ablage', [...addresses, ...options]);
  const child = spawn(python(), [`${strangers}/authlib_client.py`], { stdio: ['pipe', 'pipe', 'inherit'] });
  programs.add(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** @param {object} line */
  const say = (line) => child.stdin.write(`${JSON.stringify(line)}\n`);
  say({ issuer: house.url, client_id: id, client_secret: secret, redirect_uri: `${origin}/cb`, bye: `${origin}/bye`, method });
  return {
    /** @param {string} what @param {object} [more] */
    async do(what, more = {}) {
      say({ do: what, ...more });
      const { value } = await lines.next();
      return JSON.parse(value);
    },
  };
}

/** @param {import('playwright-core').Page} page */
async function signIn(page) {
  await page.getByLabel('Username').fill(ANNA.username);
  await page.getByLabel('Password', { exact: true }).fill(ANNA.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

for (const [method, options] of /** @type {const} */ ([
  ['client_secret_basic', []],
  ['client_secret_post', ['--trusted']],
  ['none', ['--public', '--trusted', '--eddsa']],
])) {
  test(`Authlib signs somebody in and out (${method})`, { timeout: JOURNEY_MS }, async () => {
    const app = await application([...options], method);
    const page = await (await browser.newContext({ locale: 'en-US' })).newPage();
    page.setDefaultTimeout(20_000);
    await page.goto((await app.do('begin')).result);
    await signIn(page);
    if (options.length === 0) await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.waitForURL(`${origin}/cb?**`);
    const { result: claims } = await app.do('finish', { url: page.url() });
    assert.equal(claims.iss, house.url);

    const { result: info } = await app.do('userinfo');
    assert.equal(info.sub, claims.sub);
    assert.equal(info.preferred_username, ANNA.username);
    assert.deepEqual(info.groups, []);

    const { result: renewed } = await app.do('refresh');
    assert.equal(renewed.claims.sub, claims.sub);
    assert.deepEqual(await app.do('refresh', { token: renewed.used }), { error: 'invalid_grant' }, 'used before');
    assert.deepEqual(await app.do('userinfo'), { error: '401' }, 'and so the whole family is gone');

    // Signed in still: straight back, and a verifier of somebody else's gets nothing.
    await page.goto((await app.do('begin')).result);
    await page.waitForURL(`${origin}/cb?**`);
    const stolen = await app.do('finish', { url: page.url(), verifier: 'x'.repeat(43) });
    assert.deepEqual(stolen, { error: 'invalid_grant' });

    await page.goto((await app.do('logout_url')).result);
    await page.waitForURL(`${origin}/bye?state=z`);
    await page.goto((await app.do('begin')).result);
    await page.getByLabel('Username').waitFor();
    await page.context().close();
  });
}
