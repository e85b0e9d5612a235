/**
 * A camera and a microphone per person, made with ffmpeg once and kept: the picture has the person's number as a barcode in
 * its top quarter, the sound is 300 + 100 × number Hz, gated, since browsers take a steady tone for noise.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { outFolder } from './paths.mjs';

const FONT = '/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf';

/** Left and right. */
export const MUSIC_HZ = [500, 900];

/** @param {number} identity */
export const toneOf = (identity) => 300 + 100 * identity;

/** @param {number} identity from 1 to 255 @returns {{ camera: string, microphone: string }} */
export function mediaOf(identity) {
  const folder = outFolder('media');
  const camera = join(folder, `camera-${identity}.y4m`);
  const microphone = join(folder, `microphone-${identity}.wav`);
  if (!existsSync(camera)) {
    const words = `drawtext=fontfile=${FONT}:text='P${identity}':fontsize=h/4:fontcolor=white:x=(w-tw)/2:y=h*0.45`;
    const running = `drawtext=fontfile=${FONT}:text='o':fontsize=h/8:fontcolor=white:x=w*0.1+n*w*0.8/30:y=h*0.8`;
    const source = `color=c=${colourOf(identity)}:s=640x360:r=15:d=2`;
    ffmpeg(['-f', 'lavfi', '-i', source, '-vf', [barcodeOf(identity), words, running, 'format=yuv420p'].join(',')], camera);
  }
  if (!existsSync(microphone)) {
    const tone = `aevalsrc='0.4*sin(2*PI*${toneOf(identity)}*t)*lt(mod(t,0.5),0.3)':s=48000:d=10`;
    ffmpeg(['-f', 'lavfi', '-i', tone, '-ac', '1'], microphone);
  }
  return { camera, microphone };
}

/** A camera with all sizes, in which everything moves. @param {number} identity @returns {string} */
export function largeCamera(identity) {
  const file = join(outFolder('media'), `large-${identity}.mjpeg`);
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=30:d=4', '-vf', `${barcodeOf(identity)},format=yuvj420p`, '-q:v', '4'];
  if (!existsSync(file)) ffmpeg(picture, file);
  return file;
}

/** Music: another tone at the left than at the right. @returns {string} */
export function music() {
  const file = join(outFolder('media'), 'music.wav');
  const tones = MUSIC_HZ.map((hz) => `0.3*sin(2*PI*${hz}*t)`).join('|');
  if (!existsSync(file)) ffmpeg(['-f', 'lavfi', '-i', `aevalsrc='${tones}':s=48000:d=10`], file);
  return file;
}

/** A microphone in a quiet room. */
export function silence() {
  const file = join(outFolder('media'), 'silence.wav');
  if (!existsSync(file)) ffmpeg(['-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=mono', '-t', '2'], file);
  return file;
}

/** @param {number} identity */
function barcodeOf(identity) {
  const bars = [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => {
    const colour = (identity >> bit) & 1 ? 'white' : 'black';
    return `drawbox=x=${bit}*iw/8:y=0:w=iw/8:h=ih/4:c=${colour}:t=fill`;
  });
  return bars.join(',');
}

/** @param {number} identity */
function colourOf(identity) {
  const hue = (identity * 47) % 360;
  const channel = (/** @type {number} */ n) => {
    const k = (n + hue / 60) % 6;
    return Math.round(60 + 120 * (1 - Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return `0x${[5, 3, 1].map((n) => channel(n).toString(16).padStart(2, '0')).join('')}`;
}

/** Written beside and then renamed, so that a cut-off run leaves nothing half. @param {string[]} input @param {string} file */
function ffmpeg(input, file) {
  const [, stem, ending] = /** @type {RegExpMatchArray} */ (file.match(/^(.*)(\.\w+)$/));
  const partial = `${stem}.${process.pid}.part${ending}`;
  const done = spawnSync('ffmpeg', ['-v', 'error', '-y', ...input, partial], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`ffmpeg: ${done.error?.message ?? done.stderr}`);
  renameSync(partial, file);
}
