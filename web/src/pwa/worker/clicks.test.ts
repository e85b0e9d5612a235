import { describe, expect, it } from 'vitest';
import type { NoticeClicked } from '../notice.ts';
import { answerClicks } from './clicks.ts';

type Listener = (event: object) => void;

/** A worker with these windows, and what it does. */
function worker(...windows: ('visible' | 'hidden')[]) {
  const log: string[] = [];
  const waits: Promise<unknown>[] = [];
  let listener: Listener = () => {};
  const clients: object[] = windows.map((visibilityState, at) => ({
    visibilityState,
    postMessage: ({ action, call, tag }: NoticeClicked) => log.push(`${at}: ${action} ${call ?? tag}`),
    url: 'https://stube.example/',
    focus: async () => void log.push(`${at}: focus`),
    navigate: async (path: string) => {
      log.push(`${at}: to ${path}`);
      return clients[at];
    },
  }));
  answerClicks({
    addEventListener: (_: string, callback: Listener) => {
      listener = callback;
    },
    fetch: async (address: string, { method }: { method: string }) => void log.push(`${method} ${address}`),
    caches: {
      open: async () => ({
        put: async (_: string, noted: Response) => void log.push(`accepted ${await noted.text()}`),
      }),
    },
    clients: {
      matchAll: async () => clients,
      openWindow: async (address: string) => void log.push(`open ${address}`),
    },
  } as unknown as ServiceWorkerGlobalScope);
  const click = async (action: string, data: unknown = { kind: 'call', call: 'k 1', room: 'r-9' }) => {
    const notification = { data, tag: 't', close: () => log.push('close') };
    listener({ action, notification, waitUntil: (wait: Promise<unknown>) => waits.push(wait) });
    await Promise.all(waits);
    return log;
  };
  const at = (path: string): void => {
    for (const one of clients) Object.assign(one, { url: `https://stube.example${path}` });
  };
  return { click, at };
}

describe('a click on the notification of a call', () => {
  it('declines without any page', async () => {
    expect(await worker('visible').click('decline')).toEqual(['close', 'POST /api/v1/calls/k%201/decline']);
  });

  it.each([
    ['accept', 'accept'],
    ['', 'open'],
  ])('tells the window that is seen: %j is %s', async (action, told) => {
    expect(await worker('hidden', 'visible').click(action)).toEqual(['close', `1: ${told} k 1`, '1: focus']);
  });

  it.each([
    ['accept', ['accepted k 1', 'open /call/r-9#accept']],
    ['', ['open /call/r-9']],
  ])('opens a window where there is none, which an address alone does not make say yes: %j', async (action, done) => {
    expect(await worker().click(action)).toEqual(['close', ...done]);
  });

  it('of a missed one leads to who called, and past a window in which somebody may be talking', async () => {
    const missed = { kind: 'missed', person: 'u/1' };
    expect(await worker().click('call_back', missed)).toEqual(['close', 'open /people/u%2F1']);
    expect(await worker('hidden').click('', missed)).toEqual(['close', '0: to /people/u%2F1', '0: focus']);
    const talking = worker('hidden');
    talking.at('/r/Küche');
    expect(await talking.click('', missed)).toEqual(['close', 'open /people/u%2F1']);
  });

  it('of one that was answered elsewhere leads nowhere', async () => {
    expect(await worker('hidden').click('', { kind: 'over' })).toEqual(['close']);
  });

  it('of a page leads there', async () => {
    const page = { kind: 'page', path: '/r/Küche' };
    expect(await worker('hidden').click('', page)).toEqual(['close', '0: open t', '0: focus']);
    expect(await worker().click('', page)).toEqual(['close', 'open /r/Küche']);
  });

  it('is no business of this one if it is of another notification', async () => {
    expect(await worker('visible').click('accept', { kind: 'other' })).toEqual([]);
    expect(await worker('visible').click('accept', null)).toEqual([]);
  });
});
