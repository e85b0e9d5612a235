/**
 * Where everything ambient enters: the browser's own things are taken here once, handed to the models, and the root
 * component is mounted on them.
 */

import { BrowserCapture } from './media/capture.ts';
import { measureLevel } from './media/level.ts';
import { Media } from './media/media.ts';
import { watchPressure } from './media/pressure.ts';
import { BrowserTones } from './media/tones.ts';
import { AppModel } from './model/app.ts';
import type { Browser, Storage as Kept, Passkeys } from './model/browser.ts';
import { browserId } from './model/device_id.ts';
import { browserFamily, networkKind } from './pwa/network.ts';
import { BrowserNotices } from './pwa/notices.ts';
import { BrowserPush } from './pwa/push.ts';
import { registerWorker, surroundings } from './pwa/surroundings.ts';
import { Client } from './session/client.ts';
import type { Clock } from './session/clock.ts';
import type { SocketLike } from './session/connection.ts';
import { Http } from './session/http.ts';
import { clockWords, t } from './ui/language.svelte.ts';
import { mountApp } from './ui/mount.ts';

const CLIENT = { name: 'stube-web', version: surroundings.build ?? 'development' };

const clock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

function kept(open: () => Storage): Kept {
  // Even to look at a forbidden storage throws.
  const attempt = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return use(open());
    } catch {
      return undefined;
    }
  };
  return {
    get: (key) => attempt((storage) => storage.getItem(key)) ?? undefined,
    set: (key, value) => void attempt((storage) => storage.setItem(key, value)),
    remove: (key) => void attempt((storage) => storage.removeItem(key)),
  };
}

/** How long the page before may take to let go of its lock when it is reloaded. */
const LOCK_WAIT_MS = 2_000;

function lock(name: string, wait: boolean): Promise<boolean> {
  // Absent on pages over plain HTTP: there every tab keeps its id.
  if (!('locks' in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const hold = (granted: Lock | null): Promise<void> | undefined => {
      resolve(granted !== null);
      return granted ? new Promise(() => {}) : undefined;
    };
    const options: LockOptions = wait ? { signal: AbortSignal.timeout(LOCK_WAIT_MS) } : { ifAvailable: true };
    navigator.locks.request(name, options, hold).catch(() => resolve(false));
  });
}

function lead(name: string, changed: (leads: boolean) => void): () => void {
  if (!('locks' in navigator)) {
    changed(true);
    return () => {};
  }
  let leads = false;
  const hold = (): Promise<void> => {
    leads = true;
    changed(true);
    return new Promise(() => {});
  };
  const request = (options: LockOptions, lost: () => void): void => {
    navigator.locks.request(name, options, hold).catch(() => {
      // Another page took it.
      leads = false;
      changed(false);
      lost();
    });
  };
  const queue = (): void => request({}, queue);
  queue();
  return () => {
    if (!leads) request({ steal: true }, () => {});
  };
}

/** Only where the browser reads and writes the JSON of the standard itself. */
const passkeys: Passkeys = {
  supported:
    typeof PublicKeyCredential === 'function' &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function' &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function',
  autofills: async () => (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false,
  create: async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
      options as unknown as PublicKeyCredentialCreationOptionsJSON,
    );
    return asJson(await navigator.credentials.create({ publicKey }));
  },
  get: async (options, { quiet, signal }) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
      options as unknown as PublicKeyCredentialRequestOptionsJSON,
    );
    const mediation = quiet ? 'conditional' : 'optional';
    return asJson(await navigator.credentials.get({ publicKey, mediation, signal }));
  },
};

function asJson(credential: Credential | null): Record<string, unknown> {
  if (!(credential instanceof PublicKeyCredential)) throw new Error('no passkey was given');
  return { ...credential.toJSON() };
}

function saveText(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  // The download has begun by the next turn.
  setTimeout(() => URL.revokeObjectURL(address));
}

const navigation = performance.getEntriesByType('navigation')[0];

const browser: Browser = {
  clock,
  passkeys,
  saveText,
  local: kept(() => localStorage),
  session: kept(() => sessionStorage),
  reloaded: navigation instanceof PerformanceNavigationTiming && navigation.type === 'reload',
  canShareNatively: typeof navigator.share === 'function',
  get pixelRatio() {
    return devicePixelRatio;
  },
  get hidden() {
    return document.visibilityState === 'hidden';
  },
  get floating() {
    const { pictureInPictureElement } = document;
    const windows = 'documentPictureInPicture' in window ? window.documentPictureInPicture : undefined;
    return Boolean(pictureInPictureElement ?? (windows as { window?: Window | null } | undefined)?.window);
  },
  address: () => location,
  push: (path) => history.pushState(null, '', path),
  replace: (path) => history.replaceState(null, '', path),
  leave: (path) => location.replace(path),
  random: () => Math.random(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  copy: async (text) => {
    await navigator.clipboard.writeText(text);
  },
  shareNatively: (data) => navigator.share(data),
  lock,
  lead,
  onUsed: (callback) => {
    for (const kind of ['pointerdown', 'keydown'] as const) addEventListener(kind, callback, { capture: true });
  },
  onBack: (callback) => addEventListener('popstate', callback),
  onVisibility: (callback) => {
    for (const event of ['visibilitychange', 'enterpictureinpicture', 'leavepictureinpicture']) {
      document.addEventListener(event, callback);
    }
  },
  onNetwork: (callback) => {
    addEventListener('online', callback);
    if ('connection' in navigator && navigator.connection instanceof EventTarget) {
      navigator.connection.addEventListener('change', callback);
    }
  },
};

function openSocket(ticket: string): SocketLike {
  const url = new URL('/api/v1/socket', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('ticket', ticket);
  const socket = new WebSocket(url);
  const like: SocketLike = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (text) => socket.send(text),
    close: () => socket.close(),
  };
  socket.onopen = () => like.onopen?.();
  socket.onmessage = (event) => like.onmessage?.({ data: event.data });
  socket.onclose = ({ code }) => like.onclose?.(code);
  return like;
}

const mediaPorts = {
  clock,
  random: () => Math.random(),
  newPeer: () => new RTCPeerConnection({ bundlePolicy: 'max-bundle' }),
  newStream: (track: MediaStreamTrack) => new MediaStream([track]),
  receiveCapabilities: (kind: 'audio' | 'video') => RTCRtpReceiver.getCapabilities(kind),
  watchPressure,
};

const app = new AppModel({
  browser,
  http: new Http((input, init) => fetch(input, init)),
  shell: surroundings,
  capture: new BrowserCapture(navigator, isSecureContext),
  newStream: mediaPorts.newStream,
  measureLevel: (stream, onLevel) => measureLevel(() => new AudioContext(), clock, stream, onLevel),
  newMedia: (events) => new Media(mediaPorts, events),
  report: { network: () => networkKind(), browser: browserFamily(navigator.userAgent) },
  tones: new BrowserTones(clock, () => new AudioContext()),
  notices: new BrowserNotices(),
  planner: {
    unixMs: () => Date.now(),
    words: ({ title, startsAt }) => ({ title, text: t('meetings.reminder', { title, time: clockWords(startsAt) }) }),
  },
  wakeable: new BrowserPush(surroundings.installsByHand === 'ios'),
  newClient: (ticket) =>
    new Client({
      client: CLIENT,
      browser: browserId(browser),
      clock,
      ticket,
      openSocket,
      random: () => browser.random(),
    }),
});

const target = document.getElementById('app');
if (target) {
  // Even to look at a forbidden storage throws, so the store that never throws lends itself.
  const memory = {
    getItem: (key: string) => browser.local.get(key) ?? null,
    setItem: (key: string, value: string) => browser.local.set(key, value),
  };
  mountApp(target, app, { languages: navigator.languages, memory });
}
app.start();
registerWorker();
