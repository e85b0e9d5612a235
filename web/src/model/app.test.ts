import { describe, expect, it, vi } from 'vitest';
import type { Media } from '../media/media.ts';
import type { House, RoomView } from '../protocol/generated.ts';
import { settle } from '../tests/clock.ts';
import { AppModel } from './app.ts';
import type { Page } from './screens.ts';
import { FakeShell } from './tests/fake_shell.ts';
import { FakeWakeable } from './tests/fake_wakeable.ts';
import {
  FakeBrowser,
  FakeCapture,
  FakeMedia,
  FakeNotices,
  FakeServer,
  FakeTones,
  SILENT_REPORT,
} from './tests/fakes.ts';

const HOUSE: House = {
  name: 'Haus Linde',
  setup_needed: false,
  guests: true,
  open_house: false,
  local_sign_in: true,
  providers: [],
  recovery_mail: false,
  mail: false,
  app: { build: '0.1.0-1' },
};
const ANNA = { id: 'u-1', username: 'anna', name: 'Anna', admin: true };
const VIEW: RoomView = {
  id: 'r-1',
  name: 'Küche',
  access: 'accounts',
  kind: 'named',
  knock: false,
  owner: true,
  knocking: [],
  you: 'p-1',
  participants: [],
  speaking: [],
  slots: [],
  demand: [],
};

class Scene {
  readonly server = new FakeServer();
  readonly capture = new FakeCapture();
  readonly shell = new FakeShell();
  readonly browser: FakeBrowser;
  readonly app: AppModel;
  house: House = HOUSE;

  constructor(path: string, signedIn = false) {
    this.browser = new FakeBrowser(path);
    if (signedIn) this.house = { ...HOUSE, user: ANNA };
    this.server.routes.set('GET /me', () => [200, this.house]);
    this.server.on('POST /tickets', 200, { ticket: 't' });
    this.server.on('GET /door', 200, { name: 'Küche', access: 'accounts', exists: true, owner: true });
    this.signsIn('POST /setup', ANNA);
    this.signsIn('POST /session', { step: 'done', user: ANNA });
    this.app = new AppModel({
      browser: this.browser,
      http: this.server.http,
      shell: this.shell,
      wakeable: new FakeWakeable(),
      capture: this.capture,
      newStream: () => ({}) as MediaStream,
      measureLevel: () => () => {},
      tones: new FakeTones(),
      notices: new FakeNotices(),
      planner: { unixMs: () => 0, words: ({ title }) => ({ title, text: '' }) },
      report: SILENT_REPORT,
      newMedia: (events) => new FakeMedia(events) as unknown as Media,
      newClient: (ticket) => this.server.client(this.browser.clock, ticket),
    });
  }

  /** After this request there is a session. */
  signsIn(route: string, answer: object): void {
    this.server.routes.set(route, () => {
      this.house = { ...this.house, setup_needed: false, user: ANNA };
      return [200, answer];
    });
  }

  async start(): Promise<this> {
    this.app.start();
    await settle();
    return this;
  }

  page<N extends Page['name']>(name: N): Extract<Page, { name: N }> {
    const { page } = this.app.state;
    if (page.name !== name) throw new Error(`expected ${name}, stands on ${page.name}`);
    return page as Extract<Page, { name: N }>;
  }

  get path(): string {
    const { pathname, search, hash } = this.browser.address();
    return pathname + search + hash;
  }

  async inMeeting(): Promise<this> {
    await this.start();
    this.server.socket.open();
    this.page('door').screen.join();
    await settle();
    this.server.socket.say({ type: 'room_snapshot', epoch: 'e', seq: 0, room: VIEW });
    return this;
  }
}

describe('the first visit to a new house', () => {
  it('leads to the set-up from everywhere, and from there home', async () => {
    const scene = new Scene('/r/K%C3%BCche');
    scene.house = { ...HOUSE, setup_needed: true };
    await scene.start();
    expect(scene.page('setup').screen.state.hasToken).toBe(false);
    scene.browser.push('/setup#abc');
    scene.app.retry();
    await settle();
    const { screen } = scene.page('setup');
    expect(screen.state.hasToken).toBe(true);
    screen.submit({ username: 'anna', name: 'Anna', password: 'long enough' });
    await settle();
    expect(scene.server.requests.find((one) => one.route === 'POST /setup')?.body).toMatchObject({ token: 'abc' });
    expect(scene.path).toBe('/');
    expect(scene.page('home').screen.state.live).toBe(false);
    expect(scene.app.state.house?.user?.name).toBe('Anna');
  });
});

describe('somebody who is not signed in', () => {
  it('is asked to sign in at home, and gets there', async () => {
    const scene = await new Scene('/').start();
    expect(scene.path).toBe('/sign-in');
    scene.page('sign_in').screen.submit({ username: 'anna', password: 'x' });
    await settle();
    expect(scene.path).toBe('/');
    scene.page('home');
  });

  it('comes back to the door with its fragment after signing in', async () => {
    const scene = new Scene('/r/K%C3%BCche#mute=1');
    scene.server.on('GET /door', 403, { code: 'guests_not_allowed' });
    await scene.start();
    expect(scene.page('door').screen.state.phase).toBe('guests_not_allowed');
    scene.app.signIn();
    expect(scene.path).toBe('/sign-in?to=%2Fr%2FK%25C3%25BCche');
    const { screen } = scene.page('sign_in');
    expect(screen.state.roomName).toBe('Küche');
    scene.server.on('GET /door', 200, { name: 'Küche', access: 'accounts', exists: true, owner: false });
    screen.submit({ username: 'anna', password: 'x' });
    await settle();
    expect(scene.page('door').screen.state).toMatchObject({ phase: 'open', viewer: 'account', name: 'Anna' });
    expect(scene.app.devices.state).toMatchObject({ microphone: { on: false }, camera: { on: true } });
    expect(scene.path).toBe('/r/K%C3%BCche');
  });

  it('goes on to the application that sent them, out of the app', async () => {
    const scene = await new Scene('/sign-in?to=%2Foidc%2Fauthorize%3Fstate%3D%25C3%25A4').start();
    expect(scene.browser.left).toBeUndefined();
    scene.page('sign_in').screen.submit({ username: 'anna', password: 'x' });
    await settle();
    expect(scene.browser.left).toBe('/oidc/authorize?state=%C3%A4');
  });

  it('reads what was wrong with the sign-in', async () => {
    const scene = await new Scene('/sign-in').start();
    scene.server.on('POST /session', 401, { code: 'wrong_credentials' });
    const { screen } = scene.page('sign_in');
    screen.submit({ username: 'anna', password: 'x' });
    expect(screen.state.busy).toBe(true);
    await settle();
    expect(screen.state).toMatchObject({ busy: false, problem: { code: 'wrong_credentials' } });
  });
});

describe('an open house', () => {
  const OPEN_HOUSE = { ...HOUSE, open_house: true };

  it('lets somebody without an account in by the name of a room, or to the sign-in', async () => {
    const scene = new Scene('/');
    scene.house = OPEN_HOUSE;
    await scene.start();
    const { screen } = scene.page('lobby');
    scene.server.on('GET /door', 200, { name: 'Neu', access: 'guests', exists: false, owner: false, known: false });
    screen.setRoomText('Neu');
    screen.enterRoom();
    await settle();
    expect(scene.path).toBe('/r/public/Neu');
    expect(scene.page('door').screen.state).toMatchObject({ phase: 'open', viewer: 'guest', exists: false });
    scene.app.navigate('/');
    scene.page('lobby');
    scene.app.signIn();
    scene.page('sign_in');
  });

  it('is a home to those with an account as every house', async () => {
    const scene = new Scene('/', true);
    scene.house = { ...OPEN_HOUSE, user: ANNA };
    (await scene.start()).page('home');
  });
});

describe('an invited guest', () => {
  it('stays in the meeting at the address of the invite, and can come back', async () => {
    const scene = new Scene('/join#t0ken');
    const door = { name: 'Küche', access: 'accounts', exists: true, owner: false, known: false };
    scene.server.on('POST /invites/open', 200, door);
    scene.server.on('POST /guests', 200, { grant: 'g', name: 'Ben', expires_in_ms: 1000 });
    await scene.start();
    scene.page('door').screen.setName('Ben');
    scene.page('door').screen.join();
    await settle();
    scene.server.socket.open();
    scene.server.socket.say({ type: 'room_snapshot', epoch: 'e', seq: 0, room: { ...VIEW, owner: false } });
    scene.page('meeting');
    expect(scene.path).toBe('/join#t0ken');
    const renamed = { type: 'room_changed', name: 'Bad', access: 'accounts', knock: false, owner: false } as const;
    scene.server.socket.say({ type: 'room_delta', seq: 1, change: renamed });
    expect(scene.path).toBe('/join#t0ken');
    scene.server.socket.say({ type: 'room_left', reason: 'session_ended' });
    const { screen } = scene.page('left');
    expect(screen.state).toEqual({ roomName: 'Bad', reason: 'session_ended', viewer: 'guest', home: false });
    scene.server.on('POST /invites/open', 410, { code: 'link_invalid' });
    screen.joinAgain();
    await settle();
    expect(scene.page('door').screen.state.phase).toBe('invite_invalid');
  });

  it('who signs in instead comes to the room as themselves', async () => {
    const scene = new Scene('/join#t0ken');
    const door = { name: 'Küche', access: 'accounts', exists: true, owner: false, known: false };
    scene.server.on('POST /invites/open', 200, door);
    await scene.start();
    scene.app.signIn();
    expect(scene.path).toBe('/sign-in?to=%2Fjoin');
    scene.page('sign_in').screen.submit({ username: 'anna', password: 'x' });
    await settle();
    expect(scene.path).toBe('/r/K%C3%BCche');
    expect(scene.page('door').screen.state).toMatchObject({ phase: 'open', viewer: 'account', invited: false });
  });
});

describe('the meeting', () => {
  it('follows the door, and the left page leads back to the door', async () => {
    const scene = await new Scene('/r/K%C3%BCche', true).inMeeting();
    scene.page('meeting').screen.leave();
    const { screen } = scene.page('left');
    expect(screen.state).toEqual({ roomName: 'Küche', reason: 'left', viewer: 'account', home: true });
    expect(scene.capture.live).toEqual([]);
    screen.joinAgain();
    await settle();
    scene.page('door');
    expect(scene.capture.live).toEqual(['mic-a', 'cam-a']);
  });

  it('ends with the session', async () => {
    const scene = await new Scene('/r/K%C3%BCche', true).inMeeting();
    scene.server.on('POST /tickets', 401, { code: 'sign_in_required' });
    scene.server.socket.break();
    await scene.browser.clock.pass(1_000);
    expect(scene.page('left').screen.state.reason).toBe('session_ended');
    scene.house = HOUSE;
    scene.page('left').screen.joinAgain();
    await settle();
    expect(scene.app.state.house?.user).toBeUndefined();
  });
});

it('shows a button when the server cannot be reached, and goes on when it can', async () => {
  const scene = new Scene('/', true);
  const answer = scene.server.routes.get('GET /me');
  scene.server.routes.delete('GET /me');
  await scene.start();
  expect(scene.page('error').problem).toEqual({ code: 'offline' });
  if (answer) scene.server.routes.set('GET /me', answer);
  scene.app.retry();
  await settle();
  scene.page('home');
});

it('goes on by itself when the server is reached again', async () => {
  const scene = new Scene('/', true);
  const answer = scene.server.routes.get('GET /me');
  scene.server.on('GET /me', 503, { code: 'unavailable' });
  await scene.start();
  await scene.browser.clock.pass(10_000);
  expect(scene.page('error').problem.code).toBe('unavailable');
  if (answer) scene.server.routes.set('GET /me', answer);
  await scene.browser.clock.pass(10_000);
  scene.page('home');
  const asked = scene.server.requests.length;
  await scene.browser.clock.pass(60_000);
  expect(scene.server.requests.slice(asked).filter(({ route }) => route === 'GET /me')).toEqual([]);
});

it('opens what a shortcut asks for once, after the sign-in if it has to be', async () => {
  const scene = await new Scene('/?open=call').start();
  expect(scene.path).toBe('/sign-in?to=%2F%3Fopen%3Dcall');
  scene.page('sign_in').screen.submit({ username: 'anna', password: 'p' });
  await settle();
  expect(scene.page('home').screen.state.newCall).toBeDefined();
  expect(scene.path).toBe('/');
});

it('signs out to the sign-in and closes the connection', async () => {
  const scene = await new Scene('/', true).start();
  scene.server.on('DELETE /session', 200, {});
  scene.server.socket.open();
  scene.house = HOUSE;
  scene.app.signOut();
  await settle();
  scene.page('sign_in');
  expect(scene.server.socket.closed).toBe(true);
});

it('signs out at the provider as well where the server says so', async () => {
  const scene = await new Scene('/', true).start();
  scene.server.on('DELETE /session', 200, { go_to: 'https://login.example/end?x' });
  scene.app.signOut();
  await settle();
  expect(scene.browser.left).toBe('https://login.example/end?x');
});

describe('outside providers', () => {
  const UNI = { id: 'uni', name: 'Portal' };
  const portal = (path: string, changes: Partial<House> = {}): Scene => {
    const scene = new Scene(path);
    scene.house = { ...HOUSE, local_sign_in: false, providers: [UNI], ...changes };
    return scene;
  };

  it.each([
    ['from home', '/', {}, '/sso/start?provider=uni&to=%2F'],
    ['from a page', '/sign-in?to=%2Faccount', {}, '/sso/start?provider=uni&to=%2Faccount'],
    ['not when there is a form as well', '/', { local_sign_in: true }, undefined],
    ['not when there are two', '/', { providers: [UNI, { id: 'b', name: 'B' }] }, undefined],
    ['not after a failure', '/sign-in?problem=denied', {}, undefined],
  ])('are gone to without asking: %s', async (_, path, changes, left) => {
    const scene = await portal(path, changes).start();
    expect(scene.browser.left).toBe(left);
    if (left === undefined) scene.page('sign_in');
  });

  it.each([
    ['denied', 'denied'],
    ['unavailable', 'unavailable'],
    ['what_is_this', 'failed'],
  ])('that come back with %s are said to have %s', async (problem, refusal) => {
    const scene = await portal(`/sign-in?problem=${problem}&to=%2Fr%2FTea`).start();
    expect(scene.page('sign_in').screen.state).toMatchObject({
      refusal,
      form: false,
      roomName: 'Tea',
      providers: [{ name: 'Portal', href: '/sso/start?provider=uni&to=%2Fr%2FTea' }],
    });
  });

  it('are not gone to again after signing out, until somebody has signed in', async () => {
    const scene = portal('/');
    scene.house = { ...scene.house, user: ANNA };
    await scene.start();
    scene.server.on('DELETE /session', 200, {});
    scene.house = { ...HOUSE, local_sign_in: false, providers: [UNI] };
    scene.app.signOut();
    await settle();
    scene.page('sign_in');
    expect(scene.browser.left).toBeUndefined();
    scene.house = { ...scene.house, user: ANNA };
    scene.app.retry();
    await settle();
    scene.house = { ...HOUSE, local_sign_in: false, providers: [UNI] };
    scene.app.retry();
    await settle();
    expect(scene.browser.left).toBe('/sso/start?provider=uni&to=%2F');
  });

  it('bring people back to where they were, fragment included', async () => {
    const scene = portal('/r/K%C3%BCche#mute=1');
    scene.server.on('GET /door', 403, { code: 'guests_not_allowed' });
    await scene.start();
    // Asked once whether they are known there, which is not to be seen; nobody is, so it is a guest's door.
    expect(scene.browser.left).toBe('/sso/start?provider=uni&to=%2Fr%2FK%25C3%25BCche&silent=1');
    scene.browser.left = undefined;
    scene.browser.replace('/r/K%C3%BCche');
    scene.app.retry();
    await settle();
    expect(scene.browser.left).toBeUndefined();
    scene.page('door');
    expect(scene.browser.address().hash).toBe('#mute=1');
    scene.app.signIn();
    expect(scene.browser.left).toBe('/sso/start?provider=uni&to=%2Fr%2FK%25C3%25BCche');
    scene.browser.replace('/r/K%C3%BCche');
    scene.house = { ...scene.house, user: ANNA };
    scene.server.on('GET /door', 200, { name: 'Küche', access: 'accounts', exists: true, owner: false, known: true });
    scene.app.retry();
    await settle();
    expect(scene.app.devices.state.microphone.on).toBe(false);
  });
});

it.each([
  ['a guest who is in there already', { grant: true }],
  ['somebody who has signed out', { signedOut: true }],
  ['a house with a form of its own', { form: true }],
])('asks no provider silently for %s', async (_, { grant, signedOut, form }: Record<string, boolean | undefined>) => {
  const scene = new Scene('/r/Tea');
  scene.house = { ...HOUSE, local_sign_in: form === true, providers: [{ id: 'uni', name: 'Portal' }] };
  if (grant) scene.browser.session.set('stube.grant', JSON.stringify({ room: 'Tea', grant: 'g', name: 'Bela' }));
  if (signedOut) scene.browser.session.set('stube.signed_out', '1');
  scene.server.on('GET /door', 403, { code: 'guests_not_allowed' });
  await scene.start();
  expect(scene.browser.left).toBeUndefined();
  scene.page('door');
});

it('lets people show anew who they are where an application wants to be sure', async () => {
  const to = encodeURIComponent('/oidc/authorize?client_id=a');
  const scene = new Scene(`/sign-in?to=${to}&again=1`, true);
  scene.house = { ...scene.house, local_sign_in: false, providers: [{ id: 'uni', name: 'Portal' }] };
  await scene.start();
  const { providers } = scene.page('sign_in').screen.state;
  expect(providers[0]?.href).toBe(`/sso/start?provider=uni&to=${to}&again=1`);
});

describe('pages for accounts only', () => {
  /** Their models are loaded when somebody goes there. */
  const stands = (scene: Scene, name: Page['name']): Promise<void> =>
    vi.waitFor(() => expect(scene.app.state.page.name).toBe(name), { timeout: 5_000 });
  const own = (path: string, user: Partial<typeof ANNA> = {}): Scene => {
    const scene = new Scene(path);
    scene.house = { ...HOUSE, user: { ...ANNA, ...user } };
    for (const list of ['account', 'account/sessions', 'account/applications', 'admin/checklist']) {
      scene.server.on(`GET /${list}`, 503, { code: 'unavailable' });
    }
    return scene;
  };

  it.each(['/account', '/admin', '/admin/people/u%201'])('lead from %s to the sign-in and back', async (path) => {
    const scene = await new Scene(path).start();
    expect(scene.path).toBe(`/sign-in?to=${encodeURIComponent(path)}`);
    scene.page('sign_in');
  });

  it('are the account for everybody, and the administration for administrators', async () => {
    await stands(await own('/account', { admin: false }).start(), 'account');
    await stands(await own('/admin').start(), 'admin');
    (await own('/admin', { admin: false }).start()).page('not_found');
  });

  it('are left at once by somebody who is locked', async () => {
    const scene = await own('/account').start();
    await stands(scene, 'account');
    scene.server.socket.open();
    scene.server.on('POST /tickets', 401, { code: 'sign_in_required' });
    scene.house = HOUSE;
    scene.server.socket.break();
    await scene.browser.clock.pass(1_000);
    expect(scene.path).toBe('/sign-in?to=%2Faccount');
    scene.page('sign_in');
  });

  it('are not shown any more when another page was gone to meanwhile', async () => {
    const scene = await own('/account').start();
    await stands(scene, 'account');
    scene.app.navigate('/admin');
    scene.app.navigate('/');
    await stands(scene, 'home');
    await import('./admin/admin.ts');
    await settle();
    scene.page('home');
  });
});

describe('a link to an account', () => {
  const invited = { username: 'bela', name: 'Béla', password: 'long enough' };

  it('invites: the account is made as it was typed, and leads home', async () => {
    const scene = new Scene('/invite#secret');
    scene.server.on('POST /links/open', 200, { kind: 'invite', name: 'Béla', username: '' });
    scene.signsIn('POST /links/accept', { step: 'done', user: ANNA });
    await scene.start();
    const { screen } = scene.page('account_link');
    expect(screen.state).toMatchObject({ kind: 'invite', phase: 'open', name: 'Béla', username: '' });
    screen.submit(invited);
    await settle();
    expect(scene.server.requests.find((one) => one.route === 'POST /links/accept')?.body).toEqual({
      token: 'secret',
      ...invited,
    });
    expect(scene.path).toBe('/');
    scene.page('home');
  });

  it('recovers: only the password is sent, and a second factor is asked for at the sign-in', async () => {
    const scene = new Scene('/recover#secret');
    scene.server.on('POST /links/open', 200, { kind: 'recovery', name: 'Béla', username: 'bela' });
    scene.server.on('POST /links/accept', 200, { step: 'code', token: 't' });
    await scene.start();
    scene.page('account_link').screen.submit(invited);
    await settle();
    expect(scene.server.requests.find((one) => one.route === 'POST /links/accept')?.body).toEqual({
      token: 'secret',
      password: 'long enough',
    });
    expect(scene.path).toBe('/sign-in');
  });

  it.each([
    ['without a token', '/invite', 'invite'],
    ['that is used up', '/invite#old', 'invite'],
    ['that is used up', '/recover#old', 'recovery'],
    ['for recovery without a token, where the house sends no mail', '/recover', 'recovery'],
  ])('%s says so: %s', async (_, path, kind) => {
    const scene = new Scene(path);
    scene.server.on('POST /links/open', 410, { code: 'link_invalid' });
    await scene.start();
    expect(scene.page('account_link').screen.state).toMatchObject({ kind, phase: 'invalid' });
  });

  it('that nobody could look at yet is looked at again', async () => {
    const scene = new Scene('/invite#secret');
    scene.server.on('POST /links/open', 503, { code: 'unavailable' });
    await scene.start();
    const { screen } = scene.page('account_link');
    expect(screen.state).toMatchObject({ phase: 'opening', problem: { code: 'unavailable' } });
    scene.server.on('POST /links/open', 200, { kind: 'invite', name: '', username: '' });
    screen.retry();
    await settle();
    expect(screen.state.phase).toBe('open');
  });

  it('is asked for by mail, and nothing tells whether there is such a person', async () => {
    const scene = new Scene('/recover');
    scene.house = { ...HOUSE, recovery_mail: true };
    scene.server.on('POST /recovery', 202, {});
    await scene.start();
    const { screen } = scene.page('forgotten');
    screen.submit('  ');
    expect(screen.state).toEqual({ busy: false, sent: false });
    screen.submit(' bela ');
    await settle();
    expect(scene.server.requests.at(-1)?.body).toEqual({ who: 'bela' });
    expect(screen.state).toEqual({ busy: false, sent: true });
  });
});

describe('another application that wants to know who somebody is', () => {
  it('goes on at once with somebody who is signed in', async () => {
    const scene = await new Scene('/sign-in?to=%2Foidc%2Fauthorize%3Fa', true).start();
    expect(scene.browser.left).toBe('/oidc/authorize?a');
  });

  it('has the password typed again where it asks for that', async () => {
    const scene = await new Scene('/sign-in?to=%2Foidc%2Fauthorize%3Fa&again=1', true).start();
    expect(scene.browser.left).toBeUndefined();
    scene.page('sign_in').screen.submit({ username: 'anna', password: 'x' });
    await settle();
    expect(scene.browser.left).toBe('/oidc/authorize?a');
  });
});

it('knows no other pages', async () => {
  (await new Scene('/nowhere', true).start()).page('not_found');
});
