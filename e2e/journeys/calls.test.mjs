/** Calling somebody: picture and sound both ways, on every device and on one, a group made of it, and the way out. */

import { answers, calls, dialog, hangsUp, installTones, isAtPageOf, isOver, nothingRings, readsOf, rings, somebody, talk, tones } from '../harness/calls.mjs';
import { journeys } from '../harness/journey.mjs';
import { untilEqual } from '../harness/wait.mjs';

/** @typedef {import('../harness/house.mjs').Account} Account */

const { journey, person, place } = journeys(import.meta.url);

/** @param {number} identity @param {Account} account */
async function comes(identity, account) {
  const one = await person(identity);
  await one.context.addInitScript(installTones);
  await one.signInAtHome(account);
  return one;
}

journey('a call is answered on one of two devices with picture and sound, becomes a group, and ends', async () => {
  const [a, b, c] = await Promise.all(['Anton', 'Berta', 'Cäcilie'].map((name) => somebody(place.house, name)));
  if (!a || !b || !c) throw new Error('three accounts');
  const [anton, berta] = await Promise.all([comes(1, a), comes(2, b)]);
  const phone = await comes(3, b);

  await calls(anton, b, true);
  await readsOf(anton, 'call.ringing', b);
  await Promise.all([rings(berta, a), rings(phone, a)]);
  await untilEqual('the ring-back tone', 1, () => tones(anton));
  await untilEqual('the ring', 1, () => tones(berta));
  await answers(berta, 'accept');
  await dialog(phone).waitFor({ state: 'detached' });
  await untilEqual('silence on the other device', 0, () => tones(phone));
  await talk(anton, berta);
  await Promise.all([anton.sees(berta), berta.sees(anton)]);
  await Promise.all([anton.hears(berta), berta.hears(anton)]);
  await untilEqual('no tone in the talk', [0, 0], async () => [await tones(anton), await tones(berta)]);
  await phone.goHome();

  // A reload of the page of the call comes back to it.
  const address = new URL(berta.page.url()).pathname;
  await berta.page.reload();
  await talk(anton, berta);
  await anton.hears(berta);

  const cecile = await comes(3, c);
  await berta.button(berta.say('call.ring_in')).first().click();
  await berta.field(berta.say('contacts.search')).fill(c.name);
  await berta.page.getByRole('dialog').getByRole('button', { name: new RegExp(c.name) }).click();
  await readsOf(berta, 'call.ringing', c);
  await rings(cecile, b);
  await answers(cecile, 'accept_video');
  await anton.hasTilesOf(berta, cecile);
  await cecile.hasTilesOf(anton, berta);
  await Promise.all([cecile.sees(anton, berta), cecile.hears(anton, berta)]);
  await anton.sees(cecile);

  // Out of a group one goes alone; of two the one takes the other with them.
  await hangsUp(berta);
  await berta.button(berta.say('home.new_call')).waitFor();
  await talk(anton, cecile);
  await hangsUp(anton);
  await Promise.all([anton, cecile].map((one) => one.button(one.say('meeting.leave')).waitFor({ state: 'detached' })));
  await nothingRings(anton, berta, cecile);
  await isOver(cecile, address);
});

journey('voice only, and both stand before each other after either hangs up', async () => {
  const [a, b] = await Promise.all(['Dora', 'Emil'].map((name) => somebody(place.house, name)));
  if (!a || !b) throw new Error('two accounts');
  const [dora, emil] = await Promise.all([comes(1, a), comes(2, b)]);
  await calls(dora, b);
  await rings(emil, a);
  await answers(emil, 'accept');
  await talk(dora, emil);
  await Promise.all([dora.hears(emil), emil.hears(dora)]);
  await Promise.all([dora.seesNoPictureOf(emil), emil.seesNoPictureOf(dora)]);
  await hangsUp(emil);
  await Promise.all([isAtPageOf(dora, b), isAtPageOf(emil, a)]);
  await nothingRings(dora, emil);
});
