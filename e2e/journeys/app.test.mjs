/**
 * The app as a thing on the home screen: installed, without a connection, and newer than the tab that is open. The house
 * serves one build after the other.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { Builds } from '../harness/builds.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { Person } from '../harness/person.mjs';
import { staysTrue, until, untilEqual, within } from '../harness/wait.mjs';

const builds = new Builds();
const profile = mkdtempSync(join(tmpdir(), 'stube-e2e-profile-'));
after(() => {
  builds.clear();
  rmSync(profile, { recursive: true, force: true });
});
const { journey, person, place } = journeys(import.meta.url, { env: builds.env });

const ROOM = '/r/Abendrunde';
/** Long enough for a bar that should not come to come. */
const A_WHILE_MS = 1_500;

journey('the app can be installed, is offered once, and a decline is remembered', async () => {
  const anna = await settle({ identity: 1, devices: 'none' });
  await anna.context.addInitScript(() => {
    addEventListener('beforeinstallprompt', () => sessionStorage.setItem('offered', 'yes'));
  });
  await anna.signInAtHome(ANNA);
  await isKept(anna);
  const devtools = await anna.context.newCDPSession(anna.page);
  const { errors, data } = await devtools.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  const manifest = JSON.parse(data ?? '');
  assert.equal(manifest.name, 'Haus am See');
  assert.deepEqual(manifest.shortcuts.map((/** @type {{ name: string }} */ one) => one.name), ['New call', 'Contacts']);
  for (const { src } of [...manifest.icons, ...manifest.screenshots, ...manifest.shortcuts.flatMap((/** @type {any} */ one) => one.icons)]) {
    const image = await anna.context.request.get(src);
    assert.match(image.headers()['content-type'] ?? '', /^image\//, src);
  }
  await untilEqual('nothing in the way of installing', [], async () => {
    return (await devtools.send('Page.getInstallabilityErrors')).installabilityErrors;
  });

  await offersInstall(anna).waitFor();
  await anna.goto(ROOM);
  await anna.joinButton().waitFor();
  await staysTrue('no bar at the door', A_WHILE_MS, async () => !(await offersInstall(anna).isVisible()));

  await anna.goto('/');
  await anna.button(anna.say('shell.not_now')).click();
  await anna.page.evaluate(() => sessionStorage.removeItem('offered'));
  await anna.page.reload();
  await until('the browser to offer it again', () => anna.page.evaluate(() => sessionStorage.getItem('offered')));
  await staysTrue('no bar any more', A_WHILE_MS, async () => !(await offersInstall(anna).isVisible()));

  const app = { manifestId: `${place.house.url}/` };
  await within('installing', 30_000, devtools.send('PWA.install', app));
  assert.ok(await devtools.send('PWA.getOsAppState', app));
  await devtools.send('PWA.uninstall', app);
});

journey('shortcuts of the icon lead to the new call and to the contacts', async () => {
  const anna = await person(1, { devices: 'none' });
  await anna.signInAtHome(ANNA);
  await anna.goto('/?open=call');
  await anna.page.getByRole('dialog').waitFor();
  assert.equal(new URL(anna.page.url()).search, '');
  await anna.goto('/?open=contacts');
  await anna.page.getByRole('tab', { name: anna.say('home.tab_contacts'), selected: true }).waitFor();
});

journey('where the browser does not offer it, people are told once how to install', async () => {
  const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
  const anna = await person(1, { devices: 'none', userAgent: iphone, viewport: { width: 390, height: 844 } });
  await anna.signInAtHome(ANNA);
  await anna.reads(anna.say('shell.install_ios'));
  await anna.page.reload();
  await anna.button(anna.say('home.new_call')).waitFor();
  await staysTrue('no bar any more', A_WHILE_MS, async () => !(await anna.page.getByText(anna.say('shell.install_ios')).isVisible()));
});

journey('a browser inside another app, without a camera, is left for the real one', async () => {
  const inside = 'Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0 Mobile Safari/537.36';
  const guest = await person(1, { userAgent: inside, viewport: { width: 390, height: 844 } });
  await guest.context.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }));
  await place.house.addRoom(ANNA, 'public/Sommerfest');
  await guest.goto('/r/public/Sommerfest');
  const way = guest.page.getByRole('link', { name: guest.say('inside.open') });
  const host = new URL(place.house.url).host;
  assert.equal(await way.getAttribute('href'), `intent://${host}/r/public/Sommerfest#Intent;scheme=http;action=android.intent.action.VIEW;end`);
});

journey('without the server the page says so and comes back by itself', async () => {
  const anna = await person(1, { devices: 'none' });
  await anna.signInAtHome(ANNA);
  await isKept(anna);
  await place.house.stop();
  for (const path of ['/', ROOM]) {
    const response = await anna.page.goto(path);
    assert.ok(response?.fromServiceWorker());
    await anna.reads(anna.say('offline.title'));
  }
  await place.house.start();
  await anna.joinButton().waitFor();
  assert.equal(new URL(anna.page.url()).pathname, ROOM);

  await anna.context.setOffline(true);
  await anna.page.reload();
  await anna.reads(anna.say('offline.title'));
  await anna.context.setOffline(false);
  await anna.joinButton().waitFor();

  const kept = await anna.page.evaluate(async () => {
    const paths = [];
    for (const name of await caches.keys()) {
      for (const request of await (await caches.open(name)).keys()) paths.push(new URL(request.url).pathname);
    }
    return paths;
  });
  assert.deepEqual(kept.filter((path) => path !== '/' && !/^\/(assets|icons)\//.test(path)), [], 'only the app is kept');
});

journey('a new version of the server reaches an open tab, which comes back to its page', async () => {
  const anna = await person(1, { devices: 'none' });
  await anna.signInAtHome(ANNA);
  await isKept(anna);
  await anna.goto('/account');
  await anna.page.getByRole('heading', { level: 1 }).waitFor();
  const before = await buildOf(anna);
  const next = await replace();

  // A part of the old build that this tab has not loaded yet is still there for it.
  await offersUpdate(anna).waitFor();
  await anna.page.getByRole('link', { name: anna.say('app.home') }).or(anna.page.getByRole('link', { name: 'Haus am See' })).first().click();
  await anna.button(anna.say('home.new_call')).waitFor();
  await anna.openMenu();
  await anna.page.getByRole('link', { name: anna.say('admin.title') }).click();
  await anna.page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(await buildOf(anna), before);

  await offersUpdate(anna).click();
  await untilEqual('the new build', next, () => buildOf(anna));
  await anna.page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(new URL(anna.page.url()).pathname, '/admin');
  await staysTrue('nothing more to offer', A_WHILE_MS, async () => !(await offersUpdate(anna).isVisible()));
});

journey('nobody is asked in a call, and guests are not asked at all', async () => {
  await place.house.addRoom(ANNA, 'public/Fest');
  const [anna, gast] = await Promise.all([person(1), person(2)]);
  await anna.context.addInitScript(() => {
    const lock = { release: async () => sessionStorage.removeItem('awake') };
    navigator.wakeLock.request = async () => {
      sessionStorage.setItem('awake', 'yes');
      return /** @type {any} */ (lock);
    };
  });
  const isAwake = () => anna.page.evaluate(() => sessionStorage.getItem('awake'));
  await anna.signInAt(ANNA, '/r/public/Fest');
  assert.equal(await isAwake(), null);
  await isKept(anna);
  await anna.join();
  await anna.isInside();
  await gast.comeAsGuest('Gast', '/r/public/Fest');
  await gast.join();
  await gast.isInside();
  const next = await replace();
  await until('the new build in the browser', () => anna.page.evaluate((name) => caches.has(name), `stube-shell-${next}`));
  await anna.hasTilesOf(gast);
  for (const one of [anna, gast]) {
    await staysTrue('no bar in a call', A_WHILE_MS, async () => !(await offersUpdate(one).isVisible()));
  }
  assert.equal(await isAwake(), 'yes');
  await gast.leave();
  await anna.leave();
  await untilEqual('the screen that may go off', null, isAwake);
  await offersUpdate(anna).waitFor();
  await staysTrue('no bar for guests', A_WHILE_MS, async () => !(await offersUpdate(gast).isVisible()));
});

journey('below the minimum version a tab updates by itself, out of a call, and never again and again', async () => {
  const old = builds.next('0.0.1');
  place.house.env.STUBE__POLICY__MINIMUM_VERSION = '0.0.2';
  await place.house.stop();
  await place.house.start();
  const anna = await person(1);
  await anna.signInAt(ANNA, ROOM);
  await anna.join();
  await anna.isInside();
  let loads = 0;
  anna.page.on('load', () => { loads += 1; });
  await staysTrue('the page that is the newest there is', A_WHILE_MS, () => loads === 0);

  const next = await replace('0.0.2');
  await until('the new build in the browser', () => anna.page.evaluate((name) => caches.has(name), `stube-shell-${next}`));
  await anna.isInside();
  await staysTrue('the call', A_WHILE_MS, async () => loads === 0 && (await buildOf(anna)) === old);
  // It is said for a moment only.
  const said = anna.reads(anna.say('shell.updating'));
  await anna.button(anna.say('meeting.leave')).click();
  await said;
  await untilEqual('the new build', next, () => buildOf(anna));
  await anna.joinButton().waitFor();
  await staysTrue('one load and no more', A_WHILE_MS, () => loads === 1);
  delete place.house.env.STUBE__POLICY__MINIMUM_VERSION;
});

journey('without a worker, parts that are gone lead to one new page', async () => {
  const anna = await person(1, { devices: 'none', serviceWorkers: 'block' });
  await anna.signInAtHome(ANNA);
  const next = await replace();
  await anna.openMenu();
  await anna.page.getByRole('link', { name: anna.say('admin.title') }).click();
  await untilEqual('the new build', next, () => buildOf(anna));
  await anna.page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(new URL(anna.page.url()).pathname, '/admin');
});

/** The next build, on a server that is started anew. @param {string} [version] */
async function replace(version) {
  await place.house.stop();
  const next = builds.next(version);
  await place.house.start();
  return next;
}

/** @param {Partial<import('../harness/person.mjs').Equipment> & { identity: number }} equipment */
function settle(equipment) {
  return Person.settle(place.house, { journey: 'app', ...equipment }, profile);
}

/** The worker has everything. @param {Person} someone */
async function isKept(someone) {
  await until('the worker', () => someone.page.evaluate(() => navigator.serviceWorker.controller !== null));
}

/** @param {Person} someone */
function buildOf(someone) {
  return someone.page.evaluate(() => document.querySelector('meta[name="stube-build"]')?.getAttribute('content'));
}

/** @param {Person} someone */
function offersUpdate(someone) {
  return someone.button(someone.say('shell.reload'));
}

/** @param {Person} someone */
function offersInstall(someone) {
  return someone.button(someone.say('shell.install_do'));
}
