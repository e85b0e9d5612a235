/**
 * One server for one file of journeys: the real binary on a free port with a data directory of its own. It can be stopped,
 * killed and started again at the same address. Also the public HTTP interface, for what a journey only needs as given.
 */

import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary, outFolder } from './paths.mjs';
import { GiveUp, until, within } from './wait.mjs';

/** @typedef {{ username: string, name: string, password: string }} Account */

/** @type {Account} */
export const ANNA = { username: 'anna', name: 'Anna Albrecht', password: 'green door at dusk' };
/** @type {Account} */
export const BELA = { username: 'bela', name: 'Béla Brandt', password: 'lamp over the table' };

export class House {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process;
  #output = '';
  #log;
  /** @type {Map<string, string>} */
  #cookies = new Map();

  /** @param {string} name @param {number} port @param {Record<string, string>} env @param {import('./netem.mjs').Line} [line] @param {boolean} [lan] */
  constructor(name, port, env, line, lan = false) {
    this.line = line;
    this.lan = lan;
    this.env = line ? { STUBE__MEDIA__ADDRESSES: line.near, ...env } : env;
    this.data = mkdtempSync(join(tmpdir(), 'stube-e2e-'));
    this.url = `${lan ? 'https' : 'http'}://localhost:${port}`;
    this.port = port;
    this.#log = createWriteStream(join(outFolder(name), 'server.log'));
  }

  /**
   * @param {string} name of the journey's file
   * @param {Record<string, string>} [env] settings besides the usual ones
   * @param {import('./netem.mjs').Line} [line] over which people reach it
   * @param {boolean} [lan] it speaks TLS itself, with a certificate that nobody knows
   */
  static async start(name, env = {}, line, lan = false) {
    const house = new House(name, await freePort(), env, line, lan);
    if (!lan) await line?.leadsTo(house.port);
    await house.start();
    return house;
  }

  get pid() {
    return this.#process?.pid;
  }

  #environment() {
    return {
      ...process.env,
      STUBE__LISTEN: `127.0.0.1:${this.port}`,
      STUBE__DATA_DIR: this.data,
      STUBE__MEDIA__PORT: '0',
      STUBE__HOUSE__NAME: 'Haus am See',
      RUST_LOG: process.env.RUST_LOG ?? 'info',
      ...this.env,
    };
  }

  async start() {
    // A directory of its own: no stube.toml of the developer's gets in.
    const child = spawn(binary(), this.lan ? ['run', '--lan'] : ['run'], { cwd: this.data, env: this.#environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const listen = (/** @type {Buffer} */ chunk) => {
      this.#output += chunk;
      this.#log.write(chunk);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    children.add(child);
    child.on('exit', () => children.delete(child));
    await until('the server to be ready', async () => {
      if (child.exitCode !== null) throw new GiveUp(`the server ended with ${child.exitCode}: ${this.#output}`);
      return (await fetch(`${this.url}/readyz`)).ok;
    }, { timeoutMs: 30_000 });
  }

  /** The one-time link, as it was printed. */
  setupLink() {
    return until('the set-up link', () => this.#output.match(/https?:\/\/\S+\/setup#[\w.~-]+/)?.[0]);
  }

  /** SIGTERM, as a service manager does it; fails if the server does not end by itself. */
  async stop() {
    await this.#end('SIGTERM');
  }

  /** As if the plug was pulled. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await within(`the server's end after ${signal}`, 15_000, ended);
    this.#process = undefined;
  }

  /** At the end of the file. */
  async demolish() {
    try {
      await this.stop();
    } finally {
      await this.kill();
      this.#log.end();
      rmSync(this.data, { recursive: true, force: true });
    }
  }

  /** Makes the administrator through the interface, without a browser. @param {Account} account */
  async setUp(account) {
    const link = new URL(await this.setupLink());
    await this.post(account, 'setup', { token: link.hash.slice(1), ...account });
  }

  /** Makes another account at the command line. @param {Account} account */
  async addUser({ username, name, password }) {
    await this.#command(['user', 'add', username, '--name', name, '--password-stdin'], `${password}\n`);
  }

  /** Makes many accounts that nobody signs in to, at the command line. @param {string} table as CSV */
  async importPeople(table) {
    const file = join(this.data, 'people.csv');
    writeFileSync(file, table);
    await this.#command(['user', 'import', file]);
  }

  /**
   * Registers another application at the command line.
   * @param {string} name @param {string[]} options
   * @returns {Promise<{ id: string, secret: string | undefined }>}
   */
  async addClient(name, options) {
    const said = await this.#command(['client', 'add', name, ...options]);
    const id = said.match(/^client_id +(\S+)$/m)?.[1];
    if (!id) throw new Error(`no client id in: ${said}`);
    return { id, secret: said.match(/^client_secret +(\S+)$/m)?.[1] };
  }

  /** Runs a command to its end and gives back what it said. @param {string[]} command @param {string} input */
  async #command(command, input = '') {
    const child = spawn(binary(), command, { cwd: this.data, env: this.#environment(), stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (chunk) => { said += chunk; });
    child.stderr.on('data', (chunk) => { said += chunk; });
    // Whoever reads nothing may be done before it comes.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`stube ${command.join(' ')} ended with ${code}: ${said}`);
    return said;
  }

  /** Makes a room; open to guests when the name begins with `public/`. @param {Account} owner @param {string} name */
  async addRoom(owner, name) {
    if (!this.#cookies.has(owner.username)) {
      await this.post(owner, 'session', { username: owner.username, password: owner.password });
    }
    await this.post(owner, 'rooms', { name });
  }

  /** Opens, closes or renames a room, or says who knocks. @param {Account} owner @param {{ name: string } & Record<string, unknown>} change */
  async changeRoom(owner, change) {
    await this.#send(owner, 'PATCH', 'rooms', change);
  }

  /** @param {Account} account @param {string} path @param {unknown} body */
  post(account, path, body) {
    return this.#send(account, 'POST', path, body);
  }

  /** @param {Account} account @param {string} method @param {string} path @param {unknown} body */
  async #send(account, method, path, body) {
    const cookie = this.#cookies.get(account.username);
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json', origin: this.url, ...(cookie ? { cookie } : {}) },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${await response.text()}`);
    const set = response.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
    if (set) this.#cookies.set(account.username, set);
    return response.json();
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

const LOWEST_PORT = 20_000;
/** @type {Set<number>} */
const given = new Set();

/**
 * A port that stays free until it is used, and while who uses it is started anew: below those that the system hands out to
 * whoever connects, one of whom would take it, or, asking for a server that is down, meet themselves there.
 * @returns {Promise<number>}
 */
export async function freePort() {
  const handedOut = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  return until('a free port', async () => {
    const port = LOWEST_PORT + Math.floor(Math.random() * (handedOut - LOWEST_PORT));
    if (given.has(port) || !(await isFree(port))) return undefined;
    given.add(port);
    return port;
  }, { everyMs: 1 });
}

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
