/** What a camera sends and what comes of it: codec, sizes and movement, as browsers count them. */

import assert from 'node:assert/strict';
import { ANNA } from './house.mjs';
import { until, untilEqual } from './wait.mjs';

/** @typedef {import('./person.mjs').Person} Person */

const SECONDS = 3;
/** A page in which one tile is so large that it takes the larger size, and one in which the smaller does. */
export const LARGE = { width: 1280, height: 900 };
export const TINY = { width: 320, height: 240 };

/** What of the camera goes out now. @param {Person} who */
export async function sends(who) {
  const before = await who.sent();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = await who.sent();
  const grown = after.filter(({ kind, bytes }, i) => kind === 'video' && bytes > (before[i]?.bytes ?? 0));
  return grown.map(({ rid, codec, height }) => `${codec} ${rid} ${height}`).join(', ');
}

/** What comes of somebody in some seconds. @param {Person} who @param {Person} of */
async function seen(who, of) {
  const before = await who.qualityOf(of);
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
  const after = await who.qualityOf(of);
  return {
    codec: after.codec,
    height: after.height,
    fps: (after.frames - before.frames) / SECONDS,
    kbps: Math.round(((after.videoBytes - before.videoBytes) * 8) / 1_000 / SECONDS),
    frozen: after.frozenSeconds - before.frozenSeconds,
  };
}

/**
 * Until a size comes and moves. A busy machine may take its time.
 * @param {string} how @param {Person} who @param {Person} of @param {string} codec @param {number} height
 */
async function comes(how, who, of, codec, height) {
  const found = await until(`${how}: ${height} lines that move`, async () => {
    const now = await seen(who, of);
    return now.codec === codec && now.height === height && now.fps >= 8 ? now : undefined;
  }, { timeoutMs: 40_000 });
  console.log(`${how}: ${found.codec}, ${found.height} lines, ${found.fps.toFixed(1)} fps, ${found.kbps} kbit/s, frozen for ${found.frozen.toFixed(2)} s`);
}

/**
 * Anna, whom Bela sees large and Carl tiny, from one stream; Bela changes to tiny and back.
 * @param {ReturnType<typeof import('./journey.mjs').journeys>} frame @param {string} codec @param {string} room
 */
export async function severalSizes({ person, place }, codec, room) {
  await place.house.addRoom(ANNA, room);
  const [anna, bela, carl] = await Promise.all([person(1), person(2, { viewport: LARGE }), person(3, { viewport: TINY })]);
  await anna.signInAt(ANNA, `/r/${room}`);
  await anna.join();
  await anna.isInside();
  await bela.comeAsGuest('Bela', `/r/${room}`);
  await bela.join();
  await bela.isInside();
  await untilEqual('one size alone for one viewer', `${codec} h 360`, () => sends(anna), { timeoutMs: 60_000 });
  await comes('alone', bela, anna, codec, 360);

  await carl.comeAsGuest('Carl', `/r/${room}`);
  await carl.join();
  await carl.isInside();
  await untilEqual('all sizes in one stream', `${codec} q 360`, () => sends(anna), { timeoutMs: 60_000 });
  await comes('large', bela, anna, codec, 360);
  await comes('tiny', carl, anna, codec, 180);
  await bela.sees(anna);
  await carl.sees(anna);

  const before = await bela.qualityOf(anna);
  await bela.page.setViewportSize(TINY);
  await comes('from large to small', bela, anna, codec, 180);
  await bela.page.setViewportSize(LARGE);
  await comes('and large again', bela, anna, codec, 360);
  const frozen = (await bela.qualityOf(anna)).frozenSeconds - before.frozenSeconds;
  console.log(`frozen for ${frozen.toFixed(2)} s over both changes`);
  assert.ok(frozen < 3, `${frozen} s`);
  await bela.sees(anna);
  return { anna, bela, carl };
}
