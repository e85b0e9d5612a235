import { describe, expect, it } from 'vitest';
import type { Meeting } from '../../protocol/generated.ts';
import type { Client } from '../../session/client.ts';
import { settle } from '../../tests/clock.ts';
import { FakeBrowser, FakeNotices, FakeServer, homeOf } from '../tests/fakes.ts';
import { MeetingsModel } from './meetings.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-26T18:30:00Z');

function meeting(fields: Partial<Meeting> = {}): Meeting {
  return {
    id: 'm-1',
    title: 'Probe',
    room: 'public/Küche',
    starts_at: START,
    ends_at: START + 30 * MINUTE,
    time_zone: 'Europe/Berlin',
    by: 'Anna',
    own: true,
    ...fields,
  };
}

/** Somebody with these meetings, so long before the first of them begins. */
function scene(before: number, meetings: readonly Meeting[] = [meeting()], leads = true) {
  const browser = new FakeBrowser();
  const server = new FakeServer();
  const notices = new FakeNotices();
  const paths: string[] = [];
  const began = START - before;
  const model = new MeetingsModel({
    browser,
    http: server.http,
    notices,
    calls: { state: { leads }, subscribe: () => () => {} },
    navigate: (path) => paths.push(path),
    words: ({ title }) => ({ title, text: '' }),
    unixMs: () => began + browser.clock.now(),
  });
  let told = (): void => {};
  const client = {
    home: homeOf({ meetings: [...meetings] }),
    listen: ({ home }: { home: () => void }) => {
      told = home;
      return () => {};
    },
  };
  const show = (next: readonly Meeting[]): void => {
    client.home = homeOf({ meetings: [...next] });
    told();
  };
  return { browser, model, notices, paths, server, show, follow: () => model.follow(client as unknown as Client) };
}

describe('what is planned', () => {
  it('stands in order until it is over, and lets in when it is near', async () => {
    const later = meeting({ id: 'm-2', starts_at: START + 60 * MINUTE, ends_at: START + 90 * MINUTE, own: false });
    const { browser, follow, model } = scene(11 * MINUTE, [later, meeting()]);
    follow();
    expect(model.state.upcoming.map(({ id, near }) => [id, near])).toEqual([
      ['m-1', false],
      ['m-2', false],
    ]);
    expect(model.state.upcoming[0]).toMatchObject({ path: '/r/public/K%C3%BCche', own: true });
    await browser.clock.pass(MINUTE);
    expect(model.state.upcoming.map(({ near }) => near)).toEqual([true, false]);
    await browser.clock.pass(40 * MINUTE);
    expect(model.state.upcoming.map(({ id }) => id)).toEqual(['m-2']);
    model.follow(undefined);
    expect(model.state.upcoming).toEqual([]);
  });

  it('is remembered five minutes before, once, until it is taken note of', async () => {
    const { browser, follow, model, paths, show } = scene(6 * MINUTE);
    follow();
    expect(model.state.reminder).toBeUndefined();
    await browser.clock.pass(MINUTE);
    expect(model.state.reminder?.id).toBe('m-1');
    model.dismissReminder();
    await browser.clock.pass(MINUTE);
    expect(model.state.reminder).toBeUndefined();
    // Moved, it is another one.
    show([meeting({ starts_at: START + 10 * MINUTE, ends_at: START + 20 * MINUTE })]);
    expect(model.state.reminder).toBeUndefined();
    await browser.clock.pass(9 * MINUTE);
    const { reminder } = model.state;
    expect(reminder?.startsAt).toBe(START + 10 * MINUTE);
    if (reminder) model.join(reminder);
    expect(model.state.reminder).toBeUndefined();
    expect(paths).toEqual(['/r/public/K%C3%BCche']);
  });

  it.each([
    ['in the tab that leads while nobody looks', true, true, 1],
    ['not while somebody looks', true, false, 0],
    ['not in the other tabs', false, true, 0],
  ])('is told by a notification %s', async (_, leads, hidden, expected) => {
    const { browser, follow, model, notices } = scene(5 * MINUTE, [meeting()], leads);
    notices.allowed = 'granted';
    browser.setHidden(hidden);
    follow();
    expect(model.state.reminder?.id).toBe('m-1');
    expect(notices.shown.length).toBe(expected);
    model.dismissReminder();
    expect(notices.shown.length).toBe(0);
  });

  it('reminds nobody who comes when it goes on already', () => {
    const { follow, model } = scene(-2 * MINUTE);
    follow();
    expect(model.state.reminder).toBeUndefined();
    expect(model.state.upcoming[0]?.near).toBe(true);
  });

  it('is cancelled after a question, and says what was refused', async () => {
    const { follow, model, server } = scene(60 * MINUTE);
    follow();
    model.askToCancel('m-1');
    server.on('DELETE /meetings/m-1', 403, { code: 'forbidden' });
    model.cancel();
    expect(model.state.cancelling?.busy).toBe(true);
    await settle();
    expect(model.state.cancelling).toMatchObject({ busy: false, problem: { code: 'forbidden' } });
    server.on('DELETE /meetings/m-1', 200, {});
    model.cancel();
    await settle();
    expect(model.state.cancelling).toBeUndefined();
  });
});
