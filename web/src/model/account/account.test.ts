import { beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../../protocol/generated.ts';
import { settle } from '../../tests/clock.ts';
import { FakeBrowser, FakeServer } from '../tests/fakes.ts';
import { AccountModel } from './account.ts';

const ANNA: Account = {
  id: 'u-1',
  username: 'anna',
  name: 'Anna',
  mail: 'anna@house.example',
  admin: false,
  groups: [],
  source: 'house',
  password_changed_ms: 1,
  totp: false,
  passkeys: [],
  providers: [],
};
const HERE = { id: 's-1', device: 'Firefox', method: 'password', created_ms: 1, used_ms: 2, current: true };
const THERE = { ...HERE, id: 's-2', current: false };

let browser: FakeBrowser;
let server: FakeServer;
let account: Account;
let told: string[];

beforeEach(() => {
  browser = new FakeBrowser('/account');
  server = new FakeServer();
  account = ANNA;
  told = [];
  server.routes.set('GET /account', () => [200, account]);
  server.on('GET /account/sessions', 200, { sessions: [HERE, THERE] });
  server.on('GET /account/applications', 200, { applications: [] });
});

async function open(): Promise<AccountModel> {
  const ports = {
    browser,
    http: server.http,
    signedOut: () => told.push('signed out'),
    changed: () => told.push('changed'),
  };
  const model = new AccountModel(ports);
  await settle();
  return model;
}

function sent(route: string): unknown {
  return server.requests.findLast((one) => one.route === route)?.body;
}

it('the account stands there with its sessions and the address of its picture', async () => {
  account = { ...ANNA, picture: '3' };
  const model = await open();
  expect(model.state).toEqual({ busy: false, account, picture: '/api/v1/people/u-1/picture?v=3' });
  expect(model.sessions.state.items).toEqual([HERE, THERE]);
});

it('a session that is over leads to the sign-in', async () => {
  server.on('GET /account', 401, { code: 'sign_in_required' });
  const model = await open();
  expect(told).toEqual(['signed out']);
  expect(model.state.problem?.code).toBe('sign_in_required');
});

describe('the profile', () => {
  const before = { name: 'Anna', mail: 'anna@house.example', password: 'pw' };

  it.each([
    ['another name', { name: 'Änne' }, {}, { name: 'Änne' }],
    ['another mail address', { mail: ' a@b.example ' }, {}, { mail: 'a@b.example', password: 'pw' }],
    ['no mail address', { mail: '' }, {}, { mail: '', password: 'pw' }],
    [
      'a mail address without a password here',
      { mail: 'a@b.example' },
      { password_changed_ms: undefined },
      { mail: 'a@b.example' },
    ],
  ])('sends only what is different: %s', async (_, fields, changes, body) => {
    account = { ...ANNA, ...(changes as Partial<Account>) };
    server.on('PATCH /account', 200, account);
    const model = await open();
    expect(await model.profile.save({ ...before, ...fields })).toBe(true);
    expect(sent('PATCH /account')).toEqual(body);
  });

  it('says for three seconds that it was saved, and that others see it', async () => {
    server.on('PATCH /account', 200, ANNA);
    const model = await open();
    await model.profile.save({ ...before, name: 'Änne' });
    expect([model.profile.state.saved, told]).toEqual([true, ['changed']]);
    await browser.clock.pass(3_000);
    expect(model.profile.state.saved).toBe(false);
  });

  it('says what was wrong with a picture', async () => {
    server.on('PUT /account/picture', 400, { code: 'image_invalid' });
    const model = await open();
    model.profile.setPicture(new File(['x'], 'x.png', { type: 'image/png' }));
    await settle();
    expect(model.profile.state).toMatchObject({ busy: false, saved: false, problem: { code: 'image_invalid' } });
    expect(told).toEqual([]);
  });
});

describe('the password', () => {
  it.each([
    [204, true, undefined],
    [401, false, 'wrong_credentials'],
    [400, false, 'password_invalid'],
  ])('answered with %d is changed: %s', async (status, done, code) => {
    server.on('POST /account/password', status, { code });
    const model = await open();
    expect(await model.password.change({ current: 'a', new: 'b' })).toBe(done);
    expect(model.password.state.problem?.code).toBe(code);
  });
});

describe('the authenticator app', () => {
  beforeEach(() => {
    server.on('POST /account/totp', 200, { url: 'otpauth://totp/x', secret: 'JBSW' });
    server.on('POST /account/totp/confirm', 200, { codes: ['one', 'two'] });
  });

  it('is set up by password, secret and code, and its backup codes are told once', async () => {
    const { totp } = await open();
    expect(await totp.start('pw')).toBe(true);
    expect(totp.state.setUp?.secret.state.text).toBe('JBSW');
    expect(await totp.confirm(' 123 456 ')).toBe(true);
    expect(sent('POST /account/totp/confirm')).toEqual({ code: '123456' });
    expect(totp.state.setUp).toBeUndefined();
    expect(totp.state.codes?.list).toEqual(['one', 'two']);
    totp.saveCodes();
    expect(browser.saved.get('stube-codes.txt')).toBe('one\r\ntwo\r\n');
    totp.state.codes?.all.copy();
    await settle();
    expect(browser.clipboard).toBe('one\ntwo');
    totp.forgetCodes();
    expect(totp.state.codes).toBeUndefined();
  });

  it('asks for another code after a wrong one, and can be called off', async () => {
    server.on('POST /account/totp/confirm', 401, { code: 'wrong_code' });
    const { totp } = await open();
    await totp.start('pw');
    expect(await totp.confirm('1')).toBe(false);
    expect(totp.state).toMatchObject({ setUp: { url: 'otpauth://totp/x' }, problem: { code: 'wrong_code' } });
    totp.cancel();
    expect(totp.state).toEqual({ busy: false });
  });
});

describe('passkeys', () => {
  beforeEach(() => {
    browser.passkeys.supported = true;
    server.on('POST /account/passkeys/start', 200, { token: 't', options: { rp: {} } });
    server.on('POST /account/passkeys/finish', 200, { id: 'p', name: 'Laptop', created_ms: 1 });
  });

  it('are made by the browser and named', async () => {
    const { passkeys } = await open();
    expect(await passkeys.add({ name: 'Laptop', password: 'pw' })).toBe(true);
    expect(sent('POST /account/passkeys/start')).toEqual({ password: 'pw' });
    expect(sent('POST /account/passkeys/finish')).toEqual({ token: 't', name: 'Laptop', credential: { id: 'new' } });
  });

  it('that the browser does not make are not sent', async () => {
    browser.passkeys.agrees = false;
    const { passkeys } = await open();
    expect(await passkeys.add({ name: 'Laptop', password: 'pw' })).toBe(false);
    expect(passkeys.state).toMatchObject({ failed: true, busy: false });
    expect(sent('POST /account/passkeys/finish')).toBeUndefined();
  });

  it('are taken away with the password', async () => {
    server.on('DELETE /account/passkeys/p', 204, {});
    const { passkeys } = await open();
    expect(await passkeys.remove('p', 'pw')).toBe(true);
    expect(sent('DELETE /account/passkeys/p')).toEqual({ password: 'pw' });
  });
});

it('sessions are ended one by one or all but this one, and what is left is shown', async () => {
  server.on('DELETE /account/sessions/s-2', 204, {});
  server.on('DELETE /account/sessions', 204, {});
  const { sessions } = await open();
  server.on('GET /account/sessions', 200, { sessions: [HERE] });
  expect(await sessions.remove('s-2')).toBe(true);
  expect(sessions.state.items).toEqual([HERE]);
  sessions.endOthers();
  await settle();
  expect(sent('DELETE /account/sessions')).toEqual({});
});

it('a consent is taken back', async () => {
  server.on('GET /account/applications', 200, { applications: [{ id: 'a b', name: 'Wiki', scopes: [], given_ms: 1 }] });
  server.on('DELETE /account/applications/a%20b', 204, {});
  const { applications } = await open();
  expect(applications.state.items?.length).toBe(1);
  server.on('GET /account/applications', 200, { applications: [] });
  expect(await applications.remove('a b')).toBe(true);
  expect(applications.state.items).toEqual([]);
});
