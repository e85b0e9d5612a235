import { describe, expect, it } from 'vitest';
import type { Call, HomeChange } from '../protocol/generated.ts';
import { FakeClock, settle } from '../tests/clock.ts';
import { Client } from './client.ts';
import { asRefusal } from './refusal.ts';
import { FakeSocket } from './tests/fakes.ts';

const CALL: Call = {
  id: 'k-1',
  room: 'r-9',
  direction: 'outgoing',
  person: { id: 'u-ben', name: 'Ben' },
  video: true,
  ringing: true,
  started_at: 0,
};

class House {
  readonly clock = new FakeClock();
  readonly sockets: FakeSocket[] = [];
  readonly client = new Client({
    client: { name: 'test', version: '0' },
    browser: 'b-1',
    clock: this.clock,
    random: () => 0.5,
    ticket: async () => 't',
    openSocket: (ticket) => {
      const socket = new FakeSocket(ticket);
      this.sockets.push(socket);
      return socket;
    },
  });
  #seq = 0;

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  async open(): Promise<this> {
    this.client.start();
    await settle();
    return this.#welcome();
  }

  /** The connection is lost, and back. */
  async again(): Promise<this> {
    this.socket.break();
    await this.clock.pass(1_000);
    return this.#welcome();
  }

  change(change: HomeChange): void {
    this.socket.say({ type: 'home_delta', seq: ++this.#seq, change });
  }

  #welcome(): this {
    this.socket.open();
    this.#seq = 0;
    const home = { rooms: [], calls: [], missed: 0, status: 'available', meetings: [] } as const;
    this.socket.say({ type: 'home_snapshot', epoch: 'h', seq: 0, home: structuredClone(home) as never });
    return this;
  }
}

describe('ringing somebody', () => {
  it('says which browser this is, and resolves with the call that rings', async () => {
    const house = await new House().open();
    expect(house.socket.all('hello')[0]?.browser).toBe('b-1');
    const ringing = house.client.people.startCall('u-ben', true);
    const [intent] = house.socket.all('start_call');
    expect(intent).toMatchObject({ person: 'u-ben', video: true });
    house.socket.say({ type: 'calling', id: intent?.id ?? '', call: CALL });
    expect(await ringing).toEqual(CALL);
  });

  it('resolves with nothing when they called at the same moment, and rejects when it is refused', async () => {
    const house = await new House().open();
    const crossing = house.client.people.startCall('u-ben', true);
    house.socket.say({ type: 'ok', id: house.socket.all('start_call')[0]?.id ?? '' });
    expect(await crossing).toBe(undefined);
    const refused = house.client.people.ringIn('u-x').catch((error) => asRefusal(error).code);
    house.socket.say({ type: 'error', id: house.socket.all('ring_in')[0]?.id ?? '', code: 'cannot_be_called' });
    expect(await refused).toBe('cannot_be_called');
  });

  it('sits down in the room of the call, and again after a reconnect', async () => {
    const house = await new House().open();
    house.client.joinCall('r-9', 'd-1', new Map([['microphone', false]]));
    expect(house.socket.all('join_call')).toMatchObject([{ room: 'r-9', device: 'd-1' }]);
    await house.again();
    expect(house.socket.types().slice(0, 3)).toEqual(['hello', 'join_call', 'publish']);
  });
});

describe('watching people', () => {
  it('says all that any list shows, once in a turn, and again after a reconnect', async () => {
    const house = await new House().open();
    const { people } = house.client;
    const leave = people.watch(['a', 'b']);
    people.watch(['b', 'c']);
    await settle();
    expect(house.socket.all('watch_people').map((one) => one.people)).toEqual([['a', 'b', 'c']]);
    leave();
    people.watch(['a']);
    await settle();
    expect(house.socket.all('watch_people').length).toBe(1);
    await house.again();
    expect(house.socket.all('watch_people').map((one) => [...one.people].sort())).toEqual([['a', 'b', 'c']]);
  });

  it('knows what it was told of those who are watched and forgets the others', async () => {
    const house = await new House().open();
    const { people } = house.client;
    const leave = people.watch(['a']);
    people.watch(['b']);
    await settle();
    const told: number[] = [];
    people.onAvailability((all) => told.push(all.size));
    house.change({
      type: 'availability_changed',
      people: [
        { person: 'a', availability: 'available' },
        { person: 'b', availability: 'away' },
      ],
    });
    expect(people.availability.get('a')).toBe('available');
    leave();
    await settle();
    expect([...people.availability]).toEqual([['b', 'away']]);
    expect(told).toEqual([2, 1]);
  });

  it('asks for no more people than the server takes', async () => {
    const house = await new House().open();
    house.client.people.watch(Array.from({ length: 130 }, (_, i) => `u-${i}`));
    await settle();
    expect(house.socket.all('watch_people')[0]?.people.length).toBe(100);
  });
});

it('says that nobody uses this window once, and again after a reconnect', async () => {
  const house = await new House().open();
  house.client.people.setActive(true);
  house.client.people.setActive(false);
  house.client.people.setActive(false);
  expect(house.socket.all('set_active').map((one) => one.active)).toEqual([false]);
  await house.again();
  expect(house.socket.all('set_active').map((one) => one.active)).toEqual([false]);
  house.client.people.setActive(true);
  await house.again();
  expect(house.socket.all('set_active')).toEqual([]);
});

it('tells listeners what changed after the state it led to', async () => {
  const house = await new House().open();
  const log: string[] = [];
  house.client.listen({
    home: (home) => log.push(`home ${home.calls.length}`),
    changed: (change) => log.push(change.type),
  });
  house.change({ type: 'call_changed', call: CALL });
  house.change({ type: 'call_ended', call: 'k-1', end: 'busy' });
  expect(log).toEqual(['home 1', 'call_changed', 'home 0', 'call_ended']);
});
