/** How a walk is photographed: a house, drawn people, every size and theme at each stop, few colours. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { House } from '../harness/house.mjs';
import { silence } from '../harness/media.mjs';
import { outFolder, repository } from '../harness/paths.mjs';
import { atFarEnd, everybody, launch, Person } from '../harness/person.mjs';
import { until } from '../harness/wait.mjs';
import { portraits } from './portraits.mjs';

const SIZES = { phone: { width: 360, height: 740 }, tablet: { width: 820, height: 1180 }, desktop: { width: 1440, height: 900 } };
const THEMES = /** @type {const} */ (['light', 'dark']);
export const LANGUAGES = /** @type {const} */ (['en', 'de']);
const GUESTS = /** @type {const} */ ([
  ['bela', 'Béla Brandt'],
  ['chiara', 'Chiara Conti'],
  ['deniz', 'Deniz Demir'],
]);
/** Named by the manifest of the app. */
const SHOWN_TO_INSTALLERS = /^(home|meeting)-(de|en)-light-(desktop|phone)$/;
const target = join(repository, 'docs', 'screens');
const installers = join(repository, 'web', 'public', 'screenshots');
const only = process.argv.slice(2);

const cameras = await portraits();
for (const folder of [target, installers]) mkdirSync(folder, { recursive: true });
let count = 0;
export const taken = () => count;

/**
 * @param {string} name of the house
 * @param {'en' | 'de'} language
 * @param {(walk: import('../harness/tour.mjs').Walk) => Promise<void>} walkThrough
 * @param {import('../harness/netem.mjs').Line} [line] between the house and whoever walks
 */
export async function photograph(name, language, walkThrough, line) {
  const house = await House.start(`${name}-${language}`, {}, line);
  const browser = await launch('files', 1, { camera: cameras.anna, microphone: silence(), ...(line ? atFarEnd(line) : {}) });
  try {
    await walkThrough({
      house,
      browser,
      language,
      journey: 'screenshots',
      company: (room) => invite(house, room, language),
      stop: async (screen, person) => {
        for (const [size, viewport] of Object.entries(SIZES)) {
          for (const theme of THEMES) {
            await take(person, `${screen}-${language}-${theme}-${size}`, viewport, theme);
          }
        }
      },
    });
  } catch (error) {
    await Promise.all([...everybody].map((person) => person.keepEvidence().catch(() => undefined)));
    throw error;
  } finally {
    await Promise.all([...everybody].map((person) => person.goHome()));
    await browser.close();
    await house.demolish();
  }
}

/** @param {Person} person @param {string} name @param {{ width: number, height: number }} viewport @param {'light' | 'dark'} theme */
async function take(person, name, viewport, theme) {
  if (only.length > 0 && !only.some((word) => name.includes(word))) return;
  await person.page.setViewportSize(viewport);
  await person.page.emulateMedia({ colorScheme: theme });
  if (!(await isReady(person).then(() => true, () => false))) {
    // A busy machine sends small pictures or none, and the photograph of before is better.
    console.error(`NOT TAKEN: ${name}, it does not come to rest`);
    process.exitCode = 1;
    return;
  }
  await person.page.evaluate(nameTheCamera);
  const raw = join(outFolder('screenshots'), 'raw.png');
  await person.page.screenshot({ path: raw });
  const picture = join(target, `${name}.png`);
  shrink(raw, picture);
  // Newcomers need not read what a busy machine has to say.
  const isNoticed = (await person.page.locator('.bar').count()) > 0;
  if (SHOWN_TO_INSTALLERS.test(name) && !isNoticed) copyFileSync(picture, join(installers, `${name.replace('-light', '')}.png`));
  count += 1;
}

/** Every picture has come and is sharp, unless the line is meant to be bad. @param {Person} person */
async function isReady(person) {
  if (person.expectsSharp) await until('every picture to be there', () => person.page.evaluate(missesNoPicture));
  await person.rests();
}

/** In the page: nobody is shown by initials while their camera is on. */
function missesNoPicture() {
  return document.querySelector('.instead.expected, .instead p') === null;
}

/** In the page: a camera that plays a file is labelled with the file's path, which is nobody's business. */
function nameTheCamera() {
  for (const option of document.querySelectorAll('option')) {
    if (option.textContent?.startsWith('/')) option.textContent = 'Integrated Camera';
  }
}

/** 256 colours are enough for flat surfaces, and a quarter of the bytes. @param {string} from @param {string} to */
function shrink(from, to) {
  const partial = `${to}.part.png`;
  const palette = 'split[a][b];[a]palettegen=max_colors=256:reserve_transparent=0[p];[b][p]paletteuse=dither=none';
  const done = spawnSync('ffmpeg', ['-v', 'error', '-y', '-i', from, '-vf', palette, '-pred', 'mixed', partial], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`ffmpeg: ${done.error?.message ?? done.stderr}`);
  renameSync(partial, to);
}

/** @param {House} house @param {string} room @param {'en' | 'de'} language */
async function invite(house, room, language) {
  /** @type {Person[]} */
  const guests = [];
  for (const [index, [look, name]] of GUESTS.entries()) {
    const browser = await launch('files', index + 2, { camera: cameras[look], ...(look === 'deniz' ? { microphone: silence() } : {}) });
    const equipment = { journey: 'screenshots', identity: index + 2, locale: language === 'de' ? 'de-DE' : 'en-US' };
    const guest = await Person.open(house, equipment, browser);
    await guest.comeAsGuest(name, `/r/${room}`);
    await guest.join();
    await guest.isInside();
    // One speaks, one is muted, one is silent.
    if (look === 'chiara') await guest.button(guest.say('devices.mute')).click();
    guests.push(guest);
  }
  return async () => {
    await Promise.all(guests.map((guest) => guest.goHome()));
  };
}
