import { describe, expect, it } from 'vitest';
import type { Door, RoomView } from '../protocol/generated.ts';
import type { Client } from '../session/client.ts';
import { settle } from '../tests/clock.ts';
import { doorWishes, routeOf } from './address.ts';
import { Call } from './call.ts';
import { claimDevice } from './device_id.ts';
import { DevicesModel } from './devices.ts';
import { DoorModel } from './door.ts';
import { Remembered } from './remembered.ts';
import { FakeBrowser, FakeCapture, FakeMedia, FakeServer, homeOf, homeRoom, SILENT_REPORT } from './tests/fakes.ts';

const VIEW: RoomView = {
  id: 'r-1',
  name: 'Küche',
  access: 'guests',
  kind: 'named',
  knock: false,
  owner: false,
  knocking: [],
  you: 'p-1',
  participants: [],
  speaking: [],
  slots: [],
  demand: [],
};

const OPEN: Door = {
  name: 'Küche',
  access: 'guests',
  kind: 'named',
  knock: false,
  exists: true,
  owner: false,
  member: false,
  known: false,
};
const KNOWN: Door = { ...OPEN, known: true };

class Scene {
  readonly server = new FakeServer();
  readonly capture = new FakeCapture();
  readonly log: string[] = [];
  readonly media: FakeMedia[] = [];
  readonly remembered: Remembered;
  readonly devices: DevicesModel;
  client: Client | undefined;

  constructor(readonly browser: FakeBrowser) {
    this.remembered = new Remembered(browser);
    this.devices = new DevicesModel({
      capture: this.capture,
      remembered: this.remembered,
      newStream: () => ({}) as MediaStream,
      measureLevel: () => () => {},
    });
    this.server.on('POST /tickets', 200, { ticket: 't-1' });
    this.server.on('GET /door', 200, OPEN);
    this.server.on('POST /guests', 200, { grant: 'g-1', name: 'Ben', expires_in_ms: 1000 });
  }

  asAccount(): this {
    this.client = this.server.client(this.browser.clock);
    this.client.start();
    return this;
  }

  async door(): Promise<DoorModel> {
    const { browser, remembered, devices, server } = this;
    const route = routeOf(browser.address());
    const door = new DoorModel(
      {
        browser,
        remembered,
        devices,
        http: server.http,
        device: claimDevice(browser),
        guests: true,
        invite: route.page === 'join' ? route.token : undefined,
        client: this.client,
        accountName: this.client ? 'Anna' : undefined,
        newCall: () =>
          new Call({
            devices,
            report: SILENT_REPORT,
            capture: this.capture,
            newMedia: (events) => this.#newMedia(events),
          }),
        newGuestClient: (grant) => server.client(browser.clock, grant),
        entered: (_call, view) => this.log.push(`entered ${view.name}`),
        left: (reason) => this.log.push(`left ${reason}`),
      },
      route.page === 'room' ? (route.text ?? '') : '',
      doorWishes(browser.address().hash),
    );
    await door.open();
    await settle();
    return door;
  }

  #newMedia(events: ConstructorParameters<typeof FakeMedia>[0]) {
    const media = new FakeMedia(events);
    this.media.push(media);
    return media as unknown as ReturnType<ConstructorParameters<typeof Call>[0]['newMedia']>;
  }
}

function account(path = '/r/public/K%C3%BCche'): Scene {
  return new Scene(new FakeBrowser(path)).asAccount();
}

function guest(path = '/r/public/K%C3%BCche'): Scene {
  return new Scene(new FakeBrowser(path));
}

describe('the door of an account', () => {
  it('shows who may enter and has everything prepared before the click', async () => {
    const scene = account();
    const door = await scene.door();
    expect(door.state).toMatchObject({
      phase: 'open',
      roomName: 'Küche',
      access: 'guests',
      name: 'Anna',
      canJoin: true,
    });
    expect(scene.media[0]?.log).toEqual(['microphone off', 'camera off', 'prepare', 'microphone on', 'camera on']);
  });

  it('sends join, publish and offer back to back', async () => {
    const scene = account();
    const door = await scene.door();
    scene.server.socket.open();
    door.join();
    await settle();
    expect(scene.server.socket.types()).toEqual(['hello', 'join_room', 'publish', 'publish']);
    expect(scene.media[0]?.log.at(-1)).toBe('connect');
    expect(scene.server.socket.all('publish').map((one) => one.muted)).toEqual([false, false]);
    scene.server.socket.say({ type: 'room_snapshot', epoch: 'e', seq: 0, room: VIEW });
    expect(scene.log).toEqual(['entered Küche']);
    // The devices go along into the meeting.
    door.close();
    expect(scene.capture.live).toEqual(['mic-a', 'cam-a']);
  });

  it('takes the address that the server knows the room by', async () => {
    const scene = account('/r/k%C3%BCche');
    await scene.door();
    expect(scene.browser.address().pathname).toBe('/r/public/K%C3%BCche');
  });

  it('says what went wrong and lets one try again', async () => {
    const scene = account();
    const door = await scene.door();
    scene.server.socket.open();
    door.join();
    await settle();
    const [join] = scene.server.socket.all('join_room');
    scene.server.socket.say({ type: 'error', id: join?.id ?? '', code: 'room_full' });
    await settle();
    expect(door.state).toMatchObject({ phase: 'open', canJoin: true, problem: { code: 'room_full' } });
    door.join();
    await settle();
    expect(scene.server.socket.all('join_room').length).toBe(2);
    expect(scene.media.length).toBe(2);
  });

  it('counts who is inside while one stands there', async () => {
    const scene = account();
    const door = await scene.door();
    scene.server.socket.open();
    const room = homeRoom({ id: 'r-1', name: 'Küche', access: 'guests', people: 3 });
    scene.server.socket.say({ type: 'home_snapshot', epoch: 'h', seq: 0, home: homeOf({ rooms: [room] }) });
    expect(door.state.people).toBe(3);
    scene.server.socket.say({
      type: 'home_delta',
      seq: 1,
      change: { type: 'room_changed', room: { ...room, people: 0 } },
    });
    expect(door.state.people).toBe(0);
  });

  it('closes camera and microphone when one goes elsewhere', async () => {
    const scene = account();
    const door = await scene.door();
    door.close();
    expect(scene.capture.live).toEqual([]);
    expect(scene.media[0]?.log.at(-1)).toBe('close');
  });

  it.each([
    ['#auto', [false, true]],
    ['#auto=2', [false, false]],
    ['#auto=2&mute=1', [true, false]],
    ['#auto&mute', [true, true]],
  ])('joins at once with %s, in a room that one knows', async (hash, muted) => {
    const scene = account(`/r/public/K%C3%BCche${hash}`);
    scene.server.on('GET /door', 200, KNOWN);
    const door = await scene.door();
    expect(door.state.phase).toBe('joining');
    scene.server.socket.open();
    expect(scene.server.socket.all('publish').map((one) => one.muted)).toEqual(muted);
    expect(scene.browser.address().hash).toBe('');
  });

  it.each([
    ['one has never been in', OPEN],
    ['is not there yet', { ...OPEN, exists: false, owner: true }],
  ])('does not join by itself when the room %s: a link must not turn a camera on', async (_, door) => {
    const scene = account('/r/public/K%C3%BCche#auto=2');
    scene.server.on('GET /door', 200, door);
    const { state } = await scene.door();
    expect(state).toMatchObject({ phase: 'open', canJoin: true });
    scene.server.socket.open();
    expect(scene.server.socket.types()).toEqual(['hello']);
    expect(scene.server.requests.map((one) => one.route)).not.toContain('POST /rooms');
    expect(scene.browser.address().hash).toBe('');
  });

  it('can be shared before anybody was inside: the room is made', async () => {
    const scene = account('/r/Neu');
    scene.server.on('GET /door', 200, { name: 'Neu', access: 'accounts', exists: false, owner: true, known: false });
    scene.server.on('POST /rooms', 200, { name: 'Neu', access: 'accounts', exists: true, owner: true, known: true });
    const door = await scene.door();
    door.openShare();
    await settle();
    expect(scene.server.requests.at(-1)).toMatchObject({ route: 'POST /rooms', body: { name: 'Neu' } });
    expect(door.state).toMatchObject({ exists: true });
    expect(door.state.share?.state).toMatchObject({ link: 'https://stube.example/r/Neu', allowGuests: false });
  });

  it('is no door when the name cannot be one', async () => {
    expect((await account('/r/%2E%2E%2F%E0%A4%A').door()).state.phase).toBe('name_invalid');
    expect((await account('/r/%E2%80%AEevil').door()).state.phase).toBe('name_invalid');
  });
});

describe('the door of a guest', () => {
  it('wants a name, remembers it, and enters with a grant for this room', async () => {
    const scene = guest();
    const door = await scene.door();
    expect(door.state).toMatchObject({ phase: 'open', viewer: 'guest', canJoin: false });
    door.setName('  ');
    expect(door.state.canJoin).toBe(false);
    door.setName('Ben');
    expect(door.state.canJoin).toBe(true);
    door.join();
    await settle();
    const [entry, ticket] = scene.server.requests.slice(-2);
    expect(entry).toMatchObject({ route: 'POST /guests', body: { room: 'public/Küche', name: 'Ben' } });
    expect(ticket).toMatchObject({ route: 'POST /tickets', bearer: 'Bearer g-1' });
    scene.server.socket.open();
    expect(scene.server.socket.types()).toEqual(['hello', 'join_room', 'publish', 'publish']);
    expect(scene.media[0]?.log.at(-1)).toBe('connect');
    expect(scene.remembered.guestName).toBe('Ben');
  });

  it('has the name of the fragment in its field', async () => {
    const door = await guest('/r/public/K%C3%BCche#name=Frau%20M%C3%BCller').door();
    expect(door.state).toMatchObject({ name: 'Frau Müller', canJoin: true });
  });

  it('waits until somebody of the house comes, and can stop waiting', async () => {
    const scene = guest('/r/public/K%C3%BCche#name=Ben');
    const door = await scene.door();
    door.join();
    await settle();
    const first = scene.server.socket;
    first.open();
    first.say({ type: 'waiting', reason: 'nobody_in' });
    expect(door.state.phase).toBe('waiting');
    door.cancel();
    expect(door.state).toMatchObject({ phase: 'open', canJoin: true });
    expect(first.types().at(-1)).toBe('leave_room');
    expect(first.closed).toBe(true);
    door.join();
    await settle();
    scene.server.socket.open();
    scene.server.socket.say({ type: 'waiting', reason: 'nobody_in' });
    scene.server.socket.say({ type: 'room_snapshot', epoch: 'e', seq: 0, room: VIEW });
    expect(scene.log).toEqual(['entered Küche']);
  });

  it('at a room that is not open is told so', async () => {
    const scene = guest();
    scene.server.on('GET /door', 403, { code: 'guests_not_allowed' });
    expect((await scene.door()).state.phase).toBe('guests_not_allowed');
  });

  it('is told so too when the room is closed while waiting', async () => {
    const scene = guest('/r/public/K%C3%BCche#name=Ben');
    const door = await scene.door();
    door.join();
    await settle();
    scene.server.socket.open();
    scene.server.socket.say({ type: 'waiting', reason: 'nobody_in' });
    scene.server.socket.say({ type: 'room_left', reason: 'guests_not_allowed' });
    expect(door.state.phase).toBe('guests_not_allowed');
  });

  it('does not join by itself, whatever the fragment and the server say', async () => {
    const scene = guest('/r/public/K%C3%BCche#auto=2&name=Ben');
    scene.server.on('GET /door', 200, KNOWN);
    expect((await scene.door()).state.phase).toBe('open');
  });

  it('has no name in its field that turns the writing direction', async () => {
    const door = await guest('/r/public/K%C3%BCche#name=Anna%E2%80%AEnimdA').door();
    expect(door.state).toMatchObject({ name: '', canJoin: false });
  });

  it('sees a button when the server cannot be reached', async () => {
    const scene = guest();
    scene.server.routes.delete('GET /door');
    const door = await scene.door();
    expect(door.state).toMatchObject({ phase: 'failed', problem: { code: 'offline' } });
    scene.server.on('GET /door', 200, OPEN);
    door.retry();
    await settle();
    expect(door.state.phase).toBe('open');
  });
});

const INVITE = '/join#t0ken&mute=1&name=Ben';
const CLOSED: Door = { ...OPEN, access: 'accounts' };

describe('the door behind an invite', () => {
  function invited(): Scene {
    const scene = guest(INVITE);
    scene.server.on('POST /invites/open', 200, CLOSED);
    return scene;
  }

  it('is the ordinary door of its room, and keeps the invite in the address and nothing else', async () => {
    const scene = invited();
    const door = await scene.door();
    expect(door.state).toMatchObject({
      phase: 'open',
      roomName: 'Küche',
      access: 'accounts',
      invited: true,
      name: 'Ben',
    });
    expect(scene.devices.state).toMatchObject({ microphone: { on: false }, camera: { on: true } });
    const { hash, pathname } = scene.browser.address();
    expect(pathname + hash).toBe('/join#t0ken');
    door.join();
    await settle();
    expect(scene.server.requests.map((one) => [one.route, one.body])).toEqual([
      ['POST /invites/open', { token: 't0ken' }],
      ['POST /guests', { room: 'Küche', name: 'Ben', invite: 't0ken' }],
      ['POST /tickets', {}],
    ]);
    scene.server.socket.open();
    expect(scene.server.socket.all('join_room')[0]?.room).toBe('Küche');
  });

  it('leads somebody with an account to the door of the room as themselves', async () => {
    const scene = account('/join#t0ken&auto=2');
    scene.server.on('POST /invites/open', 200, CLOSED);
    const door = await scene.door();
    expect(door.state).toMatchObject({ phase: 'open', viewer: 'account', invited: false, roomName: 'Küche' });
    const { hash, pathname } = scene.browser.address();
    expect(pathname + hash).toBe('/r/K%C3%BCche');
    scene.server.socket.open();
    expect(scene.server.socket.types()).toEqual(['hello']);
  });

  it('says so when the invite is not good, at once or at the click', async () => {
    const refused = invited();
    refused.server.on('POST /invites/open', 410, { code: 'link_invalid' });
    expect((await refused.door()).state.phase).toBe('invite_invalid');
    const later = invited();
    const door = await later.door();
    later.server.on('POST /guests', 410, { code: 'link_invalid' });
    door.join();
    await settle();
    expect(door.state).toMatchObject({ phase: 'invite_invalid', canJoin: false });
  });

  it('opens when the server is reached again', async () => {
    const scene = invited();
    scene.server.routes.delete('POST /invites/open');
    const door = await scene.door();
    expect(door.state.phase).toBe('failed');
    scene.server.on('POST /invites/open', 200, CLOSED);
    door.retry();
    await settle();
    expect(door.state).toMatchObject({ phase: 'open', roomName: 'Küche', canJoin: true });
    expect(scene.devices.state.microphone.on).toBe(false);
  });

  it('asks for another grant when that of another link or an earlier day is kept', async () => {
    const scene = invited();
    scene.remembered.setGrant({ room: 'Küche', grant: 'by the open door', name: 'Ben' });
    (await scene.door()).join();
    await settle();
    expect(scene.server.requests.map((one) => one.route)).toContain('POST /guests');
    const again = invited();
    again.remembered.setGrant({ room: 'Küche', grant: 'old', name: 'Ben', invite: 't0ken' });
    again.server.routes.set('POST /tickets', () =>
      again.server.requests.at(-1)?.bearer === 'Bearer old'
        ? [401, { code: 'sign_in_required' }]
        : [200, { ticket: 't' }],
    );
    const door = await again.door();
    door.join();
    await settle();
    again.server.socket.open();
    expect(door.state.problem).toBeUndefined();
    expect(again.server.requests.filter((one) => one.route !== 'POST /invites/open').map((one) => one.bearer)).toEqual([
      'Bearer old',
      null,
      'Bearer g-1',
    ]);
  });
});

describe('a reload in a meeting', () => {
  function reloaded(before: FakeBrowser): FakeBrowser {
    const after = new FakeBrowser(before.address().pathname);
    after.session = before.session;
    after.local = before.local;
    after.reloaded = true;
    return after;
  }

  it('comes back to the same seat with the same switches, without a look at the door', async () => {
    const first = account();
    const { id } = await claimDevice(first.browser);
    first.remembered.setMeeting({ room: 'Küche', microphone: false, camera: true });
    const scene = new Scene(reloaded(first.browser)).asAccount();
    const door = await scene.door();
    expect(door.state.phase).toBe('joining');
    scene.server.socket.open();
    expect(scene.server.socket.all('join_room')[0]?.device).toBe(id);
    expect(scene.devices.state).toMatchObject({ microphone: { on: false }, camera: { on: true } });
    expect(scene.server.requests.map((one) => one.route)).toEqual(['POST /tickets']);
  });

  it('of a guest uses the grant again', async () => {
    const first = guest();
    await claimDevice(first.browser);
    first.remembered.guestName = 'Ben';
    first.remembered.setGrant({ room: 'Küche', grant: 'g-old', name: 'Ben' });
    first.remembered.setMeeting({ room: 'Küche', microphone: true, camera: true });
    const scene = new Scene(reloaded(first.browser));
    await scene.door();
    expect(scene.server.requests).toMatchObject([{ route: 'POST /tickets', bearer: 'Bearer g-old' }]);
  });

  it('stands at the door again when it is a duplicated tab', async () => {
    const first = account();
    await claimDevice(first.browser);
    first.remembered.setMeeting({ room: 'Küche', microphone: true, camera: true });
    const copy = reloaded(first.browser);
    copy.reloaded = false;
    for (const name of first.browser.locks) copy.locks.add(name);
    const door = await new Scene(copy).asAccount().door();
    expect(door.state.phase).toBe('open');
  });

  it('shows the door when the seat is refused', async () => {
    const first = account();
    await claimDevice(first.browser);
    first.remembered.setMeeting({ room: 'Küche', microphone: true, camera: true });
    const scene = new Scene(reloaded(first.browser)).asAccount();
    const door = await scene.door();
    scene.server.socket.open();
    const [join] = scene.server.socket.all('join_room');
    scene.server.socket.say({ type: 'error', id: join?.id ?? '', code: 'room_full' });
    await settle();
    expect(door.state).toMatchObject({ phase: 'open', problem: { code: 'room_full' }, canJoin: true });
  });
});

describe('the door of a room where others knock', () => {
  const KNOCK: Door = { ...OPEN, knock: true };

  it.each([
    [{}, true],
    [{ member: true }, false],
    [{ owner: true }, false],
  ])('for %j one has to knock: %s', async (who, knocks) => {
    const scene = account();
    scene.server.on('GET /door', 200, { ...KNOCK, ...who });
    const door = await scene.door();
    expect(door.state).toMatchObject({ knock: true, knocks });
  });

  it('waits for an answer, and a reload comes back to the place', async () => {
    const scene = account();
    scene.server.on('GET /door', 200, KNOCK);
    const door = await scene.door();
    scene.server.socket.open();
    door.join();
    await settle();
    scene.server.socket.say({ type: 'waiting', reason: 'nobody_in' });
    expect(door.state).toMatchObject({ phase: 'waiting', waitsFor: 'nobody_in' });
    expect(scene.remembered.meeting('Küche')).toBeUndefined();
    scene.server.socket.say({ type: 'waiting', reason: 'knocking' });
    expect(door.state).toMatchObject({ phase: 'waiting', waitsFor: 'knocking' });
    expect(scene.remembered.meeting('Küche')).toBeDefined();
    scene.server.socket.say({ type: 'room_left', reason: 'not_admitted' });
    expect(scene.log).toEqual(['left not_admitted']);
    expect(scene.remembered.meeting('Küche')).toBeUndefined();
  });

  it('forgets the place when one goes elsewhere', async () => {
    const scene = account();
    scene.server.on('GET /door', 200, KNOCK);
    const door = await scene.door();
    scene.server.socket.open();
    door.join();
    await settle();
    scene.server.socket.say({ type: 'waiting', reason: 'knocking' });
    door.close();
    expect(scene.remembered.meeting('Küche')).toBeUndefined();
  });

  it('says how long to wait before one knocks again', async () => {
    const scene = account();
    scene.server.on('GET /door', 200, KNOCK);
    const door = await scene.door();
    scene.server.socket.open();
    door.join();
    await settle();
    const [join] = scene.server.socket.all('join_room');
    scene.server.socket.say({ type: 'error', id: join?.id ?? '', code: 'rate_limited', retry_after_ms: 12_000 });
    await settle();
    const problem = { code: 'rate_limited', retryAfterMs: 12_000 };
    expect(door.state).toMatchObject({ phase: 'open', canJoin: true, problem });
  });
});

describe('the step in front of the door', () => {
  /** What the server hears before anybody joins, without the hello. */
  function asked(scene: Scene): string[] {
    return scene.server.sockets.flatMap((socket) => socket.types()).filter((type) => type !== 'hello');
  }

  /** The server answers what was asked last. */
  async function answer(scene: Scene, connection = 'c-1'): Promise<void> {
    const id = scene.server.socket.all('prepare_room').at(-1)?.id ?? '';
    scene.server.socket.say({ type: 'answer', id, sdp: 'answer', connection });
    await settle();
  }

  async function prepared(scene: Scene): Promise<DoorModel> {
    const door = await scene.door();
    scene.server.socket.open();
    await settle();
    await answer(scene);
    return door;
  }

  it('brings the media of an account up before the click, which then asks for the seat alone', async () => {
    const scene = account();
    const door = await prepared(scene);
    expect(asked(scene)).toEqual(['prepare_room']);
    expect(scene.server.socket.all('prepare_room')[0]).toMatchObject({ room: 'public/Küche', sdp: 'offer' });
    expect(scene.media[0]?.log.at(-1)).toBe('arrived c-1');
    door.join();
    await settle();
    expect(asked(scene)).toEqual(['prepare_room', 'join_room', 'publish', 'publish']);
    expect(scene.media[0]?.log.at(-1)).toBe('connect');
    expect(scene.media.length).toBe(1);
  });

  it.each<[string, Partial<Door>]>([
    ['one has to knock', { knock: true }],
    ['there is no room yet', { exists: false }],
  ])('does nothing where %s', async (_, door) => {
    const scene = account();
    scene.server.on('GET /door', 200, { ...OPEN, ...door });
    await scene.door();
    scene.server.socket.open();
    await settle();
    expect(asked(scene)).toEqual([]);
  });

  it('waits until a guest has stopped typing, and joins with the same grant', async () => {
    const scene = guest();
    const door = await scene.door();
    door.setName('Be');
    await scene.browser.clock.pass(900);
    door.setName('Ben');
    await scene.browser.clock.pass(900);
    expect(scene.server.requests.map((one) => one.route)).not.toContain('POST /guests');
    await scene.browser.clock.pass(100);
    await settle();
    scene.server.socket.open();
    await settle();
    await answer(scene);
    expect(asked(scene)).toEqual(['prepare_room']);
    expect(scene.remembered.grant('Küche')).toBeUndefined();
    door.join();
    await settle();
    expect(scene.server.requests.filter((one) => one.route === 'POST /guests').length).toBe(1);
    expect(scene.server.sockets.length).toBe(1);
    expect(asked(scene)).toEqual(['prepare_room', 'join_room', 'publish', 'publish']);
    expect(scene.remembered.grant('Küche')?.grant).toBe('g-1');
  });

  it('lets a guest come in under another name, with another grant and its own media', async () => {
    const scene = guest('/r/public/K%C3%BCche#name=Ben');
    const door = await scene.door();
    await scene.browser.clock.pass(1_000);
    await settle();
    const first = scene.server.socket;
    first.open();
    await settle();
    await answer(scene);
    scene.server.on('POST /guests', 200, { grant: 'g-2', name: 'Benno', expires_in_ms: 1000 });
    door.setName('Benno');
    door.join();
    await settle();
    scene.server.socket.open();
    expect(first.closed).toBe(true);
    expect(scene.server.socket).not.toBe(first);
    expect(scene.server.socket.types()).toEqual(['hello', 'join_room', 'publish', 'publish']);
    expect(scene.media[0]?.log.slice(-3)).toEqual(['unprepare', 'signalling up', 'connect']);
  });

  it('comes up again when somebody stirs after it has ended, and not before ten seconds', async () => {
    const scene = account();
    const door = await prepared(scene);
    door.stir();
    await settle();
    expect(asked(scene)).toEqual(['prepare_room']);
    scene.server.socket.say({ type: 'prepared_ended', connection: 'c-1' });
    expect(scene.media[0]?.log.at(-1)).toBe('unprepare');
    door.stir();
    await settle();
    expect(asked(scene)).toEqual(['prepare_room']);
    await scene.browser.clock.pass(10_000);
    expect(asked(scene).filter((type) => type === 'prepare_room')).toEqual(['prepare_room']);
    door.stir();
    await settle();
    expect(asked(scene).filter((type) => type === 'prepare_room').length).toBe(2);
  });

  it('is left with the door', async () => {
    const scene = account();
    const door = await prepared(scene);
    door.close();
    expect(asked(scene)).toEqual(['prepare_room', 'leave_room']);
    expect(scene.media[0]?.log.at(-1)).toBe('close');
  });

  it('that a broken socket took away is there again with the next one', async () => {
    const scene = account();
    await prepared(scene);
    scene.server.socket.break();
    expect(scene.media[0]?.log.at(-1)).toBe('unprepare');
    await scene.browser.clock.pass(5_000);
    await settle();
    scene.server.socket.open();
    await settle();
    await answer(scene, 'c-2');
    expect(scene.media[0]?.log.at(-1)).toBe('arrived c-2');
  });

  it('forgets an old grant that is over, and asks for another one', async () => {
    const scene = guest('/r/public/K%C3%BCche#name=Ben');
    scene.remembered.setGrant({ room: 'Küche', grant: 'g-0', name: 'Ben' });
    scene.server.on('POST /tickets', 401, { code: 'sign_in_required' });
    const door = await scene.door();
    await settle();
    expect(scene.remembered.grant('Küche')).toBeUndefined();
    expect(door.state).toMatchObject({ phase: 'open', canJoin: true });
    scene.server.on('POST /tickets', 200, { ticket: 't-1' });
    door.join();
    await settle();
    scene.server.socket.open();
    expect(scene.server.requests.at(-1)).toMatchObject({ route: 'POST /tickets', bearer: 'Bearer g-1' });
    expect(scene.server.socket.types()).toEqual(['hello', 'join_room', 'publish', 'publish']);
  });
});
