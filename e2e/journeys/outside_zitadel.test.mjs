/**
 * A second provider that nobody here wrote, in another language: the example server of zitadel/oidc. Beside the house's own
 * form, and with the slash at the end of its issuer.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ANNA, freePort, House } from '../harness/house.mjs';
import { outFolder, strangeProvider } from '../harness/paths.mjs';
import { launch } from '../harness/person.mjs';
import { GiveUp, until, untilEqual } from '../harness/wait.mjs';

const JOURNEY_MS = 120_000;
/** The example's own. */
const PERSON = { login: 'test-user2', password: 'verysecure', name: 'Test User2' };

/** @type {House} */
let house;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('node:child_process').ChildProcess} */
let provider;
let issuer = '';

before(async () => {
  const port = await freePort();
  issuer = `http://localhost:${port}/`;
  house = await House.start('outside_zitadel', {
    STUBE__OIDC__ISSUER: issuer.slice(0, -1),
    STUBE__OIDC__NAME: 'Zitadel',
    STUBE__OIDC__CLIENT_ID: 'web',
    STUBE__OIDC__CLIENT_SECRET: 'secret',
  });
  await house.setUp(ANNA);
  const env = { ...process.env, PORT: String(port), REDIRECT_URI: `${house.url}/sso/callback` };
  provider = spawn(strangeProvider(), [], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  provider.stderr?.pipe(createWriteStream(join(outFolder('outside_zitadel'), 'provider.log')));
  await until('the provider to be ready', async () => {
    if (provider.exitCode !== null) throw new GiveUp(`the provider ended with ${provider.exitCode}`);
    return (await fetch(`${issuer}.well-known/openid-configuration`)).ok;
  });
  browser = await launch('none', 1);
});
after(async () => {
  await browser?.close();
  provider?.kill('SIGKILL');
  await house?.demolish();
});

test('somebody of the strangers comes in, is the same the next time, and leaves both', { timeout: JOURNEY_MS }, async () => {
  const context = await browser.newContext({ locale: 'en-US' });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const user = async () => (await (await context.request.get(`${house.url}/api/v1/me`)).json()).user;
  const signIn = async () => {
    await page.goto(`${house.url}/sign-in`);
    await page.getByLabel('Username').waitFor();
    await page.getByRole('link', { name: 'Sign in with Zitadel' }).click();
    await page.waitForURL(`${issuer}login/**`);
    await page.getByLabel('Username').fill(PERSON.login);
    await page.getByLabel('Password').fill(PERSON.password);
    await page.getByRole('button', { name: 'Login' }).click();
    await page.waitForURL(`${house.url}/`);
  };

  // It may have come up after the house looked for it: the button waits for nothing but a second's breath.
  await until('the provider to be found', async () => {
    const answer = await context.request.get(`${house.url}/sso/start?provider=localhost`, { maxRedirects: 0 });
    return answer.headers().location?.startsWith(issuer);
  });
  await signIn();
  const first = await user();
  assert.deepEqual([first.username, first.name, first.admin], [PERSON.login, PERSON.name, false]);
  await page.getByRole('button', { name: PERSON.name }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL((address) => address.href.startsWith(issuer));
  await untilEqual('nobody to be signed in', undefined, user);

  await signIn();
  assert.equal((await user()).id, first.id);
});
