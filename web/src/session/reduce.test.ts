import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../protocol/generated.ts';
import { type Channel, type HomeMessage, type RoomMessage, reduceHome, reduceRoom, type Step } from './reduce.ts';

function golden<T extends ServerMessage>(name: string): T {
  const url = new URL(`../../../crates/protocol/golden/server.${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

function changed<T>(step: Step<T>): Channel<T> {
  if (step.kind !== 'changed') throw new Error(`expected a change, got ${step.kind}`);
  return step.channel;
}

const ROOM_DELTAS = [
  'participant_joined',
  'connection_changed',
  'slot_assignment',
  'slot_assignment.started',
  'participant_changed',
  'speaking_changed',
  'room_changed',
  'participant_left',
  'knocking_changed',
  'demand_changed',
  'slot_assignment.paused',
];

describe('the room channel', () => {
  const snapshot = golden<RoomMessage>('room_snapshot');

  it('becomes what the golden snapshot and deltas say, step by step', () => {
    let channel = changed(reduceRoom(undefined, snapshot));
    const seen = ROOM_DELTAS.map((name) => {
      channel = changed(reduceRoom(channel, golden<RoomMessage>(`room_delta.${name}`)));
      return channel.value;
    });
    expect(channel.seq).toBe(11);
    expect(seen[0]?.participants.map((one) => one.name)).toEqual(['Anna Schmidt', 'Ben']);
    expect(seen[1]?.connection).toBe('c-1');
    expect(seen[2]?.slots).toEqual([{ slot: 1, generation: 1, participant: 'p-ben' }]);
    expect(seen[3]?.slots).toEqual([{ slot: 1, generation: 1, participant: 'p-ben', first_rtp_timestamp: 4294967000 }]);
    expect(seen[4]?.participants[1]?.presence).toBe('reconnecting');
    expect(seen[5]?.speaking).toEqual(['p-anna']);
    expect(seen[6]).toMatchObject({ name: 'Frühstück im Garten', access: 'accounts', owner: true });
    expect(seen[7]?.participants.map((one) => one.id)).toEqual(['p-anna']);
    expect(seen[8]?.knocking).toEqual([{ id: 'p-gil', name: 'Gil', guest: true }]);
    expect(seen[9]?.demand).toEqual([{ source: 'camera', layers: ['q', 'h'], codec: 'vp9' }]);
    expect(seen[10]?.slots.map((slot) => slot.paused)).toEqual([undefined, true]);
  });

  it('leaves earlier states as they were', () => {
    const before = changed(reduceRoom(undefined, snapshot));
    const copy = structuredClone(before);
    reduceRoom(before, golden<RoomMessage>('room_delta.participant_joined'));
    expect(before).toEqual(copy);
  });

  it('notices a gap, and starts anew with the next snapshot', () => {
    const channel = changed(reduceRoom(undefined, snapshot));
    expect(reduceRoom(channel, golden<RoomMessage>('room_delta.connection_changed')).kind).toBe('gap');
    const again = changed(reduceRoom(channel, { ...snapshot, seq: 41 } as RoomMessage));
    expect(again.seq).toBe(41);
  });

  it('ignores deltas that are old or come before any snapshot', () => {
    const delta = golden<RoomMessage>('room_delta.participant_joined');
    expect(reduceRoom(undefined, delta).kind).toBe('ignored');
    const channel = changed(reduceRoom(changed(reduceRoom(undefined, snapshot)), delta));
    expect(reduceRoom(channel, delta).kind).toBe('ignored');
  });

  it('empties all slots and the demand when the media connection changes', () => {
    const demand = [{ source: 'camera', layers: ['q'] }] as const;
    const demanded = { ...snapshot, room: { ...('room' in snapshot ? snapshot.room : {}), demand } };
    let channel = changed(reduceRoom(undefined, demanded as unknown as RoomMessage));
    for (const name of ROOM_DELTAS.slice(0, 3)) {
      channel = changed(reduceRoom(channel, golden<RoomMessage>(`room_delta.${name}`)));
    }
    channel = changed(reduceRoom(channel, { type: 'room_delta', seq: 4, change: { type: 'connection_changed' } }));
    expect(channel.value.slots).toEqual([]);
    expect(channel.value.demand).toEqual([]);
    expect('connection' in channel.value).toBe(false);
  });

  it('takes a leaver out of the speaking list', () => {
    let channel = changed(reduceRoom(undefined, snapshot));
    channel = changed(reduceRoom(channel, golden<RoomMessage>('room_delta.participant_joined')));
    channel = changed(
      reduceRoom(channel, {
        type: 'room_delta',
        seq: 2,
        change: { type: 'speaking_changed', speaking: ['p-ben', 'p-anna'] },
      }),
    );
    channel = changed(
      reduceRoom(channel, {
        type: 'room_delta',
        seq: 3,
        change: { type: 'participant_left', participant: 'p-ben' },
      }),
    );
    expect(channel.value.speaking).toEqual(['p-anna']);
  });
});

const HOME_DELTAS = [
  'room_changed',
  'room_removed',
  'call_changed',
  'call_ended',
  'missed_changed',
  'status_changed',
  'availability_changed',
  'history_changed',
  'history_removed',
  'history_cleared',
  'meeting_changed',
  'meeting_removed',
  'favourites_changed',
];

describe('the home channel', () => {
  const snapshot = golden<HomeMessage>('home_snapshot');

  it('becomes what the golden snapshot and deltas say, step by step', () => {
    const quiet: HomeMessage = { ...snapshot, type: 'home_snapshot', home: homeWithout(snapshot) } as HomeMessage;
    let channel = changed(reduceHome(undefined, quiet));
    const seen = new Map(
      HOME_DELTAS.map((name) => {
        channel = changed(reduceHome(channel, golden<HomeMessage>(`home_delta.${name}`)));
        return [name, channel.value];
      }),
    );
    expect(channel.seq).toBe(13);
    expect(seen.get('room_changed')?.rooms.map((room) => room.people)).toEqual([3]);
    expect(seen.get('room_removed')?.rooms).toEqual([]);
    expect(seen.get('call_changed')?.calls.map((call) => call.person.name)).toEqual(['Ben Weiß']);
    expect(seen.get('call_ended')?.calls).toEqual([]);
    expect(seen.get('missed_changed')?.missed).toBe(2);
    expect(seen.get('status_changed')?.status).toBe('do_not_disturb');
    expect(seen.get('meeting_changed')?.meetings.map((meeting) => meeting.title)).toEqual(['Elternabend 4b']);
    expect(seen.get('meeting_removed')?.meetings).toEqual([]);
  });

  it.each(['availability_changed', 'history_changed', 'history_removed', 'history_cleared', 'favourites_changed'])(
    'counts %s, which is no part of its state',
    (name) => {
      const delta = golden<HomeMessage>(`home_delta.${name}`);
      const before = changed(reduceHome(undefined, { ...snapshot, seq: delta.seq - 1 } as HomeMessage));
      const after = changed(reduceHome(before, delta));
      expect(after).toEqual({ ...before, seq: delta.seq });
    },
  );

  it('replaces a call that it has, and keeps meetings in the order of their beginning', () => {
    const before = changed(reduceHome(undefined, snapshot));
    const [call] = before.value.calls;
    const [meeting] = before.value.meetings;
    if (!call || !meeting) throw new Error('the golden snapshot has one of each');
    const sooner = { ...meeting, id: 't-0', starts_at: meeting.starts_at - 1 };
    let channel = changed(
      reduceHome(before, { type: 'home_delta', seq: 1, change: { type: 'meeting_changed', meeting: sooner } }),
    );
    channel = changed(
      reduceHome(channel, {
        type: 'home_delta',
        seq: 2,
        change: { type: 'call_changed', call: { ...call, ringing: false } },
      }),
    );
    expect(channel.value.meetings.map((one) => one.id)).toEqual(['t-0', 't-1']);
    expect(channel.value.calls).toEqual([{ ...call, ringing: false }]);
    expect(before.value.meetings.map((one) => one.id)).toEqual(['t-1']);
  });
});

function homeWithout(snapshot: HomeMessage): object {
  const home = 'home' in snapshot ? snapshot.home : undefined;
  return { ...home, calls: [], meetings: [] };
}
