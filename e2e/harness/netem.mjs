/**
 * A bad line between server and browser. `ownNetwork` runs a file of journeys again in a network (and among processes) of its
 * own, so that whatever is laid in it goes with it, however the file ends. There, a `Line` leads to a second network: the
 * server and near people live on this side, far people on the other. `netem.py` is the line itself.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until, within } from './wait.mjs';

const PROGRAM = fileURLToPath(new URL('netem.py', import.meta.url));
const INSIDE = 'STUBE_OWN_NETWORK';
/** Ends with this process, whatever ends it; with it all processes in there. */
const APART = ['--pdeathsig', 'KILL', 'unshare', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
const CHROMIUM = '/usr/bin/chromium';

/**
 * Conditions of one direction, all optional.
 * @typedef {object} Conditions
 * @property {number} [delay] ms
 * @property {number} [jitter] ms
 * @property {number} [loss] %
 * @property {{ enter: number, leave: number }} [burst] % per packet
 * @property {number} [duplicate] %
 * @property {number} [reorder] %
 * @property {number} [rate] kbit/s
 * @property {number} [queue] ms of it
 * @property {'udp' | 'tcp'} [only_loses]
 * @property {number} [spares] a port of TCP, of which nothing is lost
 * @property {boolean} [cut]
 */

/** @typedef {{ passed: number, lost: number, bytes: number }} Counts */

/**
 * To be asked first in a file. False where the kernel does not allow a network of one's own: then there is one skipped test that
 * says so, and the file has nothing else to do.
 * @param {string} file `import.meta.url`
 */
export async function ownNetwork(file) {
  if (process.env[INSIDE]) return true;
  const problem = obstacle();
  if (problem) {
    console.error(`NOT TESTED: journeys over bad lines need a network of their own: ${problem}`);
    test('journeys over bad lines', { skip: `no network of their own: ${problem}` });
    return false;
  }
  const child = spawn('setpriv', [...APART, process.execPath, ...process.execArgv, fileURLToPath(file), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  const [code] = await once(child, 'exit');
  process.exit(code ?? 1);
}

function obstacle() {
  const script = 'ip link set lo up && : <>/dev/net/tun';
  const { status, error, stderr } = spawnSync('setpriv', [...APART, 'sh', '-c', script], { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

export class Line {
  near = '';
  far = '';
  #pid = 0;
  #folder = mkdtempSync(join(tmpdir(), 'stube-line-'));
  #browsers = 0;
  /** @type {import('node:net').Server[]} */
  #doors = [];
  #process;
  /** @type {AsyncIterator<string>} */
  #answers;

  /** @param {number} seed */
  constructor(seed) {
    this.#process = spawn('python3', [PROGRAM, 'lay', `${seed}`], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @param {number} [seed] of what is random about it */
  static async lay(seed = 1) {
    const line = new Line(seed);
    const { near, far, pid } = await line.#answer();
    line.near = near;
    line.far = far;
    line.#pid = pid;
    return line;
  }

  async #answer() {
    const { value, done } = await within('an answer of the line', 10_000, this.#answers.next());
    if (done) throw new Error('the line broke down');
    return JSON.parse(value);
  }

  /** @param {object} command @returns {Promise<{ to_far: Counts, to_near: Counts }>} counts since the last change */
  #say(command) {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
    return this.#answer();
  }

  /** Both ways alike, or each its own; counts begin anew. @param {Conditions} toFar @param {Conditions} [toNear] */
  async is(toFar, toNear = toFar) {
    await this.#say({ to_far: toFar, to_near: toNear });
  }

  counts() {
    return this.#say({});
  }

  /** The far side is somewhere else in the network, as a phone is that leaves the house. @param {string} address */
  async farMovesTo(address) {
    await this.#say({ address });
    this.far = address;
  }

  /**
   * How the line is, as small packets find it that go there and back.
   * @param {{ count?: number, everyMs?: number }} [how]
   * @returns {Promise<{ sent: number, returned: number, lossPercent: number, medianMs: number, round_trips_ms: number[] }>}
   */
  async probe({ count = 200, everyMs = 5 } = {}) {
    const echo = createSocket('udp4', (message, { port, address }) => echo.send(message, port, address));
    echo.bind(0, this.near);
    await once(echo, 'listening');
    try {
      const asked = spawn('nsenter', ['-t', `${this.#pid}`, '-n', 'python3', PROGRAM, 'probe', `${echo.address().port}`, `${count}`, `${everyMs}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      asked.stdout.on('data', (chunk) => { said += chunk; });
      await within('the probe', count * everyMs + 10_000, once(asked, 'close'));
      const found = JSON.parse(said);
      const medianMs = found.round_trips_ms[Math.floor(found.returned / 2)] ?? Number.POSITIVE_INFINITY;
      return { ...found, medianMs, lossPercent: 100 * (1 - found.returned / found.sent) };
    } finally {
      echo.close();
    }
  }

  /** A server that listens on its own computer only is reached over the line too. @param {number} port */
  async leadsTo(port) {
    const door = createServer((far) => {
      const house = connect(port, '127.0.0.1');
      // What ends on one side ends on the other.
      far.on('error', () => house.destroy()).on('close', () => house.destroy()).pipe(house);
      house.on('error', () => far.destroy()).on('close', () => far.destroy()).pipe(far);
    });
    door.listen(port, this.near);
    await once(door, 'listening');
    this.#doors.push(door);
  }

  /** A Chromium on the far side, as a program to start, and a way to its process once it was. */
  farBrowser() {
    const stem = join(this.#folder, `${++this.#browsers}`);
    const program = `${stem}.sh`;
    writeFileSync(program, `#!/bin/sh\necho $$ >${stem}.pid\nexec nsenter -t ${this.#pid} -n ${CHROMIUM} "$@"\n`);
    chmodSync(program, 0o755);
    return { program, pid: () => Number(readFileSync(`${stem}.pid`, 'utf8')) };
  }

  async takeUp() {
    for (const door of this.#doors) door.close();
    const gone = once(this.#process, 'exit');
    this.#process.stdin.end();
    await within('the line to be taken up', 10_000, gone);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** In a network of one's own: nothing gets out of or into this port by UDP any more. @param {number} port */
export function forbidUdp(port) {
  const ip = (/** @type {string} */ words) => {
    const { status, stderr } = spawnSync('ip', words.split(' '), { encoding: 'utf8' });
    if (status !== 0) throw new Error(`ip ${words}: ${stderr}`);
  };
  // Before the table by which one reaches oneself.
  ip('rule add pref 10 lookup local');
  ip('rule del pref 0');
  for (const end of ['dport', 'sport']) ip(`rule add pref 1 ipproto udp ${end} ${port} blackhole`);
}

/** All of a program's processes, its own first. @param {number} pid @returns {number[]} */
export function familyOf(pid) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // After the name in brackets, which may hold anything: state, parent.
      const parent = Number(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // Ended meanwhile.
    }
  }
  const family = [pid];
  for (const one of family) family.push(...(children.get(one) ?? []));
  return family;
}

/** As a closed lid: nothing of it runs until it is woken. @param {number} pid */
export async function sleeps(pid) {
  const family = familyOf(pid);
  for (const one of family) tell(one, 'SIGSTOP');
  await until('the browser to sleep', () => family.every((one) => /^[TZX]/.test(stateOf(one))));
  return () => {
    for (const one of family.toReversed()) tell(one, 'SIGCONT');
  };
}

/** Some of a browser's processes end by themselves at any time. @param {number} pid @param {NodeJS.Signals} signal */
function tell(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/** As in `/proc`; of one that has ended, X. @param {number} pid */
function stateOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '');
  } catch {
    return 'X';
  }
}
