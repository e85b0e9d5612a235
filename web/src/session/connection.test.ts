import { describe, expect, it } from 'vitest';
import type { RoomView, ServerMessage } from '../protocol/generated.ts';
import { FakeClock, settle } from '../tests/clock.ts';
import { backoffMs } from './backoff.ts';
import { Client, type ClientListener } from './client.ts';
import { Refusal } from './refusal.ts';
import { FakeSocket } from './tests/fakes.ts';

const VIEW: RoomView = {
  id: 'r-1',
  name: 'Küche',
  access: 'accounts',
  kind: 'named',
  knock: false,
  owner: true,
  knocking: [],
  you: 'p-1',
  participants: [],
  speaking: [],
  slots: [],
  demand: [],
};

function snapshot(seq = 0): ServerMessage {
  return { type: 'room_snapshot', epoch: 'e', seq, room: VIEW };
}

class House {
  readonly clock = new FakeClock();
  readonly sockets: FakeSocket[] = [];
  readonly log: string[] = [];
  tickets: () => Promise<string> = async () => 't';
  readonly client: Client;

  constructor(listener: ClientListener = {}) {
    this.client = new Client({
      client: { name: 'test', version: '0' },
      clock: this.clock,
      random: () => 0.5,
      ticket: () => this.tickets(),
      openSocket: (ticket) => {
        const socket = new FakeSocket(ticket);
        this.sockets.push(socket);
        return socket;
      },
    });
    this.client.listen({
      live: (live) => this.log.push(live ? 'up' : 'down'),
      waiting: () => this.log.push('waiting'),
      room: () => this.log.push('room'),
      left: (reason) => this.log.push(`left ${reason}`),
      refused: (refusal) => this.log.push(`refused ${refusal.code}`),
      ended: (refusal) => this.log.push(`ended ${refusal.code}`),
      ...listener,
    });
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  async open(): Promise<FakeSocket> {
    this.client.start();
    await settle();
    this.socket.open();
    return this.socket;
  }
}

describe('backing off', () => {
  it('is between nothing and a ceiling that doubles up to its cap', () => {
    expect(backoffMs(0, 0)).toBe(0);
    expect(backoffMs(0, 1)).toBe(400);
    expect(backoffMs(3, 1)).toBe(3200);
    expect(backoffMs(50, 1)).toBe(4000);
    expect(backoffMs(50, 0.25)).toBe(1000);
    expect(backoffMs(50, 1, 1_000)).toBe(1000);
  });
});

describe('a connection', () => {
  it('says hello first, and join and publish right behind it without waiting', async () => {
    const house = new House();
    house.client.join(
      'Küche',
      'd-1',
      new Map([
        ['microphone', false],
        ['camera', true],
      ]),
    );
    const socket = await house.open();
    expect(socket.types()).toEqual(['hello', 'join_room', 'publish', 'publish']);
    expect(socket.all('publish').map((one) => [one.source, one.muted])).toEqual([
      ['microphone', false],
      ['camera', true],
    ]);
  });

  it('notices a silent socket within three seconds in a meeting and takes the seat again', async () => {
    const house = new House();
    house.client.join('Küche', 'd-1', new Map());
    const first = await house.open();
    first.say(snapshot());
    await house.clock.pass(3_000);
    expect(first.closed).toBe(true);
    expect(house.log).toEqual(['up', 'room', 'down']);
    await house.clock.pass(400);
    expect(house.sockets.length).toBe(2);
    house.socket.open();
    expect(house.socket.types()).toEqual(['hello', 'join_room']);
    expect(house.socket.all('join_room')[0]?.device).toBe('d-1');
  });

  describe('with a ticket to come back with', () => {
    const welcome = (back?: string): ServerMessage => {
      const me = { kind: 'account', name: 'Anna' } as const;
      const said = { type: 'welcome', version: 1, features: [], limits: {}, me, app: { build: 'b' } };
      return { ...said, ...(back === undefined ? {} : { back }) } as unknown as ServerMessage;
    };
    /** In a meeting whose socket has just been found dead; `asked` counts tickets from then on. */
    async function dead(lively = true): Promise<{ house: House; asked: () => number }> {
      const house = new House();
      if (lively) house.client.join('Küche', 'd-1', new Map());
      const first = await house.open();
      first.say(welcome('back-1'));
      if (lively) first.say(snapshot());
      let asked = 0;
      house.tickets = async () => `asked-${++asked}`;
      await house.clock.pass(400);
      first.break();
      await house.clock.pass(200);
      await settle();
      return { house, asked: () => asked };
    }
    const tickets = (house: House): string[] => house.sockets.map((socket) => socket.ticket);

    it('opens the next socket at once, and each of them once', async () => {
      const { house, asked } = await dead();
      expect(tickets(house)).toEqual(['t', 'back-1']);
      house.socket.open();
      expect(house.socket.types()).toEqual(['hello', 'join_room']);
      house.socket.say(welcome());
      house.socket.break();
      await house.clock.pass(1_000);
      await settle();
      expect(tickets(house)).toEqual(['t', 'back-1', 'asked-1']);
      expect(asked()).toBe(1);
    });

    it('tries it again into a dead line, and asks for nothing', async () => {
      const { house, asked } = await dead();
      await house.clock.pass(2_000);
      expect(tickets(house)).toEqual(['t', 'back-1', 'back-1']);
      expect(house.sockets[1]?.closed).toBe(true);
      await house.clock.pass(20_000);
      expect(house.sockets.length).toBeGreaterThan(7);
      expect(new Set(tickets(house))).toEqual(new Set(['t', 'back-1']));
      expect(asked()).toBe(0);
      house.socket.open();
      expect(house.socket.types()).toEqual(['hello', 'join_room']);
      await house.clock.pass(1_000);
      expect(house.socket.closed).toBe(false);
    });

    it('asks for another one where the house does not know it', async () => {
      const { house } = await dead();
      house.socket.break();
      await settle();
      expect(tickets(house)).toEqual(['t', 'back-1', 'asked-1']);
      house.socket.open();
      expect(house.socket.types()).toEqual(['hello', 'join_room']);
    });

    it('asks outside of a meeting, where there is time', async () => {
      const { house } = await dead(false);
      expect(tickets(house)).toEqual(['t', 'asked-1']);
    });
  });

  it('keeps a socket that answers its pings', async () => {
    const house = new House();
    house.client.join('Küche', 'd-1', new Map());
    const socket = await house.open();
    socket.say(snapshot());
    for (let i = 0; i < 40; i++) {
      await house.clock.pass(500);
      const ping = socket.all('ping').at(-1);
      if (ping) socket.say({ type: 'pong', id: ping.id });
    }
    expect(socket.closed).toBe(false);
    expect(house.sockets.length).toBe(1);
  });

  it('gives a socket a second chance after the page slept', async () => {
    const house = new House();
    house.client.join('Küche', 'd-1', new Map());
    const socket = await house.open();
    socket.say(snapshot());
    await house.clock.pass(1_000);
    const before = socket.all('ping').length;
    house.clock.sleep(60_000);
    await house.clock.pass(1);
    expect(socket.closed).toBe(false);
    expect(socket.all('ping').length).toBe(before + 1);
    await house.clock.pass(3_000);
    expect(socket.closed).toBe(true);
  });

  it('backs off longer and longer while the server is away, and tries at once when told to', async () => {
    const house = new House();
    const attempts: number[] = [];
    house.tickets = async () => {
      attempts.push(house.clock.now());
      throw new Refusal('offline');
    };
    house.client.start();
    await house.clock.pass(10_000);
    const gaps = attempts.slice(1).map((at, i) => at - (attempts[i] ?? 0));
    expect(gaps.slice(0, 5)).toEqual([200, 400, 800, 1600, 2000]);
    const before = attempts.length;
    house.client.check();
    expect(attempts.length).toBe(before + 1);
  });

  it('asks again into a line that swallows everything, in a meeting, and takes the first answer', async () => {
    const house = new House();
    const asked: { at: number; answer: (ticket: string) => void }[] = [];
    house.tickets = () => new Promise((answer) => asked.push({ at: house.clock.now(), answer }));
    house.client.join('Küche', 'd-1', new Map());
    house.client.start();
    await house.clock.pass(4_500);
    expect(asked.map(({ at }) => at)).toEqual([0, 2_000, 4_000]);
    asked[2]?.answer('third');
    await settle();
    asked[0]?.answer('first');
    await house.clock.pass(1_000);
    expect(house.sockets.map(({ ticket }) => ticket)).toEqual(['third']);
    expect(asked).toHaveLength(3);
    // Nothing came of it: another attempt, soon.
    await house.clock.pass(1_100);
    expect(asked.length).toBeGreaterThan(3);
  });

  it('outside of a meeting asks once in an attempt', async () => {
    const house = new House();
    let asked = 0;
    house.tickets = () => {
      asked += 1;
      return new Promise(() => {});
    };
    house.client.start();
    await house.clock.pass(5_900);
    expect(asked).toBe(1);
  });

  it('stops when the session is over', async () => {
    const house = new House();
    house.tickets = async () => {
      throw new Refusal('sign_in_required');
    };
    house.client.start();
    await house.clock.pass(60_000);
    expect(house.log).toEqual(['ended sign_in_required']);
    expect(house.sockets.length).toBe(0);
  });

  it('rejects an intent that is refused, lost or never answered', async () => {
    const house = new House();
    const socket = await house.open();
    const offer = { sdp: 'v=0', uplink: { microphone: '0', camera: '1', screen: '2', screen_audio: '3' }, slots: [] };
    const refused = house.client.offer(offer).catch((error: Refusal) => error.code);
    socket.say({ type: 'error', id: socket.all('offer')[0]?.id ?? '', code: 'not_in_room' });
    expect(await refused).toBe('not_in_room');
    const lost = house.client.offer(offer).catch((error: Refusal) => error.code);
    socket.break();
    expect(await lost).toBe('offline');
    await house.clock.pass(1_000);
    house.socket.open();
    const silent = house.client.offer(offer).catch((error: Refusal) => error.code);
    await house.clock.pass(8_000);
    expect(await silent).toBe('offline');
  });
});

describe('another version', () => {
  it('of the server, newer, is not stumbled over', async () => {
    const house = new House();
    const socket = await house.open();
    const me = { kind: 'account', name: 'Anna', user: 'u-1' };
    const home = { rooms: [], calls: [], missed: 2, status: 'available', meetings: [], weather: 'fair' };
    const messages = [
      {
        type: 'welcome',
        version: 1,
        features: ['weather'],
        limits: {},
        me,
        app: { build: '9.0.0-1' },
        weather: 'fair',
      },
      { type: 'weather', forecast: 'fair' },
      { type: 'home_snapshot', epoch: 'e', seq: 0, home },
      { type: 'home_delta', seq: 1, change: { type: 'weather_changed', to: 'rain' } },
      { type: 'home_delta', seq: 2, change: { type: 'missed_changed', missed: 3 } },
      { type: 'error', code: 'unknown_type' },
      { type: 'error', id: 'never asked', code: 'too_sunny' },
    ];
    for (const message of messages) socket.say(message as unknown as ServerMessage);
    expect(house.client.home?.missed).toBe(3);
    expect(house.client.live).toBe(true);
  });

  it('of the server, older, leaves nothing undefined', async () => {
    const apps: unknown[] = [];
    const house = new House({ app: (app) => apps.push(app) });
    const socket = await house.open();
    const me = { kind: 'account', name: 'Anna', user: 'u-1' };
    const messages = [
      { type: 'welcome', version: 1, features: [], limits: {}, me },
      { type: 'home_snapshot', epoch: 'e', seq: 0, home: { rooms: [] } },
    ];
    for (const message of messages) socket.say(message as unknown as ServerMessage);
    expect(apps).toEqual([undefined]);
    expect(house.client.home).toEqual({ rooms: [], calls: [], missed: 0, status: 'available', meetings: [] });
  });
});

describe('a seat', () => {
  it('asks for the snapshot after a gap and ignores deltas until it comes', async () => {
    const house = new House();
    house.client.join('Küche', 'd-1', new Map());
    const socket = await house.open();
    socket.say(snapshot());
    socket.say({ type: 'room_delta', seq: 3, change: { type: 'speaking_changed', speaking: [] } });
    socket.say({ type: 'room_delta', seq: 4, change: { type: 'speaking_changed', speaking: [] } });
    expect(socket.all('get_snapshot')).toEqual([{ type: 'get_snapshot', channel: 'room' }]);
    expect(house.log).toEqual(['up', 'room']);
    socket.say(snapshot(4));
    socket.say({ type: 'room_delta', seq: 5, change: { type: 'speaking_changed', speaking: [] } });
    expect(house.log).toEqual(['up', 'room', 'room', 'room']);
  });

  it('publishes again when a waiting guest is admitted', async () => {
    const house = new House();
    house.client.join('Küche', 'd-1', new Map([['microphone', false]]));
    const socket = await house.open();
    socket.say({ type: 'waiting', reason: 'nobody_in' });
    socket.say({ type: 'error', id: socket.all('publish')[0]?.id ?? '', code: 'not_admitted' });
    house.client.publish('microphone', true);
    socket.say(snapshot());
    expect(house.log).toEqual(['up', 'waiting', 'room']);
    expect(socket.all('publish').at(-1)).toMatchObject({ source: 'microphone', muted: true });
    expect(socket.all('publish').length).toBe(2);
  });

  it('says mute states as set_muted, once each, and the current one after a reconnect', async () => {
    const house = new House();
    house.client.join('Küche', 'd-1', new Map([['microphone', false]]));
    const socket = await house.open();
    socket.say(snapshot());
    house.client.publish('microphone', true);
    house.client.publish('microphone', true);
    expect(socket.all('set_muted').map((one) => one.muted)).toEqual([true]);
    socket.break();
    await house.clock.pass(500);
    house.socket.open();
    expect(house.socket.all('publish')).toMatchObject([{ source: 'microphone', muted: true }]);
  });

  it('is given up when joining is refused for good, and tried again when it passes', async () => {
    const house = new House();
    house.client.join('Küche', 'd-1', new Map());
    const first = await house.open();
    first.say({ type: 'error', id: first.all('join_room')[0]?.id ?? '', code: 'unavailable', retry_after_ms: 2_000 });
    await house.clock.pass(1_999);
    expect(house.sockets.length).toBe(1);
    await house.clock.pass(1);
    house.socket.open();
    const second = house.socket;
    second.say({ type: 'error', id: second.all('join_room')[0]?.id ?? '', code: 'room_full' });
    await settle();
    expect(house.log.at(-1)).toBe('refused room_full');
    second.break();
    await house.clock.pass(5_000);
    house.socket.open();
    expect(house.socket.types()).toEqual(['hello']);
  });

  it('is not taken again after the server took it away or one left', async () => {
    const house = new House();
    house.client.join('Küche', 'd-1', new Map());
    const socket = await house.open();
    socket.say(snapshot());
    socket.say({ type: 'room_left', reason: 'replaced' });
    expect(house.log.at(-1)).toBe('left replaced');
    house.client.join('Küche', 'd-1', new Map());
    house.client.leave();
    expect(socket.types().at(-1)).toBe('leave_room');
    socket.break();
    await house.clock.pass(1_000);
    house.socket.open();
    expect(house.socket.types()).toEqual(['hello']);
  });
});
