import { beforeEach, describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../protocol/generated.ts';
import { settle } from '../../tests/clock.ts';
import { HistoryModel } from './history.ts';
import { entry, Line } from './tests/line.ts';

const NEW = entry('h-3', { started_at: 300 });
const MIDDLE = entry('h-2', { started_at: 200 });
const OLD = entry('h-1', { started_at: 100 });

let line: Line;
let history: HistoryModel;

function has(entries: HistoryEntry[], more = false): void {
  line.server.on('GET /history', 200, { entries, more });
}

const ids = () => history.state.lines?.map(({ id }) => id);

beforeEach(async () => {
  line = await new Line().open();
  has([NEW, MIDDLE]);
  history = new HistoryModel(line.ports());
});

async function opened(): Promise<void> {
  history.open();
  await settle();
}

describe('the history', () => {
  it('is read when it comes into view', async () => {
    await settle();
    expect(line.asked()).toEqual([]);
    await opened();
    expect(ids()).toEqual(['h-3', 'h-2']);
  });

  it('without a connection is read when there is one', async () => {
    const later = new Line();
    later.server.on('GET /history', 200, { entries: [NEW], more: false });
    history = new HistoryModel(later.ports());
    await opened();
    expect(history.state.lines).toBeUndefined();
    await later.open();
    expect(ids()).toEqual(['h-3']);
  });

  it.each<[HistoryEntry, object]>([
    [
      entry('1', { kind: 'missed', seen: false, person: { id: 'u 2', name: 'Béla', picture: '4' } }),
      {
        kind: 'missed',
        fresh: true,
        person: { id: 'u 2', name: 'Béla', path: '/people/u%202', picture: '/api/v1/people/u%202/picture?v=4' },
      },
    ],
    [entry('2', { kind: 'missed', seen: true }), { kind: 'missed', fresh: false }],
    [entry('3', { kind: 'outgoing', end: 'busy', video: true }), { end: 'busy', video: true, fresh: false }],
    [entry('4', { duration_ms: 5 }), { durationMs: 5 }],
    [
      { ...entry('5', { kind: 'room', room: { id: 'r', address: 'public/Küche', name: 'Küche' } }), person: undefined },
      { room: { name: 'Küche', path: '/r/public/K%C3%BCche' } },
    ],
  ] as [HistoryEntry, object][])('shows %j as %j', async (one, shown) => {
    has([one]);
    await opened();
    expect(history.state.lines).toMatchObject([shown]);
  });

  it('follows what happens: new lines on top, changed ones in place, removed ones gone', async () => {
    await opened();
    line.say({ type: 'history_changed', entry: entry('h-4', { started_at: 400 }) });
    line.say({ type: 'history_changed', entry: { ...MIDDLE, duration_ms: 9_000 } });
    expect(ids()).toEqual(['h-4', 'h-3', 'h-2']);
    expect(history.state.lines?.[2]?.durationMs).toBe(9_000);
    line.say({ type: 'history_removed', entries: ['h-3', 'h-9'] });
    expect(ids()).toEqual(['h-4', 'h-2']);
    line.say({ type: 'history_cleared' });
    expect(history.state).toMatchObject({ lines: [], more: false });
  });

  it('goes on with older pages, each line once, and leaves lines that belong to later pages for them', async () => {
    has([NEW, MIDDLE], true);
    await opened();
    line.say({ type: 'history_changed', entry: { ...OLD, seen: true } });
    expect(ids()).toEqual(['h-3', 'h-2']);
    has([MIDDLE, OLD]);
    history.loadMore();
    history.loadMore();
    await settle();
    expect(line.asked()).toEqual(['/history', '/history?before=200']);
    expect(history.state).toMatchObject({ more: false, loading: false });
    expect(ids()).toEqual(['h-3', 'h-2', 'h-1']);
    history.loadMore();
    expect(line.asked()).toHaveLength(2);
  });

  it('keeps what was told while a page was on its way', async () => {
    history.open();
    line.say({ type: 'history_changed', entry: entry('h-4', { started_at: 400 }) });
    line.say({ type: 'history_removed', entries: ['h-2'] });
    expect(history.state.lines).toBeUndefined();
    await settle();
    expect(ids()).toEqual(['h-4', 'h-3']);
  });

  it('is read again after a snapshot, before which changes may have been missed', async () => {
    await opened();
    has([NEW]);
    line.snapshot();
    await settle();
    expect(ids()).toEqual(['h-3']);
    history.leave();
    has([]);
    line.snapshot();
    await settle();
    expect(ids()).toEqual(['h-3']);
  });

  it('that cannot be read says so, until it can', async () => {
    line.server.on('GET /history', 503, { code: 'unavailable' });
    await opened();
    expect(history.state).toMatchObject({ loading: false, problem: { code: 'unavailable' } });
    has([NEW]);
    history.retry();
    await settle();
    expect(history.state.problem).toBeUndefined();
    expect(ids()).toEqual(['h-3']);
  });
});

describe('deleting', () => {
  it('takes one line away, when the server has', async () => {
    await opened();
    line.server.on('DELETE /history/h-3', 503, { code: 'unavailable' });
    history.remove('h-3');
    await settle();
    expect(ids()).toEqual(['h-3', 'h-2']);
    line.server.on('DELETE /history/h-3', 200, {});
    history.remove('h-3');
    await settle();
    expect(ids()).toEqual(['h-2']);
  });

  it('takes all away, when the server has', async () => {
    await opened();
    line.server.on('DELETE /history', 503, { code: 'unavailable' });
    expect(await history.clear()).toBe(false);
    expect(ids()).toHaveLength(2);
    line.server.on('DELETE /history', 200, {});
    expect(await history.clear()).toBe(true);
    expect(history.state).toMatchObject({ lines: [], busy: false });
  });
});

describe('looking at missed calls', () => {
  const seen = () => line.server.socket.all('see_missed').length;

  it('is told once, and only where something is missed', async () => {
    await opened();
    history.looked();
    expect(seen()).toBe(0);
    line.say({ type: 'missed_changed', missed: 2 });
    history.looked();
    history.looked();
    expect(seen()).toBe(1);
    const [{ id } = { id: '' }] = line.server.socket.all('see_missed');
    line.server.socket.say({ type: 'ok', id });
    await settle();
    line.say({ type: 'missed_changed', missed: 0 });
    history.looked();
    expect(seen()).toBe(1);
    line.say({ type: 'missed_changed', missed: 1 });
    history.looked();
    expect(seen()).toBe(2);
  });

  it('before anything is known is told as soon as it is, unless the list has gone', async () => {
    for (const [leaves, told] of [
      [false, 1],
      [true, 0],
    ] as const) {
      line = new Line();
      has([]);
      history = new HistoryModel(line.ports());
      history.open();
      history.looked();
      if (leaves) history.leave();
      await line.open({ missed: 1 });
      expect(seen()).toBe(told);
    }
  });
});
