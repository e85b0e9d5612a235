/** A bug in the core of one media thread: its meetings come back by themselves, and those of another thread hear nothing of it. */

import assert from 'node:assert/strict';
import { journeys } from '../harness/journey.mjs';
import { meeting } from '../harness/meeting.mjs';
import { until } from '../harness/wait.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @typedef {readonly [Person, Person]} Pair */

// Writing down where a panic was takes a processor longer than the rest of it.
const frame = journeys(import.meta.url, { env: { STUBE__MEDIA__SHARDS: '2', RUST_BACKTRACE: '0' } });
const { journey, place } = frame;

/** Of sound that is followed. @param {Person} listener */
async function longestGap(listener) {
  const arrivals = await listener.arrivals();
  return Math.max(0, ...arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? at)));
}

/** @param {Pair} pair */
const hearEachOther = ([one, other]) => Promise.all([one.hears(other), other.hears(one)]);

journey('a panic in the core of one media thread is over in seconds, and is not heard on the other', async () => {
  const meetings = [await meeting(frame, 'Vorne'), await meeting(frame, 'Hinten')];
  for (const pair of meetings) await hearEachOther(pair);
  await Promise.all(meetings.flatMap(([anna, gast]) => [anna.followSoundOf(gast), gast.followSoundOf(anna)]));
  const before = await Promise.all(meetings.map(([anna, gast]) => Promise.all([anna.qualityOf(gast), gast.qualityOf(anna)])));

  const struck = Date.now();
  process.kill(/** @type {number} */ (place.house.pid), 'SIGUSR1');
  // Who begins anew counts anew.
  const at = await until('a meeting with new connections', async () => {
    const now = await Promise.all(meetings.map(([anna, gast]) => anna.qualityOf(gast)));
    const index = now.findIndex(({ samples }, meeting) => samples > 0 && samples < (before[meeting]?.[0].samples ?? 0));
    return index >= 0 && `${index}`;
  });
  const [struckPair, whole] = at === '0' ? meetings : meetings.toReversed();
  assert.ok(struckPair && whole);
  const [anna, gast] = struckPair;
  await hearEachOther(struckPair);
  const after = await Promise.all([whole[0].qualityOf(whole[1]), whole[1].qualityOf(whole[0])]);
  const gone = await longestGap(anna);
  console.log(`in the struck one: ${Math.round(gone)} ms without a packet, both heard again after ${Date.now() - struck} ms, with probes`);
  for (const [side, now] of after.entries()) {
    const then = before[1 - Number(at)]?.[side];
    assert.ok(then && now.samples > then.samples, 'the same connection as before');
    const [concealed, of] = [now.concealed - then.concealed, now.samples - then.samples].map((samples) => Math.round(samples / 48));
    console.log(`in the other meeting: ${concealed} of ${of} ms concealed`);
    // What little there is is the browser's own, which shares the machine with those who come back.
    assert.ok(Number(concealed) < Number(of) / 4, `${concealed} of ${of} ms concealed`);
  }
  await Promise.all([anna.sees(gast), gast.sees(anna)]);
  await anna.hasTilesOf(gast);
  await hearEachOther(whole);
});
