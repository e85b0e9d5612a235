/**
 * The random id that names this tab's seat. A reload keeps it, a duplicated tab takes a new one: the id is held by a
 * lock for as long as the page lives.
 */

import type { Browser } from './browser.ts';

const KEY = 'stube.device';

export interface Device {
  readonly id: string;
  /** False for a first visit and for a duplicated tab, whose copied session storage is another tab's. */
  readonly kept: boolean;
}

export async function claimDevice(browser: Browser): Promise<Device> {
  const known = browser.session.get(KEY);
  if (known && (await browser.lock(`stube-device-${known}`, browser.reloaded))) return { id: known, kept: true };
  const id = Array.from(browser.randomBytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  browser.session.set(KEY, id);
  await browser.lock(`stube-device-${id}`, false);
  return { id, kept: false };
}
