/** How long ringing and answering take. Printed for people to read, never a reason to fail on a machine that is busy. */

import assert from 'node:assert/strict';
import { answers, callButton, hangsUp, installTones, isAtPageOf, lookAt, rings, somebody, talk } from '../harness/calls.mjs';
import { journeys } from '../harness/journey.mjs';
import { until } from '../harness/wait.mjs';

/** @typedef {Window & { times: { clicked?: number, rang?: number, heard?: number } }} Timed */

const { journey, person, place } = journeys(import.meta.url);
/** No more: floods are limited. */
const ROUNDS = 4;

journey('the time from the click to ringing, and from accepting to the first sound', async () => {
  const [a, b] = await Promise.all(['Anton', 'Berta'].map((name) => somebody(place.house, name)));
  if (!a || !b) throw new Error('two accounts');
  const [anton, berta] = await Promise.all([person(1), person(2)]);
  for (const [one, account] of /** @type {const} */ ([[anton, a], [berta, b]])) {
    await one.context.addInitScript(installTones);
    await one.context.addInitScript(installStopWatch);
    await one.signInAtHome(account);
  }
  await lookAt(anton, b);
  /** @type {number[]} */
  const ringing = [];
  /** @type {number[]} */
  const sound = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of [anton, berta]) await one.page.evaluate(() => Object.assign(window, { times: {} }));
    await callButton(anton).click();
    await rings(berta, a);
    const [clicked, rang] = [(await times(anton)).clicked, (await times(berta)).rang];
    assert.ok(clicked !== undefined && rang !== undefined, 'both were seen');
    ringing.push(rang - clicked);
    await answers(berta, 'accept');
    await talk(anton, berta);
    const heard = await until('the first sound', async () => {
      const { clicked: accepted, heard: at } = await times(berta);
      return accepted !== undefined && at !== undefined ? at - accepted : undefined;
    });
    sound.push(heard);
    await hangsUp(berta);
    await Promise.all([isAtPageOf(anton, b), isAtPageOf(berta, a)]);
  }
  console.log(`click to ringing on another device: median ${Math.round(median(ringing))} ms of ${ringing.map(Math.round).join(', ')}`);
  console.log(`accept to first sound: median ${Math.round(median(sound))} ms of ${sound.map(Math.round).join(', ')}`);
});

/** @param {import('../harness/person.mjs').Person} one */
function times(one) {
  return one.page.evaluate(() => /** @type {Timed} */ (/** @type {unknown} */ (window)).times);
}

/** In the page: when something was clicked, when a dialog came, and when the first sound was played. */
function installStopWatch() {
  const page = /** @type {Timed} */ (/** @type {unknown} */ (window));
  page.times = {};
  const now = () => performance.timeOrigin + performance.now();
  document.addEventListener('click', () => { page.times.clicked = now(); }, { capture: true });
  const listen = async (/** @type {MediaStream} */ stream) => {
    const context = new AudioContext();
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 256 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      analyser.getFloatTimeDomainData(samples);
      if (samples.some((sample) => Math.abs(sample) > 0.01)) {
        page.times.heard ??= now();
        context.close();
      } else setTimeout(look, 2);
    };
    look();
  };
  const watched = new WeakSet();
  new MutationObserver(() => {
    if (page.times.rang === undefined && document.querySelector('dialog[open]')) page.times.rang = now();
    for (const audio of document.querySelectorAll('audio')) {
      const wait = () => {
        if (!audio.isConnected) return;
        if (audio.srcObject instanceof MediaStream && audio.srcObject.getAudioTracks().length > 0) listen(audio.srcObject);
        else setTimeout(wait, 2);
      };
      if (!watched.has(audio)) wait();
      watched.add(audio);
    }
  }).observe(document, { childList: true, subtree: true, attributes: true });
}

/** @param {number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
