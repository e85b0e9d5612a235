/** Several builds of the app, one after the other, in a folder that a development server serves instead of its own. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { repository } from './paths.mjs';

const TEXTS = new Set(['.html', '.js', '.css']);

export class Builds {
  #number = 0;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'stube-e2e-build-'));
    this.#copy();
  }

  /** Settings for the house. */
  get env() {
    return { STUBE_WEB_DIST: this.folder };
  }

  /** As the page says it. */
  get current() {
    const build = readFileSync(join(this.folder, 'index.html'), 'utf8').match(/name="stube-build" content="([^"]+)"/)?.[1];
    if (!build) throw new Error('the page does not say which build it is');
    return build;
  }

  /**
   * Another build, as if all of the source had changed: every script and style has another name, and the old ones are gone.
   * @param {string} [version]
   */
  next(version) {
    this.#copy();
    this.#number += 1;
    const mark = `-n${this.#number}`;
    const assets = readdirSync(join(this.folder, 'assets')).filter((name) => TEXTS.has(extname(name)));
    const renamed = assets.map((name) => /** @type {const} */ ([name, name.replace(/(?=\.\w+$)/, mark)]));
    const build = this.current;
    const next = `${version ?? build.split('-')[0]}-next${this.#number}`;
    for (const name of ['index.html', 'sw.js', ...assets.map((asset) => join('assets', asset))]) {
      const path = join(this.folder, name);
      const text = readFileSync(path, 'utf8').replaceAll(build, next);
      writeFileSync(path, renamed.reduce((before, [old, fresh]) => before.replaceAll(old, fresh), text));
    }
    for (const [old, fresh] of renamed) renameSync(join(this.folder, 'assets', old), join(this.folder, 'assets', fresh));
    return next;
  }

  clear() {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Without the compressed forms, which would go on saying the old. */
  #copy() {
    this.clear();
    const plain = (/** @type {string} */ name) => !['.br', '.gz'].includes(extname(name));
    cpSync(join(repository, 'web', 'dist'), this.folder, { recursive: true, filter: plain });
  }
}
