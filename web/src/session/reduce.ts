/**
 * Snapshot + deltas = state, as pure functions. The server's word is taken as it is; what the client wishes never gets
 * in here. A gap in `seq` has one answer: ask for the snapshot again.
 */

import type {
  Home,
  HomeChange,
  Meeting,
  Participant,
  RoomChange,
  RoomView,
  ServerMessage,
} from '../protocol/generated.ts';

export interface Channel<T> {
  readonly epoch: string;
  readonly seq: number;
  readonly value: T;
}

export type Step<T> =
  | { readonly kind: 'changed'; readonly channel: Channel<T> }
  /** An old delta, or one for a channel of which nothing is known: nothing changes. */
  | { readonly kind: 'ignored' }
  /** Deltas are missing: the state cannot be trusted until the next snapshot. */
  | { readonly kind: 'gap' };

export type HomeMessage = Extract<ServerMessage, { type: 'home_snapshot' | 'home_delta' }>;
export type RoomMessage = Extract<ServerMessage, { type: 'room_snapshot' | 'room_delta' }>;

/** What a server of the version before does not say. */
const OLDER_HOME: Partial<Home> = { calls: [], missed: 0, status: 'available', meetings: [] };
const OLDER_ROOM: Partial<RoomView> = {
  kind: 'named',
  knock: false,
  knocking: [],
  demand: [
    { source: 'camera', layers: ['q', 'h', 'f'] },
    { source: 'screen', layers: [] },
  ],
};

export function reduceHome(channel: Channel<Home> | undefined, message: HomeMessage): Step<Home> {
  if (message.type === 'home_snapshot') {
    const { epoch, seq, home } = message;
    return { kind: 'changed', channel: { epoch, seq, value: { ...OLDER_HOME, ...home } } };
  }
  return step(channel, message.seq, (home) => changeHome(home, message.change));
}

export function reduceRoom(channel: Channel<RoomView> | undefined, message: RoomMessage): Step<RoomView> {
  if (message.type === 'room_snapshot') {
    const { epoch, seq, room } = message;
    return { kind: 'changed', channel: { epoch, seq, value: { ...OLDER_ROOM, ...room } } };
  }
  return step(channel, message.seq, (room) => changeRoom(room, message.change));
}

function step<T>(channel: Channel<T> | undefined, seq: number, change: (value: T) => T): Step<T> {
  if (!channel || seq <= channel.seq) return { kind: 'ignored' };
  if (seq !== channel.seq + 1) return { kind: 'gap' };
  return { kind: 'changed', channel: { epoch: channel.epoch, seq, value: change(channel.value) } };
}

function changeHome(home: Home, change: HomeChange): Home {
  switch (change.type) {
    case 'room_changed':
      return { ...home, rooms: replaceById(home.rooms, change.room) };
    case 'room_removed':
      return { ...home, rooms: home.rooms.filter((room) => room.id !== change.room) };
    case 'call_changed':
      return { ...home, calls: replaceById(home.calls, change.call) };
    case 'call_ended':
      return { ...home, calls: home.calls.filter((call) => call.id !== change.call) };
    case 'missed_changed':
      return { ...home, missed: change.missed };
    case 'status_changed':
      return { ...home, status: change.status };
    case 'meeting_changed':
      return { ...home, meetings: byBeginning(replaceById(home.meetings, change.meeting)) };
    case 'meeting_removed':
      return { ...home, meetings: home.meetings.filter((meeting) => meeting.id !== change.meeting) };
    default:
      // Told to whoever listens and no part of the state, or a newer server's.
      return home;
  }
}

function changeRoom(room: RoomView, change: RoomChange): RoomView {
  switch (change.type) {
    case 'participant_joined':
    case 'participant_changed':
      return { ...room, participants: replaceById<Participant>(room.participants, change.participant) };
    case 'participant_left':
      return {
        ...room,
        participants: room.participants.filter((one) => one.id !== change.participant),
        speaking: room.speaking.filter((id) => id !== change.participant),
      };
    case 'speaking_changed':
      return { ...room, speaking: change.speaking };
    case 'slot_assignment': {
      const others = room.slots.filter((slot) => slot.slot !== change.slot.slot);
      return { ...room, slots: [...others, change.slot].sort((a, b) => a.slot - b.slot) };
    }
    case 'room_changed':
      return { ...room, name: change.name, access: change.access, knock: change.knock, owner: change.owner };
    case 'knocking_changed':
      return { ...room, knocking: change.knocking };
    case 'demand_changed':
      return { ...room, demand: change.demand };
    case 'connection_changed': {
      const { connection: _, ...rest } = room;
      return {
        ...rest,
        slots: [],
        demand: [],
        ...(change.connection === undefined ? {} : { connection: change.connection }),
      };
    }
    default:
      // A newer server's change: counted, not understood.
      return room;
  }
}

function replaceById<T extends { id: string }>(list: readonly T[], item: T): T[] {
  return list.some((one) => one.id === item.id)
    ? list.map((one) => (one.id === item.id ? item : one))
    : [...list, item];
}

function byBeginning(meetings: Meeting[]): Meeting[] {
  return meetings.sort((a, b) => a.starts_at - b.starts_at);
}
