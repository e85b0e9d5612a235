/**
 * The browser's side of an app that stays: registers the worker, hears of offers to install, keeps the screen on, puts a
 * number on the icon. What a browser does not have is left out without a word. Decides nothing.
 */

import { insideApp, installsByHand } from './user_agent.ts';

const WORKER = '/sw.js';
/** A worker that has not fetched everything by then goes on without being waited for. */
const FETCH_MS = 10_000;

interface InstallEvent extends Event {
  prompt(): Promise<unknown>;
}

/** As much of trusted types as is needed; what it makes stands for a text. */
interface ScriptAddresses {
  createPolicy(name: string, rules: object): { createScriptURL(address: string): string };
}

const touches = navigator.maxTouchPoints > 1;

export const surroundings = {
  build: document.querySelector<HTMLMetaElement>('meta[name="stube-build"]')?.content,
  // The second is Apple's own.
  installed: matchMedia('(display-mode: standalone)').matches || ('standalone' in navigator && !!navigator.standalone),
  installsByHand: installsByHand(navigator.userAgent, touches),
  inside: insideApp(navigator.userAgent, touches),
  reload: () => location.reload(),
  fetchNewest,
  onInstallable: (callback: (install: () => Promise<void>) => void) => {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      callback(async () => {
        await (event as InstallEvent).prompt();
      });
    });
  },
  onInstalled: (callback: () => void) => addEventListener('appinstalled', callback),
  onPartMissing: (callback: () => void) => addEventListener('vite:preloadError', callback),
  keepAwake: async () => {
    try {
      const lock = await navigator.wakeLock.request('screen');
      return () => void lock.release();
    } catch {
      // Not there, or refused to save power: the screen goes off as ever.
      return () => {};
    }
  },
  setBadge: (count: number) => {
    if (!('setAppBadge' in navigator)) return;
    // Refused where the app is not installed.
    const done = count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge();
    done.catch(() => {});
  },
};

/** Not before the page has what it needs: the worker fetches all the rest of the app. Absent where there is none. */
export function registerWorker(): void {
  if (!('serviceWorker' in navigator) || surroundings.build === undefined) return;
  const register = (): void => {
    navigator.serviceWorker.register(workerAddress(), { updateViaCache: 'none' }).catch(() => {});
  };
  if (document.readyState === 'complete') register();
  else addEventListener('load', register, { once: true });
}

/** The policy of our pages lets only this through, and only under this name. */
function workerAddress(): string {
  const { trustedTypes } = window as { trustedTypes?: ScriptAddresses };
  const policy = trustedTypes?.createPolicy('stube', { createScriptURL: () => WORKER });
  return policy?.createScriptURL(WORKER) ?? WORKER;
}

async function fetchNewest(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.getRegistration();
    const updated = await registration?.update();
    const worker = (updated ?? registration)?.installing;
    if (worker) await settled(worker);
  } catch {
    // The page itself comes from the server; the worker looks again with the next one.
  }
}

function settled(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, FETCH_MS);
    worker.addEventListener('statechange', () => {
      if (worker.state !== 'installing') resolve();
    });
  });
}
