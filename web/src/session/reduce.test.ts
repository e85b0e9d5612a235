import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../protocol/generated.ts';
import { type Channel, type RoomMessage, reduceHome, reduceRoom, type Step } from './reduce.ts';

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
];

describe('the room channel', () => {
  const snapshot = golden<RoomMessage>('room_snapshot');

  it('becomes what the golden snapshot and deltas say, step by step', () => {
    let channel = changed(reduceRoom(undefined, snapshot));
    const seen = ROOM_DELTAS.map((name) => {
      channel = changed(reduceRoom(channel, golden<RoomMessage>(`room_delta.${name}`)));
      return channel.value;
    });
    expect(channel.seq).toBe(8);
    expect(seen[0]?.participants.map((one) => one.name)).toEqual(['Anna Schmidt', 'Ben']);
    expect(seen[1]?.connection).toBe('c-1');
    expect(seen[2]?.slots).toEqual([{ slot: 1, generation: 1, participant: 'p-ben' }]);
    expect(seen[3]?.slots).toEqual([{ slot: 1, generation: 1, participant: 'p-ben', first_rtp_timestamp: 4294967000 }]);
    expect(seen[4]?.participants[1]?.presence).toBe('reconnecting');
    expect(seen[5]?.speaking).toEqual(['p-anna']);
    expect(seen[6]).toMatchObject({ name: 'Frühstück im Garten', access: 'accounts', owner: true });
    expect(seen[7]?.participants.map((one) => one.id)).toEqual(['p-anna']);
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

  it('empties all slots when the media connection changes', () => {
    let channel = changed(reduceRoom(undefined, snapshot));
    for (const name of ROOM_DELTAS.slice(0, 3)) {
      channel = changed(reduceRoom(channel, golden<RoomMessage>(`room_delta.${name}`)));
    }
    channel = changed(reduceRoom(channel, { type: 'room_delta', seq: 4, change: { type: 'connection_changed' } }));
    expect(channel.value.slots).toEqual([]);
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

describe('the home channel', () => {
  it('becomes what the golden snapshot and deltas say', () => {
    let channel = changed(reduceHome(undefined, golden('home_snapshot')));
    expect(channel.value.rooms.map((room) => room.people)).toEqual([2]);
    channel = changed(reduceHome(channel, golden('home_delta.room_changed')));
    expect(channel.value.rooms.map((room) => room.people)).toEqual([3]);
    channel = changed(reduceHome(channel, golden('home_delta.room_removed')));
    expect(channel.value.rooms).toEqual([]);
  });
});
