/** How long joining and talking take. Printed for people to read, never a reason to fail on a machine that is busy. */

import assert from 'node:assert/strict';
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
  const [spoken, heard] = await Promise.all([anna.onsets('mouth', anna.name, 6000), gast.onsets('ear', anna.name, 6000)]);
  // Tones begin every 500 ms: what is heard belongs to the last one that was spoken before.
  const delays = heard.flatMap((arrived) => {
    const began = spoken.filter((at) => at < arrived).at(-1);
    return began !== undefined && arrived - began < 450 ? [arrived - began] : [];
  });
  assert.ok(delays.length > 0, 'tones were heard after they were spoken');
  assert.equal(first.length, ROUNDS);
  const [p50, p95] = [percentile(first, 50), percentile(first, 95)];
  console.log(`join to first remote frame: p50 ${Math.round(p50)} ms, p95 ${Math.round(p95)} ms of ${first.map(Math.round).join(', ')}`);
  console.log(`the way of the p50: ${ways[first.indexOf(p50)]?.join(', ')}`);
  console.log(`mouth to ear: p50 ${Math.round(percentile(delays, 50))} ms of ${delays.map(Math.round).join(', ')}`);
});

/** The smallest of the values that so many per cent do not exceed. @param {number[]} values @param {number} share */
function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * share) / 100) - 1] ?? Number.NaN;
}
