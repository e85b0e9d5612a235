/** Bots as a crowd: guests of an open room with faces and voices that a browser can tell. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binary } from './paths.mjs';
import { GiveUp, until, within } from './wait.mjs';

/** What a bot is called by its number. @param {number} number */
export const botNamed = (number) => `Bot ${number}`;

/**
 * @param {import('./house.mjs').House} house
 * @param {string} room as in its address
 * @param {number} count
 * @param {number} [first] identity of the first
 * @param {number} [loudness] of their voices, in dBov
 * @returns {Promise<() => Promise<void>>} sends them home
 */
export async function crowd(house, room, count, first = 11, loudness = -12) {
  const path = process.env.STUBE_BOT_BIN ?? join(dirname(binary()), 'stube-bot');
  if (!existsSync(path)) throw new Error(`${path} is not there: build it with "cargo build -p bot", or set STUBE_BOT_BIN`);
  const child = spawn(path, ['--url', house.url, '--room', room, '--guest', '--count', `${count}`, '--first', `${first}`, '--loudness', `${loudness}`, '--seconds', '300'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => { said += chunk; });
  child.stderr.on('data', (chunk) => { said += chunk; });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await until('the crowd to be in', () => {
    if (child.exitCode !== null) throw new GiveUp(`the crowd went early with ${child.exitCode}: ${said}`);
    return said.includes(`${count} bots are in`);
  });
  return async () => {
    process.off('exit', kill);
    if (child.exitCode !== null) throw new Error(`the crowd went early with ${child.exitCode}: ${said}`);
    child.kill('SIGINT');
    await within('the crowd to go', 15_000, ended).finally(kill);
  };
}
