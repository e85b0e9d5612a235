import { beforeEach, expect, test } from 'vitest';
import { settle } from '../../tests/clock.ts';
import { FakeWakeable } from '../tests/fake_wakeable.ts';
import { FakeBrowser, FakeServer } from '../tests/fakes.ts';
import { PushModel } from './push.ts';

const SUBSCRIPTION = { endpoint: 'https://push.example/1', p256dh: 'p', auth: 'a', browser: 'b-1', language: 'de' };

let wakeable: FakeWakeable;
let server: FakeServer;
let browser: FakeBrowser;
let offered: boolean[];
let push: PushModel;

beforeEach(() => {
  wakeable = new FakeWakeable();
  server = new FakeServer();
  browser = new FakeBrowser();
  offered = [];
  server.on('GET /push', 200, { on: true, key: 'k-1' });
  server.on('PUT /push/subscription', 204, {});
  server.on('DELETE /push/subscription', 204, {});
  load();
});

/** The page anew; what the browser remembers stays. */
function load(): void {
  push = new PushModel({
    wakeable,
    api: server.http.api,
    storage: browser.local,
    browserId: () => 'b-1',
    connected: () => true,
    offer: (wanted) => offered.push(wanted),
  });
}

async function signIn(person = 'u-anna'): Promise<void> {
  push.follow(person);
  await settle();
}

async function turn(on: boolean): Promise<void> {
  push.setOn(on);
  await settle();
}

function told(): unknown[] {
  return server.requests.filter(({ route }) => route === 'PUT /push/subscription').map(({ body }) => body);
}

test('it is offered once, and the browser asks only after a click', async () => {
  await signIn();
  expect([offered, wakeable.asked, push.state.on]).toEqual([[true], 0, false]);
  await turn(true);
  expect([offered, wakeable.asked, push.state.on]).toEqual([[true, false], 1, true]);
  expect(told()).toEqual([SUBSCRIPTION]);
  load();
  await signIn();
  expect([offered, push.state.on]).toEqual([[true, false], true]);
});

test('a declined offer is not made again, and it can be turned on all the same', async () => {
  await signIn();
  push.decline();
  load();
  await signIn();
  expect([offered, told()]).toEqual([[true, false], []]);
  await turn(true);
  expect(push.state.on).toBe(true);
});

test('the server is told anew at each start, and with the key of today', async () => {
  await signIn();
  await turn(true);
  server.on('GET /push', 200, { on: true, key: 'k-2' });
  load();
  await signIn();
  expect(wakeable.keys).toEqual(['k-1', 'k-2']);
  expect(told()).toHaveLength(2);
});

test('somebody else at the same browser is not woken by what the first one wanted', async () => {
  await signIn();
  await turn(true);
  push.follow(undefined);
  await signIn('u-bernd');
  expect([push.state.on, told().length]).toEqual([false, 1]);
});

test('turned off the server forgets it, and the browser too', async () => {
  await signIn();
  await turn(true);
  await turn(false);
  expect([push.state.on, wakeable.keys]).toEqual([false, []]);
  expect(server.requests.at(-1)?.route).toBe('DELETE /push/subscription');
  load();
  await signIn();
  expect(told()).toHaveLength(1);
});

test.each([
  ['a house that wakes nobody', () => server.on('GET /push', 200, { on: false }), 'off_in_house'],
  ['a server that does not say', () => server.on('GET /push', 503, { code: 'unavailable' }), 'off_in_house'],
  ['a browser that cannot', () => (wakeable.support = 'no'), 'unsupported'],
  ['a browser that can once installed', () => (wakeable.support = 'install_first'), 'install_first'],
  ['a browser that may not', () => (wakeable.allowed = 'denied'), 'denied'],
])('%s is an obstacle, and nothing is offered', async (_, make, obstacle) => {
  make();
  await signIn();
  expect([push.state.obstacle, push.state.on, offered]).toEqual([obstacle, false, []]);
});

test('a permission that was taken away in the browser is seen, and one that came back', async () => {
  await signIn();
  await turn(true);
  wakeable.allowed = 'denied';
  push.look();
  expect([push.state.obstacle, push.state.on]).toEqual(['denied', false]);
  wakeable.allowed = 'granted';
  push.look();
  expect([push.state.obstacle, push.state.on]).toEqual([undefined, true]);
});

test('a question without an answer, a refusal and a service that is away are told apart', async () => {
  await signIn();
  wakeable.answer = 'default';
  await turn(true);
  expect([push.state.problem, push.state.on]).toEqual(['dismissed', false]);
  wakeable.answer = 'granted';
  wakeable.down = true;
  await turn(true);
  expect([push.state.problem, push.state.on]).toEqual(['failed', false]);
  wakeable.down = false;
  wakeable.allowed = 'default';
  wakeable.answer = 'denied';
  await turn(true);
  expect([push.state.problem, push.state.obstacle]).toEqual([undefined, 'denied']);
  expect(told()).toEqual([]);
});

test('the worker is told whether this page rings by itself', () => {
  expect(wakeable.connected()).toBe(true);
});
