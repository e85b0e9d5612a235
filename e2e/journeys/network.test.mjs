/** Bad lines between browser and server. First of all: the line is as bad as it says. */

import assert from 'node:assert/strict';
import { fromMouthToEar, percentile } from '../harness/ear.mjs';
import { journeys } from '../harness/journey.mjs';
import { largeCamera } from '../harness/media.mjs';
import { meeting as inMeeting } from '../harness/meeting.mjs';
import { ownNetwork } from '../harness/netem.mjs';
import { until } from '../harness/wait.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

/** `npm run long`. */
const byHand = process.env.STUBE_LONG === '1';
const SECONDS = byHand ? 20 : 8;
/**
 * In kbit/s: more than half of the pictures of 360 lines take, and less than all of them. A busy machine finds less room on the
 * line than there is, and then the smallest size whole is right: so this is looked at by hand.
 */
const NARROW = 520;
/** Of a camera that makes 30 pictures a second. */
const MANY_FPS = 20;
/** What may wait in front of a narrow line when one begins to count. */
const QUEUED_BYTES = 40_000;

if (await ownNetwork(import.meta.url)) {
  const frame = journeys(import.meta.url, { line: true });
  const { journey, place } = frame;

  journey('the line is as bad as it says', async () => {
    const { line } = place;
    /** A machine that is busy may be late: then it is looked at again. @param {string} what @param {Parameters<typeof line.probe>[0]} how @param {(found: Awaited<ReturnType<typeof line.probe>>) => [low: number, value: number, high: number][]} read */
    const isFound = (what, how, read) => until(what, async () => {
      const wrong = read(await line.probe(how)).filter(([low, value, high]) => !(low <= value && value <= high));
      if (wrong.length > 0) throw new Error(wrong.map(([low, value, high]) => `${value} is not from ${low} to ${high}`).join());
      return true;
    });

    await isFound('a line that loses nothing', { count: 50 }, ({ lossPercent }) => [[0, lossPercent, 0]]);
    await line.is({ delay: 50, jitter: 10 });
    // The later of packets in order wait for earlier ones: jitter adds to the delay.
    await isFound('a slow line', { count: 50, everyMs: 10 }, ({ medianMs }) => [[95, medianMs, 170]]);

    await line.is({ loss: 10 }, {});
    await isFound('a tenth lost', { count: 600, everyMs: 2 }, ({ lossPercent }) => [[6, lossPercent, 14]]);
    await line.is({}, { burst: { enter: 3, leave: 25 } });
    await isFound('bursts lost', { count: 600, everyMs: 2 }, ({ lossPercent }) => [[6, lossPercent, 18]]);

    await line.is({ only_loses: 'udp', loss: 100 });
    assert.equal((await line.probe({ count: 10 })).returned, 0);
    await line.is({ only_loses: 'tcp', loss: 100 });
    await isFound('a line for UDP', { count: 10 }, ({ returned }) => [[10, returned, 10]]);
    await line.is({ cut: true });
    assert.equal((await line.probe({ count: 10 })).returned, 0);
    assert.deepEqual((await line.counts()).to_near, { passed: 0, lost: 10, bytes: 0 });

    await line.is({ rate: 80, queue: 100 }, {});
    await isFound('a narrow line', { count: 400, everyMs: 1 }, ({ lossPercent, round_trips_ms: trips }) => [
      [50, lossPercent, 95],
      [80, trips.at(-1) ?? 0, 200],
    ]);
    await line.is({});
    await line.farMovesTo('198.18.0.77');
    await isFound('the way to another address', { count: 10 }, ({ returned }) => [[10, returned, 10]]);
  });

  /** Anna near the server, a guest far from it. @param {string} room @param {() => Promise<void>} [meanwhile] before the guest comes */
  const meeting = (room, meanwhile) => inMeeting(frame, room, { far: true }, meanwhile);

  const pass = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

  /** What comes of somebody in some seconds. @param {Person} who @param {Person} of @param {number} seconds */
  const quality = async (who, of, seconds) => {
    const before = await who.qualityOf(of);
    await pass(seconds * 1000);
    const after = await who.qualityOf(of);
    return {
      fps: (after.frames - before.frames) / seconds,
      concealedPercent: (100 * (after.concealed - before.concealed)) / Math.max(1, after.samples - before.samples),
      frozenSeconds: after.frozenSeconds - before.frozenSeconds,
    };
  };

  /** What some seconds show; a machine that is busy spoils some of them, not all. @param {string} what @param {() => Promise<boolean>} look */
  const becomes = (what, look) => until(what, look, { timeoutMs: 2_500 * SECONDS });

  /** @param {string} how @param {Awaited<ReturnType<typeof quality>>} found */
  const say = (how, { fps, concealedPercent, frozenSeconds }) =>
    console.log(`${how}: ${fps.toFixed(1)} fps, ${concealedPercent.toFixed(2)} % of the sound concealed, frozen for ${frozenSeconds.toFixed(1)} s`);

  journey('a network that lets no media through is named within seconds, and forgotten when it does', async () => {
    const { line, house } = place;
    const [anna, gast] = await meeting('Sperre', () => line.is({ spares: house.port, loss: 100 }));
    const inside = Date.now();
    assert.equal((await line.probe({ count: 5 })).returned, 0);
    await gast.reads('This network lets no sound and no pictures through.');
    console.log(`neither UDP nor TCP: said ${Date.now() - inside} ms after the entrance`);
    await place.line.is({});
    await gast.sees(anna);
    await gast.hears(anna);
    await anna.sees(gast);
  });

  journey('at 300 kbit/s there is a moving picture and whole sound', async () => {
    const [anna, gast] = await meeting('Schmal');
    await gast.sees(anna);
    await place.line.is({ rate: 300, queue: 300 });
    await quality(gast, anna, 8);
    await becomes('a moving picture and whole sound', async () => {
      const since = Date.now();
      await place.line.is({ rate: 300, queue: 300 });
      const found = await quality(gast, anna, SECONDS);
      const { to_far } = await place.line.counts();
      const most = (300_000 * (Date.now() - since)) / 8_000 + QUEUED_BYTES;
      assert.ok(to_far.bytes <= most, `${to_far.bytes} bytes came over a narrow line`);
      say('300 kbit/s', found);
      return found.fps >= 4 && found.concealedPercent <= 5;
    });
    await gast.sees(anna);
    await gast.hears(anna);
  });

  if (byHand) {
    journey('a line that becomes thin at once stops the picture for seconds at most', async () => {
      const [anna, gast] = await inMeeting(frame, 'Sturz', { far: true }, undefined, { camera: largeCamera(1) });
      /** Until the picture has moved on at each look for a while. @param {number} seconds */
      const watch = async (seconds) => {
        const begin = await gast.qualityOf(anna);
        const since = Date.now();
        let [moved, frames, longestMs, height] = [since, begin.frames, 0, begin.height];
        const heights = [`0.0 s: ${height}`];
        while (Date.now() - since < seconds * 1000) {
          await pass(100);
          const now = await gast.qualityOf(anna);
          if (now.height !== height) heights.push(`${((Date.now() - since) / 1000).toFixed(1)} s: ${(height = now.height)}`);
          longestMs = Math.max(longestMs, Date.now() - moved);
          if (now.frames > frames) [moved, frames] = [Date.now(), now.frames];
        }
        const end = await gast.qualityOf(anna);
        const concealedPercent = (100 * (end.concealed - begin.concealed)) / Math.max(1, end.samples - begin.samples);
        const fps = (end.frames - begin.frames) / seconds;
        return { longestMs, line: `${fps.toFixed(1)} fps, still for ${longestMs} ms at most, ${concealedPercent.toFixed(2)} % of the sound concealed; lines at ${heights.join(', ')}` };
      };
      for (const [from, to] of /** @type {const} */ ([[3_000, 300], [undefined, 300], [undefined, 600], [3_000, 300]])) {
        await place.line.is(from ? { rate: from, queue: 300 } : {});
        await until('more than the smallest size', async () => (await gast.qualityOf(anna)).height >= 360, { timeoutMs: 60_000 });
        await pass(4_000);
        await place.line.is({ rate: to, queue: 300 });
        const { longestMs, line } = await watch(20);
        console.log(`${from ?? 'no limit'} to ${to} kbit/s: ${line}`);
        assert.ok(longestMs < 20_000, 'the picture never moved again');
      }
    });

    journey(`at ${NARROW} kbit/s there is a larger picture with half of its frames, instead of a smaller one`, async () => {
      const [anna, gast] = await inMeeting(frame, 'Halbe', { far: true }, undefined, { camera: largeCamera(1) });
      await gast.sees(anna);
      /** What comes over the line, and of which size Anna sends how many pictures and the guest gets how many. @param {import('../harness/netem.mjs').Conditions} conditions */
      const look = async (conditions) => {
        const since = Date.now();
        await place.line.is(conditions);
        const [sent, got] = await Promise.all([anna.sent(), gast.qualityOf(anna)]);
        await pass(4_000);
        const [sentAfter, gotAfter] = await Promise.all([anna.sent(), gast.qualityOf(anna)]);
        const { to_far } = await place.line.counts();
        const ms = Date.now() - since;
        const frames = sentAfter.map((layer, index) => layer.frames - (sent[index]?.frames ?? 0));
        const layer = sentAfter.findIndex(({ kind, height }, index) => kind === 'video' && height === gotAfter.height && (frames[index] ?? 0) > 0);
        const seen = {
          height: gotAfter.height,
          sentFps: Math.round(((frames[layer] ?? 0) * 1000) / ms),
          gotFps: Math.round(((gotAfter.frames - got.frames) * 1000) / ms),
          kbps: Math.round((to_far.bytes * 8) / ms),
        };
        console.log(`${JSON.stringify(conditions)}: ${JSON.stringify(seen)}`);
        return seen;
      };
      await until('more than a narrow line bears, over a good one', async () => {
        const seen = await look({});
        return seen.height >= 360 && seen.gotFps > 0.75 * seen.sentFps && seen.kbps > NARROW;
      }, { timeoutMs: 40_000 });
      await until('half of the pictures of a larger size', async () => {
        const seen = await look({ rate: NARROW, queue: 300 });
        assert.ok(seen.kbps <= NARROW + QUEUED_BYTES / 500, `${seen.kbps} kbit/s came over a narrow line`);
        const share = seen.gotFps / seen.sentFps;
        return seen.height === 360 && seen.sentFps >= MANY_FPS && share > 0.35 && share < 0.65;
      }, { timeoutMs: 60_000 });
      await gast.sees(anna);
      await gast.hears(anna);
    });
  }

  /** @type {[string, import('../harness/netem.mjs').Conditions][]} */
  const unsteady = [
    ['30 ms of jitter', { delay: 60, jitter: 30 }],
    ['100 ms of jitter', { delay: 60, jitter: 100 }],
    ['a fifth of all packets out of order', { delay: 60, reorder: 20 }],
  ];
  for (const [index, [how, conditions]] of (byHand ? unsteady : []).entries()) {
    journey(`with ${how} sound stays whole and comes in time`, async () => {
      const [anna, gast] = await meeting(`Unruhe${index}`);
      await place.line.is({ delay: 60 });
      await gast.hears(anna);
      await quality(gast, anna, 4);
      // The line alone takes 60 ms, and nobody plays what has just come.
      const before = percentile(await fromMouthToEar(anna, gast, { least: 100 }), 50);
      await place.line.is(conditions);
      const round = await place.line.probe({ count: 50, everyMs: 20 });
      const spread = (round.round_trips_ms.at(-1) ?? 0) - (round.round_trips_ms[0] ?? 0);
      assert.ok(spread > 30, `${JSON.stringify(round)}`);
      await quality(gast, anna, 4);
      const [there, here] = await Promise.all([quality(gast, anna, SECONDS), quality(anna, gast, SECONDS)]);
      say(`${how}, down`, there);
      say(`${how}, up`, here);
      const after = percentile(await fromMouthToEar(anna, gast, { least: 100 }), 50);
      console.log(`${how}: mouth to ear ${Math.round(before)} ms before, ${Math.round(after)} ms with it`);
      await gast.hears(anna);
      await anna.hears(gast);
      await anna.hasTilesOf(gast);
    });
  }

  for (const loss of byHand ? [5, 10, 30] : [10]) {
    journey(`at ${loss} % loss sound stays, and nobody is removed`, async () => {
      const [anna, gast] = await meeting(`Verlust${loss}`);
      await gast.sees(anna);
      await place.line.is({ loss });
      await quality(gast, anna, 4);
      await becomes('sound that stays', async () => {
        const [there, here] = await Promise.all([quality(gast, anna, SECONDS), quality(anna, gast, SECONDS)]);
        const { to_far } = await place.line.counts();
        const lost = (100 * to_far.lost) / (to_far.lost + to_far.passed);
        assert.ok(lost > loss / 2, `${lost} % were lost`);
        say(`${loss} % loss, down`, there);
        say(`${loss} % loss, up`, here);
        return [there, here].every(({ concealedPercent }) => concealedPercent <= Math.max(loss, 8));
      });
      await gast.hears(anna);
      await anna.hears(gast);
      await anna.hasTilesOf(gast);
    });
  }
}
