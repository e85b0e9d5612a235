/** A walk through a call of two, stopping at each screen of it. What is done at a stop is up to who walks. */

import { answers, callButton, calls, hangsUp, isAtPageOf, readsOf, rings, talk } from './calls.mjs';
import { ANNA, BELA } from './house.mjs';
import { arrive, halt } from './tour.mjs';

/** @typedef {Omit<import('./tour.mjs').Walk, 'company'>} Walk */

/** @param {Walk} walk through a house that ANNA manages and nobody else lives in */
export async function callsTour(walk) {
  await walk.house.addUser(BELA);
  const [anna, bela] = [await arrive(walk), await arrive(walk)];
  await anna.signInAtHome(ANNA);
  await bela.signInAtHome(BELA);

  await calls(bela, ANNA, true);
  await rings(anna, BELA);
  await halt(walk, 'ringing', anna);
  await answers(anna, 'decline');
  await readsOf(bela, 'call.declined', ANNA);
  await halt(walk, 'call-declined', bela);
  await bela.button(bela.say('call.back')).click();

  await calls(anna, BELA, true);
  await rings(bela, ANNA);
  await readsOf(anna, 'call.ringing', BELA);
  await anna.button(anna.say('devices.camera_off')).waitFor();
  await halt(walk, 'calling', anna);
  await answers(bela, 'accept');
  await talk(anna, bela);
  await halt(walk, 'call', anna);
  await anna.button(anna.say('call.ring_in')).first().click();
  await anna.page.getByRole('dialog').getByText(BELA.name).first().waitFor();
  await halt(walk, 'call-picker', anna);
  await anna.page.keyboard.press('Escape');
  await hangsUp(anna);
  await isAtPageOf(anna, BELA);
  await callButton(bela).waitFor();
  await Promise.all([anna, bela].map((one) => one.context.close()));
}
