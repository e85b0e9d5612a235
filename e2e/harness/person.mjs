/**
 * One person at one Chromium of their own, with a camera and a microphone that can be told from everybody else's. What a
 * journey does with the page reads here as what a person does; what they see and hear is judged by the probe.
 */

import { chromium } from 'playwright-core';
import { join } from 'node:path';
import { mediaOf, toneOf } from './media.mjs';
import { outFolder } from './paths.mjs';
import { installProbe } from './probe.mjs';
import { until, untilEqual, within } from './wait.mjs';
import { words } from './words.mjs';

/** @typedef {import('./house.mjs').House} House */
/** @typedef {import('./house.mjs').Account} Account */
/** @typedef {import('./probe.mjs').Probe} Probe */
/** @typedef {Window & { probe: Probe }} Probed */

/** A tone this loud is heard; noise suppression and silence stay far below. */
const HEARD_DB = -60;
const TONE_TOLERANCE_HZ = 15;

const CLIPBOARD = ['clipboard-read', 'clipboard-write'];
const PERMISSIONS = {
  files: ['camera', 'microphone', ...CLIPBOARD],
  none: ['camera', 'microphone'],
  denied: [],
  'camera-denied': ['microphone'],
};

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/**
 * @typedef {object} Equipment
 * @property {string} journey the file's name, for logs
 * @property {number} identity number in the barcode and the tone
 * @property {'files' | 'none' | 'denied' | 'camera-denied'} [devices] own files; no device at all; the browser says no,
 *   to both or to the camera
 * @property {string} [microphone] a file instead of the own tone
 * @property {string} [camera] a file instead of the own picture
 * @property {string} [locale]
 * @property {{ width: number, height: number }} [viewport]
 * @property {'light' | 'dark'} [colorScheme]
 * @property {string} [userAgent]
 * @property {'allow' | 'block'} [serviceWorkers]
 * @property {boolean} [far] at the other end of the line to the house
 * @property {string[]} [flags] of Chromium, besides the usual ones; one that begins like a usual one replaces it
 */

/** Everybody who is there, for pictures of what went wrong. @type {Set<Person>} */
export const everybody = new Set();

/**
 * How a browser with its devices is started.
 * @param {NonNullable<Equipment['devices']>} devices
 * @param {number} identity
 * @param {{ camera?: string | undefined, microphone?: string, flags?: string[] | undefined, program?: string | undefined }} [other]
 *   files, flags and a program instead of the usual ones
 */
function launchOptions(devices, identity, other = {}) {
  const flags = other.flags ?? [];
  const isReplaced = (/** @type {string} */ flag) => flags.some((own) => own.split('=')[0] === flag.split('=')[0]);
  const args = [...FLAGS.filter((flag) => !isReplaced(flag)), ...flags];
  if (devices === 'files' || devices === 'camera-denied') {
    const { camera, microphone } = { ...mediaOf(identity), ...other };
    // Without the fake question the permissions of the profile decide.
    if (devices === 'files') args.push('--use-fake-ui-for-media-stream');
    args.push(
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${camera}`,
      `--use-file-for-fake-audio-capture=${microphone}`,
    );
  } else if (devices === 'denied') {
    args.push('--use-fake-ui-for-media-stream=deny', '--use-fake-device-for-media-stream');
  } else {
    args.push('--use-fake-ui-for-media-stream');
  }
  return { executablePath: other.program ?? '/usr/bin/chromium', headless: true, chromiumSandbox: false, args };
}

/** How to start a browser at the far end of a line. @param {import('./netem.mjs').Line} line @param {string[]} [flags] */
export function atFarEnd(line, flags = []) {
  const { program, pid } = line.farBrowser();
  // Under the house's usual name, as cameras are for secure pages only and plain http is one under this name alone.
  return { program, pid, flags: [`--host-resolver-rules=MAP localhost ${line.near}`, ...flags] };
}

/** A browser with its devices. @param {Parameters<typeof launchOptions>} how */
export function launch(...how) {
  return chromium.launch(launchOptions(...how));
}

/** @param {House} house @param {Equipment} equipment */
function profileOf(house, equipment) {
  return {
    baseURL: house.url,
    locale: equipment.locale ?? 'en-US',
    viewport: equipment.viewport ?? { width: 1000, height: 700 },
    colorScheme: equipment.colorScheme ?? 'light',
    permissions: PERMISSIONS[equipment.devices ?? 'files'],
    serviceWorkers: equipment.serviceWorkers ?? 'allow',
    ...(equipment.userAgent ? { userAgent: equipment.userAgent } : {}),
  };
}

export class Person {
  /** Every address this page asked for. @type {string[]} */
  requests = [];
  /** @type {string[]} */
  #log = [];
  /** Over a bad line no picture becomes sharp, and nobody waits for it. */
  expectsSharp = true;
  /** Set while the person is known under a name in a meeting. */
  name = '';
  /** The browser's own process, of somebody at the far end of a line. @type {(() => number) | undefined} */
  pid;

  /**
   * @param {House} house
   * @param {Equipment} equipment
   * @param {import('playwright-core').Browser} browser
   * @param {import('playwright-core').BrowserContext} context
   * @param {import('playwright-core').Page} page
   */
  constructor(house, equipment, browser, context, page) {
    this.house = house;
    this.equipment = equipment;
    this.browser = browser;
    this.context = context;
    this.page = page;
    this.say = words(equipment.locale?.startsWith('de') ? 'de' : 'en');
    everybody.add(this);
    context.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
    page.on('console', (message) => this.#log.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.#log.push(`uncaught: ${error.stack ?? error.message}`));
  }

  /** @param {House} house @param {Equipment} equipment */
  static async arrive(house, equipment) {
    const { devices = 'files', identity, far, flags = [], microphone, camera } = equipment;
    const files = { ...(microphone ? { microphone } : {}), ...(camera ? { camera } : {}) };
    if (!far || !house.line) return Person.open(house, equipment, await launch(devices, identity, { flags, ...files }));
    const { pid, ...start } = atFarEnd(house.line, flags);
    const person = await Person.open(house, equipment, await launch(devices, identity, { ...start, ...files }));
    person.pid = pid;
    return person;
  }

  /** A fresh profile in a browser that runs already. @param {House} house @param {Equipment} equipment @param {import('playwright-core').Browser} browser */
  static async open(house, equipment, browser) {
    const context = await browser.newContext(profileOf(house, equipment));
    context.setDefaultTimeout(20_000);
    await context.addInitScript(installProbe);
    return new Person(house, equipment, browser, context, await context.newPage());
  }

  /**
   * With a profile that is kept in this folder, as everybody's own browser does: it installs apps.
   * @param {House} house @param {Equipment} equipment @param {string} folder
   */
  static async settle(house, equipment, folder) {
    const { args, ...options } = launchOptions(equipment.devices ?? 'files', equipment.identity);
    const context = await chromium.launchPersistentContext(folder, {
      ...options,
      ...profileOf(house, equipment),
      // Without it, a site has to be known for a while before it is offered.
      args: [...args, '--bypass-app-banner-engagement-checks'],
      ignoreDefaultArgs: ['--disable-extensions'],
    });
    context.setDefaultTimeout(20_000);
    await context.addInitScript(installProbe);
    const page = context.pages()[0] ?? (await context.newPage());
    // Such a context is its own browser: all that is asked of either is to close.
    const browser = /** @type {import('playwright-core').Browser} */ (/** @type {unknown} */ (context));
    return new Person(house, equipment, browser, context, page);
  }

  async goHome() {
    everybody.delete(this);
    await within('closing a browser', 10_000, this.browser.close()).catch(() => undefined);
  }

  // What a person does.

  /** @param {string} path or whole address */
  async goto(path) {
    await this.page.goto(path);
  }

  /** @param {string} name */
  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** Accounts call, guests take part; in English both join. Where others knock, they do. */
  joinButton() {
    const names = ['door.join', 'door.join_guest', 'door.knock'].map((key) => this.button(this.say(key)));
    return names.reduce((one, other) => one.or(other)).first();
  }

  /** Waits until nothing moves any more: fonts are there, transitions are over, pictures have come. */
  async rests() {
    await until('the page to be at rest', () => this.page.evaluate(isAtRest, this.expectsSharp));
  }

  /** Waits until these words stand somewhere. @param {string | RegExp} text */
  async reads(text) {
    await this.page.getByText(text).first().waitFor();
  }

  /** @param {string} label */
  field(label) {
    return this.page.getByRole('textbox', { name: label, exact: true }).or(this.page.getByLabel(label, { exact: true })).first();
  }

  /** @param {Account} account */
  async signIn(account) {
    await this.field(this.say('field.username')).fill(account.username);
    await this.field(this.say('field.password')).fill(account.password);
    await this.button(this.say('sign_in.submit')).last().click();
    this.name = account.name;
  }

  /** Signs in on the way to a door. @param {Account} account @param {string} path */
  async signInAt(account, path) {
    await this.goto(`/sign-in?to=${encodeURIComponent(path)}`);
    await this.signIn(account);
    await this.joinButton().waitFor();
  }

  /** Signs in and stands in the home page. @param {Account} account */
  async signInAtHome(account) {
    await this.goto('/sign-in');
    await this.signIn(account);
    await this.button(this.say('home.new_call')).waitFor();
  }

  /** The menu at the top of the home page. */
  async openMenu() {
    await this.button(this.say('home.menu').replace('{name}', this.name)).click();
  }

  async signOut() {
    await this.openMenu();
    await this.button(this.say('app.sign_out')).click();
  }

  /** @param {string} name @param {string} path */
  async comeAsGuest(name, path) {
    await this.goto(path);
    await this.field(this.say('field.your_name')).fill(name);
    this.name = name;
  }

  /** Through the door; the browser's question is explained first where it has to be asked. */
  async join() {
    await this.agreeToDevices();
    await this.joinButton().click();
  }

  async agreeToDevices() {
    await this.joinButton().waitFor();
    if (await this.page.evaluate(isAskedForDevices)) await this.button(this.say('devices.ask')).click();
  }

  /** Inside: the way out is there. */
  async isInside() {
    await this.button(this.say('meeting.leave')).waitFor();
  }

  async leave() {
    await this.button(this.say('meeting.leave')).click();
    await this.button(this.say('left.again')).waitFor();
  }

  // What a person sees and hears.

  /** @template T @param {(probe: Probe) => T | Promise<T>} look */
  async #look(look) {
    const source = `(${look.toString()})(window.probe)`;
    return /** @type {Promise<Awaited<T>>} */ (within('looking into a page', 10_000, this.page.evaluate(source)));
  }

  /** @returns {Promise<string[]>} names of the others' tiles, sorted */
  async tiles() {
    return (await this.#look((probe) => probe.tiles())).filter((name) => name !== '').sort();
  }

  /** @param {string} name */
  async barcode(name) {
    return within('reading a barcode', 10_000, this.page.evaluate((who) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.barcode(who), name));
  }

  /** @param {string} name */
  async tone(name) {
    return within('reading a tone', 10_000, this.page.evaluate((who) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.tone(who), name));
  }

  transports() {
    return this.#look((probe) => probe.transports());
  }

  /** Over which the media connections reach the server. */
  protocols() {
    return this.#look((probe) => probe.protocols());
  }

  hints() {
    return this.#look((probe) => probe.hints());
  }

  /** What went out so far, by encoding. */
  sent() {
    return this.#look((probe) => probe.sent());
  }

  /** The page is hidden as by another tab over it, or seen again. @param {boolean} hidden */
  async hide(hidden) {
    await this.page.evaluate((is) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (is ? 'hidden' : 'visible') });
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => is });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, hidden);
  }

  /** Ms from now, or from a click on `button`, to a fresh frame in a tile. @param {string} name @param {string} [button] */
  async frameAfter(name, button) {
    return within(`a frame of ${name}`, 15_000, this.page.evaluate(async ([who, click]) => {
      const begun = performance.now();
      const buttons = [...document.querySelectorAll('button')];
      if (click) buttons.find((one) => one.textContent?.trim() === click || one.ariaLabel === click)?.click();
      const { probe } = /** @type {Probed} */ (/** @type {unknown} */ (window));
      return Math.round((await probe.frameAt(who)) - begun);
    }, /** @type {const} */ ([name, button ?? ''])));
  }

  /** @param {{ name: string }} other @param {'audio' | 'video'} kind @returns {Promise<number>} */
  packets(other, kind) {
    return this.page.evaluate(
      ([who, what]) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.packets(who, what),
      /** @type {const} */ ([other.name, kind]),
    );
  }

  /** Notes from now on when somebody's sound arrives. @param {{ name: string }} other */
  followSoundOf(other) {
    return this.page.evaluate((who) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.followSound(who), other.name);
  }

  /** When the sound that is followed arrived, Unix ms. */
  arrivals() {
    return this.#look((probe) => probe.arrivals());
  }

  /** What came of somebody so far. @param {{ name: string }} other */
  qualityOf(other) {
    return this.page.evaluate((who) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.quality(who), other.name);
  }

  /** @param {'mouth' | 'ear'} side @param {string} name @param {number} ms @param {number} [most] @returns {Promise<number[]>} */
  onsets(side, name, ms, most = ms) {
    return this.page.evaluate(
      ([at, who, time, count]) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.onsets(at, who, time, count),
      /** @type {const} */ ([side, name, ms, most]),
    );
  }

  /** Arms the stop-watch from a click on `button` to the first remote frame. @param {string} button */
  timeFirstFrame(button) {
    return this.page.evaluate((name) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.timeFirstFrame(name), button);
  }

  firstFrameMs() {
    return this.#look((probe) => probe.firstFrameMs());
  }

  /** What happened when between the click and the first frame. */
  wayIn() {
    return this.#look((probe) => probe.way());
  }

  /** The connection is up, though nobody has gone in. */
  async isPrepared() {
    await until(`the media of ${this.name} to be prepared`, async () => (await this.transports()).some(({ state }) => state === 'connected'));
  }

  /** Everybody else is there as a tile, and nobody besides. @param {{ name: string }[]} others */
  async hasTilesOf(...others) {
    await untilEqual(`the tiles of ${this.name}`, others.map((other) => other.name).sort(), () => this.tiles());
  }

  /** @param {{ name: string, equipment: { identity: number } }[]} others */
  async sees(...others) {
    await Promise.all(others.map((other) =>
      untilEqual(`${other.name}'s face before ${this.name}`, other.equipment.identity, () => this.barcode(other.name))));
  }

  /** @param {{ name: string, equipment: { identity: number } }[]} others */
  async hears(...others) {
    await Promise.all(others.map(async (other) => {
      const hz = toneOf(other.equipment.identity);
      /** @type {unknown} */
      let last;
      await until(`${other.name}'s voice of ${hz} Hz in ${this.name}'s ears`, async () => {
        const tone = await this.tone(other.name);
        last = tone;
        return typeof tone !== 'string' && tone.db > HEARD_DB && Math.abs(tone.hz - hz) <= TONE_TOLERANCE_HZ;
      }).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(last)}`);
      });
    }));
  }

  /** The tile stands and shows no picture. @param {{ name: string }} other */
  async seesNoPictureOf(other) {
    await untilEqual(`${other.name}'s picture gone before ${this.name}`, 'not visible', () => this.barcode(other.name));
  }

  /** @param {{ name: string }} other */
  async doesNotHear(other) {
    await until(`${other.name}'s voice gone from ${this.name}'s ears`, async () => {
      const tone = await this.tone(other.name);
      return typeof tone === 'string' ? tone !== 'no tile' : tone.db < HEARD_DB;
    });
  }

  /** Whether the voice is heard at this moment. @param {{ name: string }} other */
  async hearsNow(other) {
    const tone = await this.tone(other.name);
    return typeof tone !== 'string' && tone.db > HEARD_DB;
  }

  // What went wrong.

  async keepEvidence() {
    const folder = outFolder(this.equipment.journey);
    const stem = `${this.equipment.identity}-${(this.name || 'nobody').replaceAll(/\W+/g, '_')}`;
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(folder, `${stem}.log`), `${this.page.url()}\n${this.#log.join('\n')}\n`);
    await this.page.screenshot({ path: join(folder, `${stem}.png`), timeout: 5000 }).catch(() => undefined);
  }

  /** Uncaught errors of the page. */
  errors() {
    return this.#log.filter((line) => line.startsWith('uncaught:'));
  }
}

/** In the page: whether the browser would ask for camera or microphone, which the app explains first. */
async function isAskedForDevices() {
  const states = await Promise.all(['camera', 'microphone'].map((name) =>
    navigator.permissions.query({ name: /** @type {PermissionName} */ (name) })));
  return states.some(({ state }) => state === 'prompt');
}

/** In the page, once fonts are there and transitions are over: whether, if asked, every picture that is shown is about as sharp as its place asks for. @param {boolean} sharp */
async function isAtRest(sharp) {
  await document.fonts.ready;
  // What a change of size or theme sets going begins with the next frame.
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const moving = document.getAnimations().filter((animation) => {
    const timing = animation.effect?.getComputedTiming();
    return animation.playState === 'running' && timing?.iterations !== Number.POSITIVE_INFINITY;
  });
  await Promise.allSettled(moving.map(({ finished }) => finished));
  const videos = [...document.querySelectorAll('video')].filter((video) => video.checkVisibility({ visibilityProperty: true }));
  const isSharp = (/** @type {HTMLVideoElement} */ video) => {
    const { width, height } = video.getBoundingClientRect();
    return width === 0 || (video.videoWidth > 0 && (video.videoHeight >= 360 || video.videoHeight * 2 >= height));
  };
  return !sharp || videos.every(isSharp);
}
