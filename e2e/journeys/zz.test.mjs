import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { ownNetwork } from '../harness/netem.mjs';
if (await ownNetwork(import.meta.url)) {
  const { journey, person, place } = journeys(import.meta.url, { line: true });
  journey('x', async () => {
    await place.house.addRoom(ANNA, 'public/R');
    const [anna, gast] = await Promise.all([person(1), person(2, { far: true })]);
    await gast.page.addInitScript(() => {
      const O = window.RTCPeerConnection; window.pcs = [];
      window.RTCPeerConnection = class extends O { constructor(c) { super(c); window.pcs.push(this); } };
    });
    await anna.signInAt(ANNA, '/r/public/R');
    await anna.join(); await anna.isInside();
    await gast.comeAsGuest('Gast', '/r/public/R');
    await gast.join(); await gast.isInside(); await gast.sees(anna);
    await gast.page.evaluate(() => {
      window.log = []; let last = '';
      setInterval(async () => {
        const pc = window.pcs.at(-1); const s = [...(await pc.getStats()).values()].filter(e => e.type==='candidate-pair' && e.nominated);
        const line = s.map(e => `${e.requestsSent}/${e.responsesReceived} b${Math.round(e.bytesReceived/1000)}k last${Math.round(Date.now()-e.lastPacketReceivedTimestamp)}`).join(' ; ') + ' ' + pc.iceConnectionState;
        const key = s.map(e => `${e.requestsSent}/${e.responsesReceived}`).join() + pc.iceConnectionState;
        if (key !== last) window.log.push(`${Math.round(performance.now())} ${line}`); last = key;
      }, 60);
    });
    const pass = ms => new Promise(r => setTimeout(r, ms));
    await pass(15000);
    await gast.page.evaluate(() => window.log.push('--- muted by all'));
    await anna.button('Mute microphone').click().catch(e=>console.log(e.message));
    await anna.button('Turn camera off').click().catch(e=>console.log(e.message));
    await gast.button('Mute microphone').click().catch(e=>console.log(e.message));
    await gast.button('Turn camera off').click().catch(e=>console.log(e.message));
    await pass(12000);
    await gast.page.evaluate(() => window.log.push('--- cut'));
    await place.line.is({ cut: true });
    await pass(8000);
    await place.line.is({});
    await pass(3000);
    console.log((await gast.page.evaluate(() => window.log)).join('\n'));
  });
}
