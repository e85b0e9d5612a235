/** Where things lie: the repository, the binary under test, and what journeys leave behind. */

import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const e2e = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const repository = resolve(e2e, '..');
/** Logs and pictures of what went wrong; and the cache of prepared media. */
export const out = join(e2e, 'out');

/** @param {string} name */
export function outFolder(name) {
  const folder = join(out, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The server to test: `STUBE_BIN`, or the development build. */
export function binary() {
  const given = process.env.STUBE_BIN;
  const target = process.env.CARGO_TARGET_DIR ?? join(repository, 'target');
  const path = given ?? join(target, 'debug', 'stube');
  if (!existsSync(path)) throw new Error(`${path} is not there: build it with "cargo build", or set STUBE_BIN`);
  return path;
}

/** Programs that nobody here wrote. */
export const strangers = join(e2e, 'strangers');

/** A provider: `STUBE_STRANGE_PROVIDER`, or the one that the tests build. */
export function strangeProvider() {
  const path = process.env.STUBE_STRANGE_PROVIDER ?? join(strangers, '.go', 'zitadel-provider');
  if (!existsSync(path)) throw new Error(`${path} is not there: "cargo xtask test e2e" builds it`);
  return path;
}

/** Their Python: `STUBE_PYTHON`, or the environment that the tests make. */
export function python() {
  const path = process.env.STUBE_PYTHON ?? join(strangers, '.venv', 'bin', 'python');
  if (!existsSync(path)) throw new Error(`${path} is not there: "cargo xtask test e2e" makes it`);
  return path;
}
