/** The app's own texts by key, read from its catalogues, so that a walk can be made in every language. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './paths.mjs';

/** @typedef {'en' | 'de'} Language */

/** @param {Language} language @returns {(key: string) => string} */
export function words(language) {
  const folder = join(repository, 'web', 'src', 'i18n');
  const files = readdirSync(folder).filter((name) => name === `${language}.ts` || name.startsWith(`${language}_`));
  const source = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const entries = source.matchAll(/^\s*'([a-z_.]+)':\s*'((?:[^'\\]|\\.)*)'/gm);
  const texts = new Map([...entries].map(([, key, text]) => [key, text?.replaceAll("\\'", "'")]));
  return (key) => {
    const text = texts.get(key);
    if (text === undefined) throw new Error(`${language}.ts has no text ${key}`);
    return text;
  };
}
