/** Which of many voices are heard, how soon a new one is, and music in stereo. */

import assert from 'node:assert/strict';
import { botNamed, crowd } from '../harness/crowd.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { MUSIC_HZ, music } from '../harness/media.mjs';
import { until } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url, { env: { STUBE__MEDIA__LOUDEST: '3' } });

/** @param {number} first @param {number} count */
const bots = (first, count) =>
  Array.from({ length: count }, (_, index) => ({ name: botNamed(first + index), equipment: { identity: first + index } }));

journey('of many voices the loudest are heard, and a new one at once', async () => {
  const room = 'public/Versammlung';
  await place.house.addRoom(ANNA, room);
  const anna = await person(1);
  await anna.signInAt(ANNA, `/r/${room}`);
  await anna.join();
  await anna.isInside();
  await anna.button('Mute microphone').click();
  const soft = bots(11, 3);
  const endSoft = await crowd(place.house, room, 3, 11, -45);
  await anna.hasTilesOf(...soft);
  await anna.hears(...soft);

  // Who is louder takes the place of who is softer, and as many are heard as before.
  const loud = bots(21, 2);
  const endLoud = await crowd(place.house, room, 2, 21, -20);
  await anna.hears(...loud);
  await until('one of the soft voices left', async () => {
    // Always the same one, however often one listens.
    const heard = new Set();
    for (let look = 0; look < 4; look++) {
      const voices = await Promise.all(soft.map(async (bot) => (await anna.hearsNow(bot)) && bot.name));
      for (const name of voices) if (name) heard.add(name);
    }
    return heard.size === 1;
  });
  await anna.hears(...loud);

  const gast = await person(2);
  await gast.comeAsGuest('Gast', `/r/${room}`);
  await gast.agreeToDevices();
  await gast.button('Join').click();
  await gast.isInside();
  await anna.hears(gast);
  /** @type {number[]} */
  const waited = [];
  for (let round = 0; round < 3; round++) {
    await gast.button('Mute microphone').click();
    await anna.doesNotHear(gast);
    const listening = anna.onsets('ear', gast.name, 5000, 1);
    const asked = Date.now();
    await gast.button('Unmute microphone').click();
    const [first] = await listening;
    assert.ok(first !== undefined, 'the new voice is heard');
    waited.push(first - asked);
  }
  console.log(`from the click on Unmute to the next tone heard: ${waited.map(Math.round).join(', ')} ms (a tone begins every 500 ms)`);
  await endLoud();
  await endSoft();
});

journey('music comes in stereo, and a voice again after it', async () => {
  const room = 'public/Konzert';
  await place.house.addRoom(ANNA, room);
  const anna = await person(1, { microphone: music() });
  await anna.signInAt(ANNA, `/r/${room}`);
  await anna.join();
  await anna.isInside();
  const gast = await person(2);
  await gast.comeAsGuest('Gast', `/r/${room}`);
  await gast.agreeToDevices();
  await gast.button('Join').click();
  await gast.isInside();

  const turn = async () => {
    await anna.button('Choose devices').click();
    await anna.page.getByRole('switch', { name: 'Music' }).click();
    await anna.page.keyboard.press('Escape');
  };
  await turn();
  await until('another tone on each side', async () => {
    const sides = await peaks(gast, anna.name);
    return sides.every((side, index) => Math.abs(side.hz - (MUSIC_HZ[index] ?? 0)) < 30 && side.apart > 20) && sides;
  }).then((sides) => console.log(`left and right: ${JSON.stringify(sides)}`));
  await turn();
  await until('the same on both sides', async () => {
    const sides = await peaks(gast, anna.name);
    return sides.every((side) => side.apart < 6);
  });
});

/**
 * The loudest tone of each side, and by how many dB the other side's tone is softer there.
 * @param {import('../harness/person.mjs').Person} person @param {string} name
 */
function peaks(person, name) {
  return person.page.evaluate(
    async ([who, tones]) => {
      const tile = document.querySelector(`[role="group"][aria-label="${who}"]`);
      const stream = tile?.querySelector('audio')?.srcObject;
      if (!(stream instanceof MediaStream)) return [{ hz: 0, apart: 0 }];
      const context = new AudioContext();
      await context.resume();
      const splitter = context.createChannelSplitter(2);
      context.createMediaStreamSource(stream).connect(splitter);
      const sides = [0, 1].map((channel) => {
        const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
        splitter.connect(analyser, channel);
        return analyser;
      });
      await new Promise((resolve) => setTimeout(resolve, 600));
      const found = sides.map((analyser, side) => {
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        const width = context.sampleRate / analyser.fftSize;
        const at = (/** @type {number} */ hz) => Math.max(...bins.slice(hz / width - 3, hz / width + 4));
        const loudest = bins.reduce((best, db, bin) => (db > (bins[best] ?? -999) ? bin : best), 0);
        return { hz: Math.round(loudest * width), apart: Math.round(at(tones[side] ?? 0) - at(tones[1 - side] ?? 0)) };
      });
      await context.close();
      return found;
    },
    /** @type {const} */ ([name, MUSIC_HZ]),
  );
}
