/** Another codec than VP8, where the house wants it: all sizes in one stream, and VP8 again for whoever can show nothing else. */

import assert from 'node:assert/strict';
import { FirefoxPerson } from '../harness/firefox.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { sends, severalSizes } from '../harness/layers.mjs';
import { until } from '../harness/wait.mjs';

const frame = journeys(import.meta.url, { env: { STUBE__MEDIA__VIDEO_CODEC: 'vp9' } });
const { journey, person, place } = frame;

journey('one stream has a size for everybody', async () => {
  await severalSizes(frame, 'VP9', 'public/Schichten');
});

journey('whoever can show nothing but VP8 is sent that, and so is everybody beside them', async () => {
  await place.house.addRoom(ANNA, 'public/Altbau');
  const [anna, bela, carl] = await Promise.all([person(1), person(2), person(3)]);
  await anna.signInAt(ANNA, '/r/public/Altbau');
  await anna.join();
  await anna.isInside();
  await bela.comeAsGuest('Bela', '/r/public/Altbau');
  await bela.join();
  await bela.isInside();
  await until('VP9 while both can show it', async () => (await bela.qualityOf(anna)).codec === 'VP9');

  await carl.page.addInitScript(() => {
    const all = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver);
    RTCRtpReceiver.getCapabilities = (kind) => {
      const found = all(kind);
      return found && { ...found, codecs: found.codecs.filter(({ mimeType }) => !/vp9/i.test(mimeType)) };
    };
  });
  await carl.comeAsGuest('Carl', '/r/public/Altbau');
  await carl.join();
  await carl.isInside();
  await carl.sees(anna);
  assert.equal((await carl.qualityOf(anna)).codec, 'VP8');
  await until('VP8 for Bela as well', async () => (await bela.qualityOf(anna)).codec === 'VP8');
  await bela.sees(anna);
  await anna.sees(carl);
  await until('VP8 alone from Carl', async () => /^(VP8 \w \d+(, )?)+$/.test(await sends(carl)));
});

journey('Firefox shows what Chromium sends in VP9, and is seen in VP8', async () => {
  await place.house.addRoom(ANNA, 'public/Beide');
  const fritz = await FirefoxPerson.arrive(place.house);
  try {
    const anna = await person(1);
    await anna.signInAt(ANNA, '/r/public/Beide');
    await anna.join();
    await anna.isInside();
    await fritz.comeAsGuest('Fritz', '/r/public/Beide');
    await fritz.click('Join');
    await fritz.isInside();
    await until('the right face in Firefox', async () => (await fritz.barcode(anna.name)) === 1, { timeoutMs: 30_000 });
    const seenInFirefox = await until('frames in Firefox', async () => {
      const found = await fritz.qualityOf(anna.name);
      return found.frames > 20 ? found : undefined;
    });
    assert.equal(seenInFirefox.codec, 'VP9');
    await until('VP9 from Anna', async () => (await sends(anna)).startsWith('VP9 '));
    await anna.hasTilesOf(fritz);
    const seenInChromium = await until('frames of Firefox', async () => {
      const found = await anna.qualityOf(fritz);
      return found.frames > 20 ? found : undefined;
    });
    assert.equal(seenInChromium.codec, 'VP8');
    assert.deepEqual(fritz.errors(), []);
  } catch (error) {
    await fritz.keepEvidence('codecs');
    throw error;
  } finally {
    await fritz.goHome();
  }
});
