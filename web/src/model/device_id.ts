/**
 * The random ids of this tab and of this browser. The tab's names its seat. A reload keeps it, a duplicated tab takes a new one: the id is held by a
 * lock for as long as the page lives.
 */

import type { Browser } from './browser.ts';

const KEY = 'stube.device';
const BROWSER_KEY = 'stube.browser';

export interface Device {
  readonly id: string;
  /** False for a first visit and for a duplicated tab, whose copied session storage is another tab's. */
  readonly kept: boolean;
}

export async function claimDevice(browser: Browser): Promise<Device> {
  const known = browser.session.get(KEY);
  if (known && (await browser.lock(`stube-device-${known}`, browser.reloaded))) return { id: known, kept: true };
  const id = randomId(browser);
  browser.session.set(KEY, id);
  await browser.lock(`stube-device-${id}`, false);
  return { id, kept: false };
}

/** All tabs of one browser have the same one. Where nothing is kept, each page is a device of its own. */
export function browserId(browser: Browser): string {
  const known = browser.local.get(BROWSER_KEY);
  if (known) return known;
  const id = randomId(browser);
  browser.local.set(BROWSER_KEY, id);
  return id;
}

function randomId(browser: Browser): string {
  return Array.from(browser.randomBytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
