/**
 * The frame of a journey's file: a house before, everything ended after, evidence kept when something failed, and after
 * every journey the checks that hold for all: no request to another host, no uncaught error in a page.
 */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { basename } from 'node:path';
import { ANNA, House } from './house.mjs';
import { Line } from './netem.mjs';
import { everybody, Person } from './person.mjs';

/** Longer than any journey needs on a busy machine; those by hand take minutes. */
const JOURNEY_MS = process.env.STUBE_LONG === '1' ? 600_000 : 120_000;

/**
 * @param {string} file `import.meta.url` of the journey
 * @param {{ setUp?: boolean, env?: Record<string, string>, line?: boolean, lan?: boolean }} [options] `setUp: false` leaves the house without an
 *   account; `line: true` puts it at one end of a bad line (after `ownNetwork`); `lan: true` makes it speak TLS itself
 */
export function journeys(file, options = {}) {
  const name = basename(file).replace(/\.test\.mjs$/, '');
  /** @type {{ house: House, line: Line }} */
  const place = /** @type {any} */ ({});
  /** @type {House[]} */
  const others = [];

  before(async () => {
    if (options.line) place.line = await Line.lay();
    place.house = await House.start(name, options.env, place.line, options.lan);
    if (options.setUp !== false) await place.house.setUp(ANNA);
  });
  after(async () => {
    await Promise.all([place.house, ...others].map((house) => house?.demolish()));
    await place.line?.takeUp();
  });
  afterEach(async () => {
    await Promise.all([...everybody].map((person) => person.goHome()));
  });

  return {
    /** Filled before the first journey. */
    place,

    /** A second house, without an account, that ends with the first. */
    async another() {
      const house = await House.start(`${name}-2`, options.env);
      others.push(house);
      return house;
    },

    /** @param {number} identity @param {Partial<import('./person.mjs').Equipment>} [equipment] */
    person(identity, equipment = {}) {
      return Person.arrive(place.house, { journey: name, identity, ...equipment });
    },

    /** @param {string} title @param {() => Promise<void>} steps */
    journey(title, steps) {
      test(title, { timeout: JOURNEY_MS }, async () => {
        try {
          await steps();
          for (const person of everybody) {
            assert.deepEqual(foreign(person), [], `${person.name} asked another host`);
            assert.deepEqual(person.errors(), [], `the page of ${person.name} had errors`);
          }
        } catch (error) {
          await Promise.all([...everybody].map((person) => person.keepEvidence().catch(() => undefined)));
          throw error;
        }
      });
    },
  };
}

/** @param {Person} person */
function foreign(person) {
  const own = new URL(person.house.url).host;
  return person.requests.filter((address) => {
    const { protocol, host } = new URL(address);
    return !['data:', 'blob:'].includes(protocol) && host !== own;
  });
}
