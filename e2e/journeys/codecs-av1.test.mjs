/** AV1, where the house wants it: all sizes in one stream, described beside the payload, and VP8 for whoever needs that. */

import assert from 'node:assert/strict';
import { FirefoxPerson } from '../harness/firefox.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { LARGE, sends, severalSizes } from '../harness/layers.mjs';
import { until } from '../harness/wait.mjs';

const frame = journeys(import.meta.url, { env: { STUBE__MEDIA__VIDEO_CODEC: 'av1' } });
const { journey, person, place } = frame;

journey('one stream has a size for everybody, and whoever comes next is seen in the same place', async () => {
  const dora = await person(4);
  const { anna, bela, carl } = await severalSizes(frame, 'AV1', 'public/Schichten');

  await bela.sees(carl);
  const ofCarl = (await bela.qualityOf(carl)).frames;
  await carl.page.setViewportSize(LARGE);
  await carl.leave();
  // Of six places the one that is free longest is taken first.
  for (let times = 1; ; times++) {
    await dora.comeAsGuest('Dora', '/r/public/Schichten');
    await dora.join();
    await dora.isInside();
    await bela.sees(dora);
    if ((await bela.qualityOf(dora)).frames >= ofCarl) break;
    assert.ok(times < 6, 'nobody comes where Carl was');
    await dora.leave();
  }
  await until('AV1 of Dora as well', async () => (await bela.qualityOf(dora)).codec === 'AV1');
  await dora.sees(anna);
  await bela.sees(anna);
});

journey('Firefox shows AV1 and is seen in VP8, and whoever shows nothing but VP8 is sent that', async () => {
  await place.house.addRoom(ANNA, 'public/Altbau');
  const fritz = await FirefoxPerson.arrive(place.house);
  try {
    const [anna, bela] = await Promise.all([person(1), person(2)]);
    await anna.signInAt(ANNA, '/r/public/Altbau');
    await anna.join();
    await anna.isInside();
    await fritz.comeAsGuest('Fritz', '/r/public/Altbau');
    await fritz.click('Join');
    await fritz.isInside();
    const moves = async () => {
      const found = await fritz.qualityOf(anna.name);
      return found.codec === 'AV1' && found.frames > 20;
    };
    await until('AV1 that moves in Firefox', moves, { timeoutMs: 30_000 });
    await until('the right face in Firefox', async () => (await fritz.barcode(anna.name)) === 1, { timeoutMs: 30_000 });
    await anna.hasTilesOf(fritz);
    const seen = await until('frames of Firefox', async () => {
      const found = await anna.qualityOf(fritz);
      return found.frames > 20 ? found : undefined;
    });
    assert.equal(seen.codec, 'VP8');

    // A browser that knows neither AV1 nor the descriptor.
    await bela.page.addInitScript(() => {
      Reflect.deleteProperty(RTCRtpTransceiver.prototype, 'setHeaderExtensionsToNegotiate');
      const all = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver);
      RTCRtpReceiver.getCapabilities = (kind) => {
        const found = all(kind);
        return found && { ...found, codecs: found.codecs.filter(({ mimeType }) => !/av1/i.test(mimeType)) };
      };
    });
    await bela.comeAsGuest('Bela', '/r/public/Altbau');
    await bela.join();
    await bela.isInside();
    await bela.sees(anna);
    assert.equal((await bela.qualityOf(anna)).codec, 'VP8');
    await until('VP8 in Firefox as well', async () => (await fritz.qualityOf(anna.name)).codec === 'VP8');
    await until('the right face still', async () => (await fritz.barcode(anna.name)) === 1);
    await anna.sees(bela);
    await until('VP8 alone from Bela', async () => /^(VP8 \w \d+(, )?)+$/.test(await sends(bela)));
    assert.deepEqual(fritz.errors(), []);
  } catch (error) {
    await fritz.keepEvidence('codecs-av1');
    throw error;
  } finally {
    await fritz.goHome();
  }
});
