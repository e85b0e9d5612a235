/** The browser's side of being woken: its permission, its subscription, and what the worker needs to know. */

import { PUSH_STORE, remember } from './push_memory.ts';

/** A push service that is not reached is never done: no browser gives up by itself. */
const SUBSCRIBE_MS = 15_000;

type Permission = 'granted' | 'denied' | 'default';

interface Subscription {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
}

export class BrowserPush {
  readonly support: 'yes' | 'no' | 'install_first';

  /** `needsInstall`: Apple's phones, where only the installed app is woken. */
  constructor(needsInstall: boolean) {
    const able = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;
    this.support = able ? 'yes' : needsInstall ? 'install_first' : 'no';
  }

  get language(): 'de' | 'en' {
    return document.documentElement.lang === 'de' ? 'de' : 'en';
  }

  permission(): Permission {
    return 'Notification' in window ? Notification.permission : 'denied';
  }

  async ask(): Promise<Permission> {
    return Notification.requestPermission();
  }

  async subscribe(key: string, browser: string): Promise<Subscription> {
    const { language } = this;
    const made = await inTime(SUBSCRIBE_MS, subscription(key));
    const { endpoint, keys } = made.toJSON();
    const { auth, p256dh } = keys ?? {};
    if (!endpoint || !auth || !p256dh) throw new Error('a subscription without keys');
    await remember(await caches.open(PUSH_STORE), { browser, language });
    return { endpoint, p256dh, auth };
  }

  async unsubscribe(): Promise<void> {
    const registration = await navigator.serviceWorker.getRegistration();
    const made = await registration?.pushManager.getSubscription();
    await Promise.all([made?.unsubscribe(), caches.delete(PUSH_STORE)]);
  }

  onAsked(connected: () => boolean): void {
    if (!('serviceWorker' in navigator)) return;
    navigator.serviceWorker.addEventListener('message', ({ data, ports }: MessageEvent<unknown>) => {
      const asked = typeof data === 'object' && data !== null && 'type' in data && data.type === 'connected';
      if (asked) ports[0]?.postMessage(connected());
    });
  }
}

async function subscription(key: string): Promise<PushSubscription> {
  const { pushManager } = await navigator.serviceWorker.ready;
  const before = await pushManager.getSubscription();
  if (before && isFor(before, key)) return before;
  // With the key of another house, or of before: a browser has one at a time.
  await before?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function isFor(made: PushSubscription, key: string): boolean {
  const bytes = new Uint8Array(made.options.applicationServerKey ?? new ArrayBuffer(0));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key;
}

function inTime<T>(ms: number, task: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the push service does not answer')), ms);
    task.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
