import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../tests/clock.ts';
import { SignInModel } from './sign_in.ts';
import { FakeBrowser, FakeServer } from './tests/fakes.ts';

const ANNA = { username: 'anna', password: 'x' };
const DONE = { step: 'done', user: { id: 'u', username: 'anna', name: 'Anna', admin: false } };

let browser: FakeBrowser;
let server: FakeServer;
let done: number;

beforeEach(() => {
  browser = new FakeBrowser('/sign-in');
  server = new FakeServer();
  server.on('POST /session', 200, { step: 'code', token: 'step' });
  server.on('POST /session/passkey/start', 200, { token: 'challenge', options: { challenge: 'c' } });
  server.on('POST /session/passkey/finish', 200, DONE);
  done = 0;
});

function open(form = true): SignInModel {
  const ports = { browser, http: server.http, done: () => done++ };
  return new SignInModel(ports, { form, providers: [], recovery: false });
}

function sent(route: string): unknown[] {
  return server.requests.filter((one) => one.route === route).map((one) => one.body);
}

describe('the second step', () => {
  it('follows the password, forgives blanks, and leads in', async () => {
    const screen = open();
    server.on('POST /session/code', 200, DONE);
    screen.submit(ANNA);
    await settle();
    expect([screen.state.step, done]).toEqual(['code', 0]);
    screen.submitCode(' 123456 ');
    await settle();
    expect(sent('POST /session/code')).toEqual([{ token: 'step', code: '123456' }]);
    expect(done).toBe(1);
  });

  it.each([
    ['wrong_code', 'code'],
    ['rate_limited', 'code'],
    ['link_invalid', 'password'],
  ])('after %s stands on the %s', async (code, step) => {
    const screen = open();
    server.on('POST /session/code', 401, { code });
    screen.submit(ANNA);
    await settle();
    screen.submitCode('1');
    await settle();
    expect(screen.state).toMatchObject({ step, busy: false, problem: { code } });
    expect(done).toBe(0);
  });

  it('can be left, and then asks for nothing', async () => {
    const screen = open();
    screen.submit(ANNA);
    await settle();
    screen.back();
    expect(screen.state.step).toBe('password');
    screen.submitCode('1');
    await settle();
    expect(sent('POST /session/code')).toEqual([]);
  });
});

describe('an application that somebody comes from', () => {
  it.each([
    [200, { name: 'Ablage' }, 'Ablage'],
    [404, { code: 'not_found' }, undefined],
  ])('is named as the server answers it with %i', async (status, body, name) => {
    server.on('GET /applications', status, body);
    const ports = { browser, http: server.http, clientId: 'a&b', done: () => done++ };
    const screen = new SignInModel(ports, { form: true, providers: [], recovery: false });
    await settle();
    expect(screen.state.applicationName).toBe(name);
    expect(screen.state.problem).toBeUndefined();
  });
});

describe('a passkey', () => {
  beforeEach(() => {
    browser.passkeys.supported = true;
  });

  it('signs in without a name', async () => {
    const screen = open();
    screen.usePasskey();
    await settle();
    expect(browser.passkeys.asked).toEqual([{ challenge: 'c' }]);
    expect(sent('POST /session/passkey/finish')).toEqual([{ token: 'challenge', credential: { id: 'known' } }]);
    expect(done).toBe(1);
  });

  it('that is not given leaves the form as it was', async () => {
    browser.passkeys.agrees = false;
    const screen = open();
    screen.usePasskey();
    await settle();
    expect(screen.state).toMatchObject({ busy: false, step: 'password' });
    expect(screen.state.problem).toBeUndefined();
    expect(sent('POST /session/passkey/finish')).toEqual([]);
  });

  it('that this house does not know is told', async () => {
    server.on('POST /session/passkey/finish', 401, { code: 'passkey_invalid' });
    const screen = open();
    screen.usePasskey();
    await settle();
    expect(screen.state.problem?.code).toBe('passkey_invalid');
  });

  it('is offered in the form, anew before the challenge is too old, and not after the page has gone', async () => {
    browser.passkeys.quiet = true;
    const screen = open();
    await browser.clock.pass(250_000);
    expect(sent('POST /session/passkey/start').length).toBe(2);
    browser.passkeys.present();
    await settle();
    expect(done).toBe(1);
    screen.close();
    await browser.clock.pass(600_000);
    expect(sent('POST /session/passkey/start').length).toBe(2);
  });

  it('has no button in a house that has no passkeys', async () => {
    browser.passkeys.quiet = true;
    server.on('POST /session/passkey/start', 404, { code: 'not_found' });
    const screen = open();
    expect(screen.state.passkey).toBe(true);
    await settle();
    expect(screen.state.passkey).toBe(false);
  });

  it.each([
    [true, true, true],
    [false, true, false],
    [true, false, false],
  ])('with browser %s and form %s has a button: %s', (supported, form, button) => {
    browser.passkeys.supported = supported;
    expect(open(form).state.passkey).toBe(button);
  });
});
