/**
 * The worker's part in calls: shows what a push message says, unless a page is seen and connected, which rings by itself.
 * What is done about a click stands in `clicks.ts`.
 */

import type { PushMessage, PushService } from '../../protocol/generated.ts';
import { PUSH_STORE, type Remembered, remembered } from '../push_memory.ts';
import { readMessage, shownFor, tagOf } from './notification.ts';

/** How long a page may take to answer the worker: one that sleeps does not. */
const ANSWER_MS = 700;
/** How long it is said that a call was answered elsewhere. */
const OVER_MS = 5_000;
const API = '/api/v1';

export function listenForPush(scope: ServiceWorkerGlobalScope): void {
  const { registration } = scope;
  /** The last message of each call that is worked on. */
  const last = new Map<string, Promise<void>>();

  /** One after another for each call: browsers show what needs longer to load later, and the end must not be overtaken. */
  async function pushed(text: string | undefined): Promise<void> {
    const message = readMessage(text);
    if (!message) return;
    const { call } = message;
    const turn = (last.get(call) ?? Promise.resolve()).catch(() => {}).then(() => tell(message));
    last.set(call, turn);
    try {
      await turn;
    } finally {
      if (last.get(call) === turn) last.delete(call);
    }
  }

  async function tell(message: PushMessage): Promise<void> {
    const tag = tagOf(message.call);
    const before = await registration.getNotifications({ tag });
    const silent = message.type === 'over' && !message.missed;
    if ((silent && before.length === 0) || (await aPageRings())) {
      if (message.type === 'over') for (const one of before) one.close();
      return;
    }
    const { options, title } = shownFor(message);
    await registration.showNotification(title, options as unknown as NotificationOptions);
    // Not waited for: a browser wants to see a notification at the end of each message.
    if (silent) setTimeout(() => void takeBack(tag), OVER_MS);
  }

  async function takeBack(tag: string): Promise<void> {
    for (const one of await registration.getNotifications({ tag })) {
      if ((one.data as { kind?: string } | null)?.kind === 'over') one.close();
    }
  }

  /** Whether somebody looks at a page that has its connection, and so sees and hears by itself. */
  async function aPageRings(): Promise<boolean> {
    const all = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const seen = all.filter(({ visibilityState }) => visibilityState === 'visible');
    return new Promise((resolve) => {
      if (seen.length === 0) resolve(false);
      setTimeout(() => resolve(false), ANSWER_MS);
      for (const page of seen) {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => data === true && resolve(true);
        page.postMessage({ type: 'connected' }, [port2]);
      }
    });
  }

  /** The browser has thrown its subscription away, or made another. */
  async function subscribeAnew(): Promise<void> {
    const store = await scope.caches.open(PUSH_STORE);
    const known = await remembered(store);
    const answer = await scope.fetch(`${API}/push`);
    if (!known || !answer.ok) return;
    const { key } = (await answer.json()) as PushService;
    if (key === undefined) return;
    const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    await subscribed(made, known);
  }

  async function subscribed(made: PushSubscription, known: Remembered): Promise<void> {
    const { endpoint, keys } = made.toJSON();
    const body = JSON.stringify({ endpoint, ...keys, ...known });
    const headers = { 'content-type': 'application/json' };
    await scope.fetch(`${API}/push/subscription`, { method: 'PUT', headers, body });
  }

  scope.addEventListener('push', (event) => event.waitUntil(pushed(event.data?.text())));
  scope.addEventListener('pushsubscriptionchange', (event) => {
    (event as ExtendableEvent).waitUntil(subscribeAnew().catch(() => {}));
  });
}
