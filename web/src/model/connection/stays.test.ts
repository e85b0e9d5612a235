import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionRecord } from '../../protocol/generated.ts';
import { ConnectionsHttp } from '../../session/connections.ts';
import { settle } from '../../tests/clock.ts';
import { LeftModel } from '../entrance.ts';
import { FakeBrowser, FakeServer } from '../tests/fakes.ts';
import { lastOwn, staysOfLines } from './lines.ts';
import { StayModel, StaysModel } from './stays.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;

function record(id: string, started_ms: number, troubled_seconds = 0): ConnectionRecord {
  const bad = { mean: troubled_seconds, bad_seconds: troubled_seconds, bad_mean: 80 };
  return {
    id,
    meeting: 'm-1',
    kind: 'named',
    room: 'Garten',
    started_ms,
    ended_ms: started_ms + 60_000,
    over: true,
    others: 1,
    others_losing: 0,
    summary: {
      seconds: 60,
      troubled_seconds,
      loss_up: bad,
      freezes: 0,
      frozen_ms: 0,
      cpu_seconds: 0,
      narrow_up_seconds: 0,
      narrow_down_seconds: 0,
      layer_changes: 0,
      restarts: 0,
    },
  };
}

let server: FakeServer;
let browser: FakeBrowser;
let http: ConnectionsHttp;

beforeEach(() => {
  server = new FakeServer();
  browser = new FakeBrowser();
  http = new ConnectionsHttp(server.http.api);
});

describe('one stay', () => {
  it('is shown to its person with its timeline', async () => {
    server.on('GET /connections/v%2F1', 200, { record: record('v/1', 5, 40), step: 10, points: [{ rtt_ms: 40 }] });
    const stay = new StayModel(http, 'v/1', false, () => {});
    await settle();
    expect(stay.state).toMatchObject({
      step: 10,
      points: [{ rtt_ms: 40 }],
      stay: { path: '/connections/v%2F1', room: 'Garten', findings: [{ kind: 'loss', percent: 8, way: 'up' }] },
    });
    expect(stay.state.person).toBeUndefined();
  });

  it('is shown to administrators with its person', async () => {
    const timeline = { record: record('v', 5), step: 10, points: [] };
    server.on('GET /admin/connections/v', 200, { name: 'Gast', timeline });
    const stay = new StayModel(http, 'v', true, () => {});
    await settle();
    expect(stay.state).toMatchObject({ person: { name: 'Gast', guest: true }, stay: { path: '/admin/connections/v' } });
  });

  it('that is not there, or not the reader’s, is said to be unknown', async () => {
    server.on('GET /connections/v', 404, { code: 'not_found' });
    const stay = new StayModel(http, 'v', false, () => {});
    await settle();
    expect(stay.state.unknown).toBe(true);
  });
});

describe('everybody’s', () => {
  const page = (ids: string[], more = false) => ({
    connections: ids.map((id, index) => ({ user: 'u', name: id, record: record(id, NOW - index - 1) })),
    more,
  });
  const open = () =>
    new StaysModel(
      http,
      browser,
      () => NOW,
      () => {},
    );
  const ids = (stays: StaysModel) => stays.state.stays?.map(({ id }) => id);

  it('are asked for by time, text and trouble, and page by page', async () => {
    server.on('GET /admin/connections', 200, page(['a', 'b'], true));
    const stays = open();
    await settle();
    expect(ids(stays)).toEqual(['a', 'b']);
    server.on('GET /admin/connections', 200, page(['c']));
    stays.more();
    await settle();
    expect(ids(stays)).toEqual(['a', 'b', 'c']);
    stays.setDays(0);
    stays.setTroubled(true);
    stays.setText(' Ann ');
    await browser.clock.pass(1_000);
    await settle();
    expect(server.addresses).toEqual([
      `/admin/connections?since=${NOW - 7 * DAY_MS}`,
      `/admin/connections?since=${NOW - 7 * DAY_MS}&before=${NOW - 2}`,
      '/admin/connections',
      '/admin/connections?troubled=true',
      '/admin/connections?text=Ann&troubled=true',
    ]);
    expect(ids(stays)).toEqual(['c']);
  });
});

describe('the lines of the history', () => {
  it('know the worst of the stays that belong to them', async () => {
    server.on('GET /connections', 200, {
      records: [record('late', 900_000), record('bad', 15_000, 40), record('good', 12_000)],
    });
    const lines = [
      { id: 'h-1', startedAt: 10_000, durationMs: 60_000 },
      { id: 'h-2', startedAt: 400_000 },
    ];
    const stays = await staysOfLines(http, lines);
    expect([...stays].map(([line, stay]) => [line, stay.id])).toEqual([['h-1', 'bad']]);
    expect(server.addresses).toEqual(['/connections?since=0&before=130001']);
  });

  it('are found behind many stays in rooms that have no line', async () => {
    const rooms = Array.from({ length: 50 }, (_, index) => record(`room-${index}`, 900_000 - index * 1_000));
    const pages = [rooms, [record('old', 12_000)]];
    server.routes.set('GET /connections', () => [200, { records: pages.shift() ?? [] }]);
    const lines = [
      { id: 'h-9', startedAt: 2_000_000, durationMs: 1_000 },
      { id: 'h-1', startedAt: 10_000, durationMs: 60_000 },
    ];
    expect((await staysOfLines(http, lines)).get('h-1')?.id).toBe('old');
    expect(server.addresses).toEqual([
      '/connections?since=0&before=2061001',
      `/connections?since=0&before=${900_000 - 49_000}`,
    ]);
  });

  it('without a talk ask for nothing', async () => {
    expect((await staysOfLines(http, [{ id: 'h-2', startedAt: 400_000 }])).size).toBe(0);
    expect(server.addresses).toEqual([]);
  });
});

describe('after a meeting', () => {
  const state = { roomName: 'Garten', viewer: 'account', reason: 'left', home: true } as const;
  const left = (viewer: 'account' | 'guest' = 'account') =>
    new LeftModel(
      { ...state, viewer },
      { clock: browser.clock, joinAgain: () => {}, goHome: () => {}, lastStay: () => lastOwn(http) },
    );

  it('the connection is told as soon as the house knows', async () => {
    server.on('GET /connections', 200, { now_ms: NOW, records: [record('before', NOW - DAY_MS)] });
    const screen = left();
    await browser.clock.pass(400);
    await settle();
    expect(screen.state.connection).toBeUndefined();
    server.on('GET /connections', 200, { now_ms: NOW, records: [record('v', NOW - 60_000)] });
    await browser.clock.pass(1_000);
    await settle();
    expect(screen.state.connection).toMatchObject({ id: 'v', findings: [{ kind: 'good' }] });
    await browser.clock.pass(60_000);
    await settle();
    expect(server.addresses).toHaveLength(2);
  });

  it('guests are told nothing, and nobody who has gone on', async () => {
    left('guest');
    left().close();
    await browser.clock.pass(60_000);
    await settle();
    expect(server.addresses).toEqual([]);
  });
});
