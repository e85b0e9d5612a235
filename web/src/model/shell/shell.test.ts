import { beforeEach, expect, test } from 'vitest';
import type { App, Call, Home } from '../../protocol/generated.ts';
import { settle } from '../../tests/clock.ts';
import type { AppState, DoorScreen, Page } from '../screens.ts';
import { Store } from '../store.ts';
import { FakeShell } from '../tests/fake_shell.ts';
import { FakeBrowser } from '../tests/fakes.ts';
import { ShellModel } from './shell.ts';

const OWN = '0.1.0-1';
const NEWER: App = { build: '0.1.0-2' };
const FORCED: App = { build: '0.2.0-3', minimum_version: '0.2.0' };
const user = { username: 'anna', name: 'Anna', admin: false };
const HOME: Home = { rooms: [], calls: [], missed: 0, status: 'available', meetings: [], favourites: [] } as never;

let ports: FakeShell;
let browser: FakeBrowser;
let served: App | undefined;
let shell: ShellModel;

beforeEach(() => {
  ports = new FakeShell();
  browser = new FakeBrowser();
  served = undefined;
  load();
});

/** The page anew; what the browser remembers stays. */
function load(): void {
  const asked = async () => served;
  shell = new ShellModel({ ...ports, browser, served: asked, fetchNewest: ports.fetchNewest });
}

function at(name: Page['name'], { account = true, phase = 'open' } = {}): void {
  const screen = Object.assign(new Store({ phase }), {}) as unknown as DoorScreen;
  shell.follow({ page: { name, screen }, ...(account ? { house: { name: 'H', user } } : {}) } as AppState);
}

async function holds(app: App | undefined): Promise<void> {
  shell.serverHolds(app);
  await settle();
}

function rings(on: boolean): void {
  shell.homeIs({ ...HOME, calls: on ? [{} as Call] : [] });
}

test('another build of the server is fetched once and then offered', async () => {
  at('home');
  await holds({ build: OWN });
  expect([ports.fetches, shell.state.prompt]).toEqual([0, undefined]);
  shell.serverHolds(NEWER);
  expect(shell.state.prompt).toBe(undefined);
  await settle();
  await holds(NEWER);
  expect([ports.fetches, shell.state.prompt]).toEqual([1, 'update']);
  shell.update();
  expect(ports.reloads).toBe(1);
});

test('the offer goes when the server holds this build again', async () => {
  at('home');
  await holds(NEWER);
  await holds({ build: OWN });
  expect(shell.state.prompt).toBe(undefined);
});

test('a server that does not say what it holds, and a page in development, change nothing', async () => {
  at('home');
  await holds(undefined);
  expect(shell.state).toEqual({});
  ports.build = undefined;
  load();
  at('home');
  await holds(NEWER);
  expect([ports.fetches, shell.state.prompt]).toEqual([0, undefined]);
});

test('nothing is offered in a meeting, at the door, while it rings, and to guests', async () => {
  await holds(NEWER);
  at('meeting');
  expect(shell.state.prompt).toBe(undefined);
  shell.update();
  at('door');
  expect(shell.state.prompt).toBe(undefined);
  at('left', { account: false });
  expect(shell.state.prompt).toBe(undefined);
  at('call', { phase: 'connecting' });
  expect(shell.state.prompt).toBe(undefined);
  at('call', { phase: 'ended' });
  expect(shell.state.prompt).toBe('update');
  at('home');
  rings(true);
  expect(shell.state.prompt).toBe(undefined);
  rings(false);
  expect(shell.state.prompt).toBe('update');
  expect(ports.reloads).toBe(0);
});

test('below the minimum the page is loaded anew by itself, as soon as the meeting is over, and says so', async () => {
  at('meeting');
  await holds(FORCED);
  expect(shell.state).toEqual({});
  at('left');
  expect(shell.state).toEqual({ updating: true });
  await browser.clock.pass(2_000);
  expect(ports.reloads).toBe(1);
});

test('guests update by themselves, too, but not on the way in', async () => {
  at('door', { account: false, phase: 'waiting' });
  await holds(FORCED);
  await browser.clock.pass(2_000);
  expect(ports.reloads).toBe(0);
  at('door', { account: false });
  await browser.clock.pass(2_000);
  expect(ports.reloads).toBe(1);
});

test('a call that comes in the last moment is not broken off', async () => {
  at('home');
  await holds(FORCED);
  expect(shell.state.updating).toBe(true);
  rings(true);
  await browser.clock.pass(2_000);
  expect([ports.reloads, shell.state.updating]).toEqual([0, undefined]);
  rings(false);
  await browser.clock.pass(2_000);
  expect(ports.reloads).toBe(1);
});

test('a page that stays old is loaded anew by itself once and then asks', async () => {
  at('home');
  await holds(FORCED);
  await browser.clock.pass(2_000);
  load();
  at('home');
  await holds(FORCED);
  await browser.clock.pass(10_000);
  expect([ports.reloads, shell.state.prompt]).toEqual([1, 'update']);
});

test('parts that are gone lead to one new page, if the server holds another build', async () => {
  at('admin');
  served = { build: OWN };
  ports.partMissing();
  await settle();
  await browser.clock.pass(2_000);
  expect(ports.reloads).toBe(0);

  served = NEWER;
  ports.partMissing();
  await settle();
  await browser.clock.pass(2_000);
  expect(ports.reloads).toBe(1);

  load();
  at('admin');
  ports.partMissing();
  await settle();
  await browser.clock.pass(10_000);
  expect([ports.reloads, shell.state.prompt]).toEqual([1, 'update']);
});

test('a server that refuses this page as too old leads to a new one', async () => {
  at('home');
  served = NEWER;
  shell.refused();
  await settle();
  await browser.clock.pass(2_000);
  expect(ports.reloads).toBe(1);
});

test('installing is offered once and a decline is remembered', async () => {
  at('home');
  ports.installable();
  expect(shell.state.prompt).toBe('install');
  shell.decline('install');
  expect(shell.state.prompt).toBe(undefined);
  load();
  at('home');
  ports.installable();
  expect(shell.state.prompt).toBe(undefined);
});

test('the browser asks when installing is wanted, and push waits for the next visit', async () => {
  at('home');
  ports.installable();
  shell.wantsPush(true);
  shell.install();
  expect([ports.installs, shell.state.prompt]).toEqual([1, undefined]);
  load();
  at('home');
  ports.installable();
  shell.wantsPush(true);
  expect(shell.state.prompt).toBe('push');
  shell.decline('push');
  expect(shell.state.prompt).toBe(undefined);
});

test('where people install by hand they are told how, once', () => {
  ports.installsByHand = 'ios';
  load();
  at('door');
  expect(shell.state).toEqual({});
  at('home');
  expect(shell.state).toEqual({ prompt: 'install', byHand: 'ios' });
  load();
  at('home');
  expect(shell.state).toEqual({});
  browser = new FakeBrowser();
  ports.installed = true;
  load();
  at('home');
  expect(shell.state).toEqual({});
});

test('the screen stays on in a meeting, and again after the page was hidden', async () => {
  at('home');
  await settle();
  expect(ports.awake).toBe(false);
  at('meeting');
  await settle();
  expect(ports.awake).toBe(true);
  ports.awake = false;
  browser.hidden = true;
  shell.visibilityChanged();
  await settle();
  expect(ports.awake).toBe(false);
  browser.hidden = false;
  shell.visibilityChanged();
  await settle();
  expect(ports.awake).toBe(true);
  at('left');
  await settle();
  expect(ports.awake).toBe(false);
});

test('missed calls stand on the icon until they are looked at or nobody is signed in', () => {
  at('home');
  shell.homeIs({ ...HOME, missed: 3 });
  expect(ports.badge).toBe(3);
  shell.homeIs(HOME);
  expect(ports.badge).toBe(0);
  shell.homeIs({ ...HOME, missed: 1 });
  at('sign_in', { account: false });
  expect(ports.badge).toBe(0);
});
