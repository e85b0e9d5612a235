/** What axe finds on a page against WCAG 2.2 AA: nothing, or a list that names rule and element. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** @param {import('./person.mjs').Person} person @returns {Promise<string[]>} */
export async function faults(person) {
  // `evaluate` is not held back by the page's content security policy, an added script would be.
  if (!(await person.page.evaluate(() => 'axe' in window))) await person.page.evaluate(source);
  return person.page.evaluate(async (rules) => {
    const axe = /** @type {{ run: Function }} */ (/** @type {any} */ (window).axe);
    const found = await axe.run(document, { runOnly: rules });
    return found.violations.flatMap((/** @type {any} */ rule) =>
      rule.nodes.map((/** @type {any} */ node) => `${rule.id}: ${node.target.join(' ')} (${node.failureSummary.replaceAll(/\s+/g, ' ')})`));
  }, RULES);
}

/** Once nothing moves any more, axe finds nothing, and nothing overflows. @param {import('./person.mjs').Person} person @param {string} where */
export async function isSound(person, where) {
  await person.rests();
  assert.deepEqual(await faults(person), [], where);
  assert.equal(await overflow(person), 0, where);
}

/** How many CSS pixels of the page lie beyond the right edge. @param {import('./person.mjs').Person} person */
export async function overflow(person) {
  const width = person.page.viewportSize()?.width ?? 0;
  return (await person.page.evaluate(() => document.documentElement.scrollWidth)) - width;
}
