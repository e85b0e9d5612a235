/**
 * Drawn people for the pictures of the app: a face in a room for each, made into a camera's file. Nobody real, nothing
 * fetched.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { outFolder } from '../harness/paths.mjs';

/**
 * @typedef {object} Look
 * @property {string} wall
 * @property {string} floor lower part of the wall
 * @property {string} skin
 * @property {string} shade of the skin, for neck and nose
 * @property {string} hair
 * @property {string} shirt
 * @property {'long' | 'short' | 'bun' | 'curls'} cut
 * @property {boolean} glasses
 * @property {boolean} beard
 * @property {'shelf' | 'window' | 'plant' | 'lamp'} thing
 */

/** @type {Record<string, Look>} */
const LOOKS = {
  anna: { wall: '#d9cdb8', floor: '#c7b79d', skin: '#f0c9a8', shade: '#dcae8a', hair: '#6b3f23', shirt: '#2f5d62', cut: 'bun', glasses: true, beard: false, thing: 'lamp' },
  bela: { wall: '#b9c4bd', floor: '#a2b0a8', skin: '#e3b48f', shade: '#c99670', hair: '#2b2320', shirt: '#8c4a3c', cut: 'short', glasses: false, beard: true, thing: 'shelf' },
  chiara: { wall: '#cfc0c4', floor: '#b9a7ac', skin: '#c98f66', shade: '#ad754e', hair: '#1e1716', shirt: '#d39b3a', cut: 'curls', glasses: false, beard: false, thing: 'window' },
  deniz: { wall: '#c3c9d6', floor: '#aab2c2', skin: '#8d5a3b', shade: '#74472c', hair: '#17110f', shirt: '#e7ded0', cut: 'long', glasses: false, beard: false, thing: 'plant' },
};

/** Files for the cameras, by person. @returns {Promise<Record<string, string>>} */
export async function portraits() {
  const folder = outFolder('media');
  /** @type {Record<string, string>} */
  const files = {};
  for (const name of Object.keys(LOOKS)) files[name] = join(folder, `portrait-${name}.y4m`);
  if (Object.values(files).every(existsSync)) return files;
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, chromiumSandbox: false, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    for (const [name, look] of Object.entries(LOOKS)) {
      const still = join(folder, `portrait-${name}.png`);
      await page.setContent(`<body style="margin:0">${draw(look)}</body>`);
      await page.screenshot({ path: still });
      const done = spawnSync('ffmpeg', ['-v', 'error', '-y', '-loop', '1', '-i', still, '-t', '1', '-r', '10', '-pix_fmt', 'yuv420p', files[name] ?? ''], { encoding: 'utf8' });
      if (done.status !== 0) throw new Error(`ffmpeg: ${done.error?.message ?? done.stderr}`);
    }
  } finally {
    await browser.close();
  }
  return files;
}

/** @param {Look} look */
function draw(look) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720" viewBox="0 0 1280 720">
    <rect width="1280" height="720" fill="${look.wall}"/>
    <rect y="560" width="1280" height="160" fill="${look.floor}"/>
    ${things[look.thing]}
    ${back(look)}
    <path d="M330 720 C340 560 470 520 560 505 L720 505 C810 520 940 560 950 720 Z" fill="${look.shirt}"/>
    <path d="M572 430 L572 520 Q640 580 708 520 L708 430 Z" fill="${look.shade}"/>
    <ellipse cx="640" cy="330" rx="118" ry="150" fill="${look.skin}"/>
    ${look.beard ? `<path d="M526 350 Q530 492 640 492 Q750 492 754 350 Q748 410 700 404 Q640 392 580 404 Q532 410 526 350 Z" fill="${look.hair}"/>` : ''}
    <ellipse cx="597" cy="325" rx="10" ry="12" fill="#231a16"/><ellipse cx="683" cy="325" rx="10" ry="12" fill="#231a16"/>
    <path d="M575 292 Q597 280 619 290 M661 290 Q683 280 705 292" stroke="${look.hair}" stroke-width="9" fill="none" stroke-linecap="round"/>
    <path d="M640 330 Q630 365 644 370" stroke="${look.shade}" stroke-width="8" fill="none" stroke-linecap="round"/>
    <path d="M596 412 Q640 448 684 412" stroke="#7c332c" stroke-width="10" fill="none" stroke-linecap="round"/>
    ${look.glasses ? `<g fill="none" stroke="#2b2622" stroke-width="6"><circle cx="597" cy="325" r="37"/><circle cx="683" cy="325" r="37"/><path d="M634 322 Q640 316 646 322"/></g>` : ''}
    ${front(look)}
  </svg>`;
}

/** @param {Look} look hair behind the head */
function back({ cut, hair }) {
  if (cut === 'long') return `<path d="M490 340 Q480 150 640 150 Q800 150 790 340 L806 560 Q640 610 474 560 Z" fill="${hair}"/>`;
  if (cut === 'curls') {
    const curls = [[520, 260], [500, 340], [510, 420], [560, 190], [640, 160], [720, 190], [760, 260], [780, 340], [770, 420]];
    return curls.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="66" fill="${hair}"/>`).join('');
  }
  if (cut === 'bun') return `<circle cx="640" cy="142" r="62" fill="${hair}"/><ellipse cx="640" cy="300" rx="134" ry="150" fill="${hair}"/>`;
  return `<ellipse cx="640" cy="290" rx="128" ry="140" fill="${hair}"/>`;
}

/** @param {Look} look hair over the forehead */
function front({ cut, hair }) {
  if (cut === 'short') return `<path d="M520 300 Q520 165 650 172 Q770 175 760 300 Q740 230 660 235 Q560 240 520 300 Z" fill="${hair}"/>`;
  if (cut === 'curls') return [[560, 225], [610, 200], [670, 200], [720, 225]].map(([x, y]) => `<circle cx="${x}" cy="${y}" r="44" fill="${hair}"/>`).join('');
  return `<path d="M518 330 Q510 175 640 172 Q770 175 762 330 Q748 240 640 222 Q560 232 518 330 Z" fill="${hair}"/>`;
}

const things = {
  shelf: '<g><rect x="900" y="120" width="300" height="14" fill="#7d6a53"/><rect x="900" y="300" width="300" height="14" fill="#7d6a53"/><g fill="#a4533f"><rect x="920" y="40" width="26" height="80"/><rect x="1010" y="220" width="30" height="80"/></g><g fill="#d6b15e"><rect x="952" y="52" width="22" height="68"/><rect x="1048" y="236" width="24" height="64"/></g><g fill="#4f6d7a"><rect x="982" y="34" width="30" height="86"/><rect x="940" y="214" width="28" height="86"/></g><circle cx="1130" cy="90" r="30" fill="#e7ded0"/></g>',
  window: '<g><rect x="90" y="70" width="270" height="330" fill="#8fb3c9"/><path d="M90 330 Q180 270 250 320 T360 300 V400 H90 Z" fill="#7d9a72"/><g fill="none" stroke="#f3ece2" stroke-width="16"><rect x="90" y="70" width="270" height="330"/><path d="M225 70 V400 M90 230 H360"/></g></g>',
  plant: '<g><path d="M1040 560 L1060 680 H1160 L1180 560 Z" fill="#a4533f"/><g fill="#4d7a57"><ellipse cx="1110" cy="430" rx="34" ry="130"/><ellipse cx="1040" cy="470" rx="30" ry="110" transform="rotate(-28 1040 470)"/><ellipse cx="1180" cy="470" rx="30" ry="110" transform="rotate(28 1180 470)"/></g></g>',
  lamp: '<g><path d="M160 0 V150" stroke="#4a4038" stroke-width="6"/><path d="M80 250 Q90 150 160 150 Q230 150 240 250 Z" fill="#b87512"/><ellipse cx="160" cy="250" rx="80" ry="16" fill="#f7e2b0"/></g>',
};
