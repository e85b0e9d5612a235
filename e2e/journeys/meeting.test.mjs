/** Three people, one of them a guest by link: everybody sees and hears exactly the right others, whatever happens. */

import assert from 'node:assert/strict';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { staysTrue, until, untilEqual } from '../harness/wait.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

// Everybody on another media thread than the next.
const { journey, person, place } = journeys(import.meta.url, { env: { STUBE__MEDIA__SHARDS: '3', STUBE__MEDIA__SPREAD: '1' } });
const ROOM = '/r/public/Abendrunde';

journey('three people see and hear the right others, before and after people come and go', async () => {
  await place.house.addUser(BELA);
  await place.house.addRoom(ANNA, 'public/Abendrunde');
  const [anna, bela, gast] = await Promise.all([person(1), person(2), person(3)]);

  await anna.signInAt(ANNA, ROOM);
  await anna.join();
  await anna.isInside();
  await anna.hasTilesOf();

  await gast.comeAsGuest('Gastón Ōtani', ROOM);
  await gast.join();
  await bela.signInAt(BELA, ROOM);
  await bela.join();
  await everybodyMeets(anna, bela, gast);
  for (const someone of [anna, bela, gast]) {
    for (const transport of await someone.transports()) {
      assert.match(transport.srtp, /AES_?(128|256)_?GCM|AEAD_AES_(128|256)_GCM/, 'SRTP is encrypted with AES-GCM');
    }
  }

  // The microphone: others see the mark and nothing is heard.
  await gast.button('Mute microphone').click();
  await anna.doesNotHear(gast);
  await bela.doesNotHear(gast);
  await anna.page.getByRole('group', { name: gast.name, exact: true }).getByText('Muted').or(
    anna.page.getByRole('group', { name: gast.name, exact: true }).getByLabel('Muted'),
  ).first().waitFor();
  await nothingArrives(anna, gast, 'audio');
  await gast.button('Unmute microphone').click();
  await anna.hears(gast);

  // The camera: the picture goes, and really stops at its source.
  await gast.button('Turn camera off').click();
  await anna.seesNoPictureOf(gast);
  await bela.seesNoPictureOf(gast);
  await nothingArrives(anna, gast, 'video');
  await until('the camera of the guest to be off', () => gast.page.evaluate(cameraIsClosed));
  await anna.sees(bela);
  await gast.button('Turn camera on').click();
  await anna.sees(gast);
  await bela.sees(gast);

  // Somebody leaves, and comes back to the same room as somebody new.
  await bela.leave();
  await anna.hasTilesOf(gast);
  await gast.hasTilesOf(anna);
  await anna.sees(gast);
  await anna.hears(gast);
  await bela.button('Join again').click();
  await bela.join();
  await everybodyMeets(anna, bela, gast);

  // A reload keeps the seat: nobody sees a leave, and everything is back without a click.
  await anna.page.evaluate(rememberTiles);
  await gast.page.reload();
  await everybodyMeets(anna, bela, gast);
  assert.deepEqual(await anna.page.evaluate(tilesThatWent), [], 'no tile went away over the reload');

  await gast.leave();
  await anna.hasTilesOf(bela);
  await untilEqual('the right face after people went', 2, () => anna.barcode(bela.name));
  await staysTrue('the guest stays away', 1000, async () => (await anna.tiles()).length === 1);
  await bela.leave();
  await anna.hasTilesOf();
  await anna.leave();
});

/** @param {Person[]} people */
async function everybodyMeets(...people) {
  await Promise.all(people.map(async (one) => {
    const others = people.filter((other) => other !== one);
    await one.isInside();
    await one.hasTilesOf(...others);
    await one.sees(...others);
    await one.hears(...others);
  }));
}

/** No packet more, once the last ones on their way are in. @param {Person} reader @param {Person} other @param {'audio' | 'video'} kind */
async function nothingArrives(reader, other, kind) {
  await until(`an end of ${other.name}'s ${kind} at ${reader.name}`, async () => {
    const before = await reader.packets(other, kind);
    return staysTrue(`${kind} of ${other.name} has ended`, 500, async () => (await reader.packets(other, kind)) === before).then(() => true);
  });
}

/** In the page: whether no camera track of the app is live. The element of the self view has the local stream. */
function cameraIsClosed() {
  const videos = [...document.querySelectorAll('video')].filter((video) => !video.closest('[role=group]'));
  return videos.every((video) => {
    const stream = video.srcObject;
    return !(stream instanceof MediaStream) || stream.getVideoTracks().every((track) => track.readyState === 'ended');
  });
}

/** In the page: from now on note the tiles that are taken out of the document. */
function rememberTiles() {
  /** @type {string[]} */
  const went = [];
  Object.assign(window, { went });
  new MutationObserver((records) => {
    for (const record of records) {
      for (const node of record.removedNodes) {
        if (!(node instanceof Element)) continue;
        const groups = node.matches('[role=group]') ? [node] : [...node.querySelectorAll('[role=group]')];
        went.push(...groups.filter((group) => group.querySelector('video')).map((group) => group.getAttribute('aria-label') ?? '?'));
      }
    }
  }).observe(document.body, { childList: true, subtree: true });
}

function tilesThatWent() {
  return /** @type {Window & { went?: string[] }} */ (window).went;
}
