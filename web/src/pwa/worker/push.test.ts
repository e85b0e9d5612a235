import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PushMessage } from '../../protocol/generated.ts';
import type { Shown } from './notification.ts';
import { listenForPush } from './push.ts';

const BERND = { id: 'u/1', name: 'Bernd', picture: 'v1' };
const RINGING: PushMessage = {
  type: 'ringing',
  call: 'k-1',
  room: 'r-1',
  person: BERND,
  video: true,
  language: 'de',
};
const over = (end: 'cancelled' | 'answered' | 'declined', missed: boolean): PushMessage => ({
  type: 'over',
  call: 'k-1',
  person: BERND,
  end,
  missed,
  language: 'de',
});

interface FakePage {
  visibilityState: 'visible' | 'hidden';
  /** What it answers the worker. */
  answers?: (question: { type: string }) => boolean;
}

let shown: Map<string, Shown & { close(): void }>;
let pages: FakePage[];
let sent: { path: string; method?: string | undefined; body?: unknown }[];
let listeners: Map<string, (event: unknown) => void>;
/** What a browser waits for before it shows a notification that can be answered: its picture. */
let loaded: Promise<void>;

beforeEach(() => {
  shown = new Map();
  pages = [];
  sent = [];
  listeners = new Map();
  loaded = Promise.resolve();
  const client = (page: FakePage): object => ({
    ...page,
    postMessage: (question: { type: string }, [port]: MessagePort[]) => {
      if (page.answers) port?.postMessage(page.answers(question));
    },
  });
  const scope = {
    addEventListener: (name: string, listener: (event: unknown) => void) => listeners.set(name, listener),
    fetch: async (path: string, init: RequestInit = {}) => {
      sent.push({ path, method: init.method, body: init.body && JSON.parse(String(init.body)) });
      return new Response(JSON.stringify({ on: true, key: 'k-2' }));
    },
    caches: { open: async () => ({ match: async () => new Response('{"browser":"b-1","language":"de"}') }) },
    clients: {
      matchAll: async () => pages.map(client),
    },
    registration: {
      pushManager: {
        subscribe: async ({ applicationServerKey }: { applicationServerKey: string }) => ({
          toJSON: () => ({ endpoint: `of ${applicationServerKey}`, keys: { p256dh: 'p', auth: 'a' } }),
        }),
      },
      getNotifications: async ({ tag }: { tag: string }) => {
        const one = shown.get(tag);
        return one ? [{ data: one.options.data, close: () => shown.delete(tag) }] : [];
      },
      showNotification: async (title: string, options: Shown['options']) => {
        if (options.requireInteraction) await loaded;
        shown.set(options.tag, { title, options, close: () => shown.delete(options.tag) });
      },
    },
  };
  listenForPush(scope as unknown as ServiceWorkerGlobalScope);
});

afterEach(() => {
  vi.useRealTimers();
});

async function happens(name: string, event: object): Promise<void> {
  let life: Promise<unknown> | undefined;
  listeners.get(name)?.({ ...event, waitUntil: (promise: Promise<unknown>) => (life = promise) });
  await life;
}

const pushed = (message: unknown) => {
  const text = typeof message === 'string' ? message : `${JSON.stringify(message)}   `;
  return happens('push', { data: { text: () => text } });
};

const titles = () => [...shown.values()].map(({ title, options }) => `${title}: ${options.body}`);

test('a call is shown with name, kind, picture and what one can do', async () => {
  await pushed(RINGING);
  const [one] = shown.values();
  expect(titles()).toEqual(['Bernd: Videoanruf']);
  expect(one?.options.icon).toBe('/api/v1/people/u%2F1/picture?v=v1');
  expect(one?.options.actions.map(({ title }) => title)).toEqual(['Annehmen', 'Ablehnen']);
  await pushed({
    ...RINGING,
    call: 'k-2',
    video: false,
    into: 'Küche',
    language: 'en',
    person: { id: 'u', name: 'Ö' },
  });
  expect(titles()[1]).toBe('Ö: Call · Room: Küche');
});

test('a page that is seen and connected rings by itself, and one that is not does not keep it from being shown', async () => {
  pages = [{ visibilityState: 'visible', answers: ({ type }) => type === 'connected' }];
  await pushed(RINGING);
  expect(titles()).toEqual([]);
  pages = [{ visibilityState: 'visible', answers: () => false }];
  await pushed(RINGING);
  expect(titles()).toHaveLength(1);
  shown.clear();
  pages = [{ visibilityState: 'hidden', answers: () => true }];
  await pushed(RINGING);
  expect(titles()).toHaveLength(1);
  shown.clear();
  pages = [{ visibilityState: 'visible' }];
  await pushed(RINGING);
  expect(titles(), 'a page that sleeps').toHaveLength(1);
});

test('a missed call takes the place of the ringing one and leads to who called', async () => {
  await pushed(RINGING);
  await pushed(over('cancelled', true));
  expect(titles()).toEqual(['Verpasster Anruf von Bernd: ']);
  expect([...shown.values()][0]?.options.data).toEqual({ kind: 'missed', person: 'u/1' });
});

test.each([true, false])(
  'an end that comes while the call is not shown yet is not overtaken by it, missed: %s',
  async (missed) => {
    let load = () => {};
    loaded = new Promise((resolve) => (load = resolve));
    const ends = missed ? over('cancelled', true) : over('answered', false);
    const all = [pushed(RINGING), pushed(ends)];
    await new Promise((resolve) => setTimeout(resolve));
    expect(titles()).toEqual([]);
    load();
    await Promise.all(all);
    expect(titles()).toEqual([missed ? 'Verpasster Anruf von Bernd: ' : 'Bernd: Auf einem anderen Gerät angenommen']);
  },
);

test('answered elsewhere is said for a moment, and only where it rang', async () => {
  vi.useFakeTimers();
  await pushed(over('answered', false));
  expect(titles()).toEqual([]);
  await pushed(RINGING);
  await pushed(over('answered', false));
  expect(titles()).toEqual(['Bernd: Auf einem anderen Gerät angenommen']);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(titles()).toEqual([]);
});

test('what was shown goes when a page sees to it', async () => {
  await pushed(RINGING);
  pages = [{ visibilityState: 'visible', answers: () => true }];
  await pushed(over('cancelled', true));
  expect(titles()).toEqual([]);
});

test('what cannot be read shows nothing', async () => {
  for (const text of ['', 'x', 'null', '{}', '{"type":"later","call":"k","person":{}}', '{"type":"ringing"}']) {
    await pushed(text);
  }
  await happens('push', { data: null });
  expect(titles()).toEqual([]);
});

test('a browser that made another subscription tells the server', async () => {
  await happens('pushsubscriptionchange', {});
  expect(sent.at(-1)).toEqual({
    path: '/api/v1/push/subscription',
    method: 'PUT',
    body: { endpoint: 'of k-2', p256dh: 'p', auth: 'a', browser: 'b-1', language: 'de' },
  });
});
