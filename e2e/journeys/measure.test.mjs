/** How long joining and talking take. Printed for people to read, never a reason to fail on a machine that is busy. */

import assert from 'node:assert/strict';
import { fromMouthToEar, percentile } from '../harness/ear.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { until } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url);
const ROUNDS = 10;

journey('the time from Join to the first remote frame, and from mouth to ear', async () => {
  await place.house.addRoom(ANNA, 'public/Messen');
  const [anna, gast] = await Promise.all([person(1), person(2)]);
  await anna.signInAt(ANNA, '/r/public/Messen');
  await anna.join();
  await anna.isInside();

  /** @type {number[]} */
  const first = [];
  /** @type {string[][]} */
  const ways = [];
  await gast.comeAsGuest('Gast', '/r/public/Messen');
  await gast.agreeToDevices();
  for (let round = 0; round < ROUNDS; round++) {
    await gast.isPrepared();
    await gast.timeFirstFrame('Join');
    await gast.button('Join').click();
    first.push(await until('the first frame', () => gast.firstFrameMs()));
    ways.push(await gast.wayIn());
    if (round === ROUNDS - 1) break;
    await gast.leave();
    await gast.button('Join again').click();
    await gast.button('Join').waitFor();
  }

  await gast.hears(anna);
  const delays = await fromMouthToEar(anna, gast);
  assert.ok(delays.length > 0, 'tones were heard after they were spoken');
  assert.equal(first.length, ROUNDS);
  const [p50, p95] = [percentile(first, 50), percentile(first, 95)];
  console.log(`join to first remote frame: p50 ${Math.round(p50)} ms, p95 ${Math.round(p95)} ms of ${first.map(Math.round).join(', ')}`);
  console.log(`the way of the p50: ${ways[first.indexOf(p50)]?.join(', ')}`);
  console.log(`mouth to ear: p50 ${Math.round(percentile(delays, 50))} ms of ${delays.map(Math.round).join(', ')}`);
});
