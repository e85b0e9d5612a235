/** Whatever happens to the line, the server or the computer: everybody is back by themselves, and nobody clicks. */

import assert from 'node:assert/strict';
import { percentile } from '../harness/ear.mjs';
import { journeys } from '../harness/journey.mjs';
import { meeting as inMeeting } from '../harness/meeting.mjs';
import { ownNetwork, sleeps } from '../harness/netem.mjs';
import { until } from '../harness/wait.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

/** `npm run long`: what takes minutes, and more rounds of what is measured. */
const byHand = process.env.STUBE_LONG === '1';

if (await ownNetwork(import.meta.url)) {
  const frame = journeys(import.meta.url, { line: true });
  const { journey, person, place } = frame;

  /** Anna near the server, a guest far from it: they see and hear each other. @param {string} room */
  const meeting = async (room) => {
    const [anna, gast] = await inMeeting(frame, room, { far: true });
    await meet(anna, gast);
    await anna.followSoundOf(gast);
    await gast.followSoundOf(anna);
    return /** @type {const} */ ([anna, gast]);
  };

  /** @param {Person} one @param {Person} other */
  const meet = async (one, other) => {
    for (const [reader, seen] of /** @type {const} */ ([[one, other], [other, one]])) {
      await reader.hasTilesOf(seen);
      await reader.sees(seen);
      await reader.hears(seen);
    }
  };

  /** How long after a moment sound arrives again. @param {Person} who @param {number} moment */
  const backAfter = (who, moment) => until(`sound for ${who.name}`, async () => {
    const first = (await who.arrivals()).find((at) => at > moment);
    return first === undefined ? undefined : Math.max(1, Math.round(first - moment));
  }, { timeoutMs: 60_000 });

  /** The first long silence after a moment. @param {Person} who @param {number} moment */
  const gapAfter = (who, moment) => until(`silence for ${who.name}, and its end`, async () => {
    const arrivals = (await who.arrivals()).filter((at) => at > moment - 500);
    const end = arrivals.find((at, index) => index > 0 && at - (arrivals[index - 1] ?? at) > 700);
    return end === undefined ? undefined : Math.round(end - (arrivals.findLast((at) => at < end) ?? end));
  }, { timeoutMs: 60_000 });

  /** @param {number} ms */
  const pass = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  for (const seconds of byHand ? [3, 6, 15, 30, 50] : [6]) {
    journey(`after ${seconds} s without a line sound is back at once`, async () => {
      const [anna, gast] = await meeting(`Ausfall${seconds}`);
      await place.line.is({ cut: true });
      assert.equal((await place.line.probe({ count: 10 })).returned, 0);
      await pass(seconds * 1000 - 1500);
      await place.line.is({});
      const healed = Date.now();
      const [there, here] = await Promise.all([backAfter(gast, healed), backAfter(anna, healed)]);
      console.log(`after ${seconds} s without a line: sound back for the far side after ${there} ms, from it after ${here} ms`);
      await meet(anna, gast);
    });
  }

  journey('in another network, at another address, sound is back within seconds', async () => {
    const [anna, gast] = await meeting('Umzug');
    /** @type {number[]} */
    const took = [];
    for (let round = 0; round < (byHand ? 10 : 2); round++) {
      const moved = Date.now();
      await place.line.farMovesTo(`198.18.0.${100 + round}`);
      await until('the way to another address', async () => (await place.line.probe({ count: 5 })).returned === 5);
      const [there, here] = await Promise.all([gapAfter(gast, moved), gapAfter(anna, moved)]);
      took.push(Math.max(there, here));
      await meet(anna, gast);
    }
    console.log(`another address: sound gone for ${took.join(', ')} ms, p95 ${percentile(took, 95)}`);
    assert.ok(percentile(took, 95) <= 12_000, `${took}`);
  });

  journey('a restart of the server, and a kill, bring three people back with sound', async () => {
    const [anna, gast] = await meeting('Neustart');
    const bela = await person(3, { far: true });
    await bela.comeAsGuest('Bela', '/r/public/Neustart');
    await bela.join();
    await bela.isInside();
    await bela.hasTilesOf(anna, gast);
    await bela.hears(anna);
    await bela.followSoundOf(anna);
    const all = [anna, gast, bela];
    /** @type {number[]} */
    const took = [];
    for (let round = 0; round < (byHand ? 10 : 2); round++) {
      await place.house[round % 2 === 0 ? 'stop' : 'kill']();
      await place.house.start();
      const listening = Date.now();
      took.push(...(await Promise.all(all.map((one) => backAfter(one, listening)))));
      for (const one of all) await one.hasTilesOf(...all.filter((other) => other !== one));
    }
    console.log(`after a restart: sound back after ${took.join(', ')} ms, p95 ${percentile(took, 95)}`);
    assert.ok(percentile(took, 95) <= 30_000, `${took}`);
    await bela.sees(anna, gast);
  });

  for (const seconds of byHand ? [45] : [12]) {
    journey(`after ${seconds} s of sleep a computer is back at once`, async () => {
      const [anna, gast] = await meeting(`Schlaf${seconds}`);
      const wake = await sleeps(gast.pid?.() ?? assert.fail('no process'));
      const silent = Date.now();
      await until('silence', async () => ((await anna.arrivals()).at(-1) ?? 0) < Date.now() - 1000);
      await pass(seconds * 1000 - (Date.now() - silent));
      const woken = Date.now();
      wake();
      const [there, here] = await Promise.all([backAfter(gast, woken), backAfter(anna, woken)]);
      console.log(`after ${seconds} s of sleep: sound back for the sleeper after ${there} ms, from them after ${here} ms`);
      await meet(anna, gast);
    });
  }

  if (byHand) {
    for (const off of /** @type {const} */ (['camera', 'microphone'])) {
      journey(`after 90 s without a line somebody takes a seat anew by themselves, with the ${off} off as it was`, async () => {
        const [anna, gast] = await meeting(`Lange-${off}`);
        await gast.button(off === 'camera' ? 'Turn camera off' : 'Mute microphone').click();
        if (off === 'camera') await anna.seesNoPictureOf(gast);
        else await anna.doesNotHear(gast);
        const cut = Date.now();
        await place.line.is({ cut: true });
        await anna.reads(anna.say('meeting.away'));
        const away = Date.now() - cut;
        await until('the seat to be given up', async () => (await anna.tiles()).length === 0, { timeoutMs: 110_000 });
        const gone = Date.now() - cut;
        console.log(`somebody without a line: said to be away after ${away} ms, gone after ${gone} ms`);
        await pass(Math.max(90_000 - gone, 5_000));
        await place.line.is({});
        const healed = Date.now();
        const there = await backAfter(gast, healed);
        console.log(`after ${Math.round((healed - cut) / 1000)} s without a line: sound back after ${there} ms`);
        await anna.hasTilesOf(gast);
        // Still a guest, under the same name.
        await anna.page.getByRole('group', { name: gast.name, exact: true }).getByText('Guest').waitFor();
        if (off === 'camera') {
          await anna.hears(gast);
          await anna.seesNoPictureOf(gast);
        } else {
          await anna.sees(gast);
          await anna.doesNotHear(gast);
        }
        await gast.sees(anna);
      });
    }
  }
}
