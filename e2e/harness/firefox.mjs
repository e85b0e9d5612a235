/**
 * One person at Firefox, over WebDriver BiDi. Its camera is a ramp of colours and its voice a tone of 1 kHz that Firefox
 * makes itself, so it is known by frames and levels, not by a barcode. A silent sound device of our own lets it play.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { outFolder } from './paths.mjs';
import { installProbe } from './probe.mjs';
import { GiveUp, until, within } from './wait.mjs';

/** @typedef {Window & { probe: import('./probe.mjs').Probe }} Probed */

export class FirefoxPerson {
  name = '';
  /** @type {string[]} */
  requests = [];
  /** @type {string[]} */
  #log = [];

  /** @param {import('./house.mjs').House} house @param {import('puppeteer-core').Browser} browser @param {import('puppeteer-core').Page} page @param {() => void} silence */
  constructor(house, browser, page, silence) {
    this.house = house;
    this.browser = browser;
    this.page = page;
    this.silence = silence;
    page.on('console', (message) => this.#log.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.#log.push(`uncaught: ${error instanceof Error ? error.message : error}`));
    page.on('request', (request) => this.requests.push(request.url()));
  }

  /** @param {import('./house.mjs').House} house @param {Record<string, unknown>} [preferences] of Firefox, besides the usual ones */
  static async arrive(house, preferences = {}) {
    const sound = await soundDevice();
    try {
      const browser = await puppeteer.launch({
        browser: 'firefox',
        executablePath: '/usr/bin/firefox-esr',
        headless: true,
        env: { ...process.env, PULSE_SERVER: sound.server },
        extraPrefsFirefox: {
          'media.navigator.streams.fake': true,
          'media.navigator.permission.disabled': true,
          'media.peerconnection.ice.loopback': true,
          'media.peerconnection.ice.obfuscate_host_addresses': false,
          'media.autoplay.default': 0,
          'media.gmp-manager.updateEnabled': false,
          'intl.accept_languages': 'en-US',
          ...preferences,
        },
      });
      const page = await browser.newPage();
      await page.evaluateOnNewDocument(installProbe);
      return new FirefoxPerson(house, browser, page, sound.end);
    } catch (error) {
      sound.end();
      throw error;
    }
  }

  async goHome() {
    await within('closing Firefox', 10_000, this.browser.close()).catch(() => this.browser.process()?.kill('SIGKILL'));
    this.silence();
  }

  /** @param {string} name */
  async click(name) {
    const button = await until(`the button ${name}`, () => this.page.$(`::-p-aria([name="${name}"][role="button"])`), { everyMs: 300 });
    await button.click();
  }

  /** Through the interface, from a page of the house. @param {import('./house.mjs').Account} account */
  async signIn({ username, name, password }) {
    this.name = name;
    await this.page.goto(`${this.house.url}/sign-in`);
    const status = await this.page.evaluate(async (body) => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch('/api/v1/session', { method: 'POST', headers, body: JSON.stringify(body) })).status;
    }, { username, password });
    if (status !== 200) throw new Error(`${name} was not let in: ${status}`);
  }

  /** @param {string} name of a switch @param {boolean} on */
  async turns(name, on) {
    const find = () => this.page.$(`::-p-aria([name="${name}"][role="switch"])`);
    const toggle = await until(`the switch ${name}`, find, { everyMs: 300 });
    await toggle.click();
    await until(`${name} to be ${on ? 'on' : 'off'}`, async () => {
      const state = await (await find())?.evaluate((one) => one.getAttribute('aria-checked'));
      return state === String(on);
    }, { everyMs: 300 });
  }

  /** @param {string} name @param {string} path */
  async comeAsGuest(name, path) {
    this.name = name;
    await this.page.goto(`${this.house.url}${path}`);
    const field = await until('the field for the name', () => this.page.$('::-p-aria([name="Your name"][role="textbox"])'), { everyMs: 300 });
    await field.type(name);
    // Firefox would ask, and so the app explains first.
    await this.click('Allow camera and microphone');
  }

  async isInside() {
    await until('Firefox to be inside', () => this.page.$('::-p-aria([name="Leave"][role="button"])'), { everyMs: 300 });
  }

  /** @param {string} name */
  barcode(name) {
    return this.page.evaluate((who) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.barcode(who), name);
  }

  /** @param {string} name */
  tone(name) {
    return this.page.evaluate((who) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.tone(who), name);
  }

  /** @param {string} name */
  qualityOf(name) {
    return this.page.evaluate((who) => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.quality(who), name);
  }

  tiles() {
    return this.page.evaluate(() => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.tiles());
  }

  transports() {
    return this.page.evaluate(() => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.transports());
  }

  protocols() {
    return this.page.evaluate(() => /** @type {Probed} */ (/** @type {unknown} */ (window)).probe.protocols());
  }

  errors() {
    return this.#log.filter((line) => line.startsWith('uncaught:'));
  }

  /** @param {string} journey */
  async keepEvidence(journey) {
    const folder = outFolder(journey);
    writeFileSync(join(folder, 'firefox.log'), `${this.page.url()}\n${this.#log.join('\n')}\n`);
    await within('a picture of Firefox', 5000, this.page.screenshot({ path: join(folder, 'firefox.png') })).catch(() => undefined);
  }
}

/** A sound server with one silent output, for this browser only. */
async function soundDevice() {
  const folder = mkdtempSync(join(tmpdir(), 'stube-sound-'));
  const socket = join(folder, 'socket');
  const child = spawn('pulseaudio', [
    '-n', '--daemonize=no', '--exit-idle-time=-1', '--disallow-exit', '--use-pid-file=no',
    '-L', `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
    '-L', 'module-null-sink sink_name=null',
  ], { env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, PULSE_RUNTIME_PATH: folder }, stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const end = () => {
    process.off('exit', kill);
    kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const { existsSync } = await import('node:fs');
  await until('the sound server', () => {
    if (child.exitCode !== null) throw new GiveUp(`pulseaudio ended with ${child.exitCode}`);
    return existsSync(socket);
  });
  return { server: `unix:${socket}`, end };
}
