import { describe, expect, it } from 'vitest';
import type { Media } from '../media/media.ts';
import type { Participant, RoomChange, RoomView, Source } from '../protocol/generated.ts';
import { settle } from '../tests/clock.ts';
import { Call } from './call.ts';
import { DevicesModel } from './devices.ts';
import { MeetingModel } from './meeting.ts';
import { Remembered } from './remembered.ts';
import { FakeBrowser, FakeCapture, FakeMedia, FakeServer, SILENT_REPORT } from './tests/fakes.ts';

function participant(id: string, ...sources: Source[]): Participant {
  const tracks = sources.map((source) => ({ source, muted: false }));
  return { id, name: id.toUpperCase(), guest: false, presence: 'connected', tracks, joined_at: 0 };
}

async function meeting(...others: Participant[]) {
  const browser = new FakeBrowser('/r/K%C3%BCche');
  const server = new FakeServer();
  server.on('POST /tickets', 200, { ticket: 't' });
  const capture = new FakeCapture();
  const remembered = new Remembered(browser);
  const devices = new DevicesModel({
    capture,
    remembered,
    newStream: () => ({}) as MediaStream,
    measureLevel: () => () => {},
  });
  await devices.begin({ microphone: true, camera: true, explained: false });
  const made: FakeMedia[] = [];
  const call = new Call({
    devices,
    capture,
    report: SILENT_REPORT,
    newMedia: (events) => {
      const media = new FakeMedia(events);
      made.push(media);
      return media as unknown as Media;
    },
  });
  const client = server.client(browser.clock);
  const log: string[] = [];
  let model: MeetingModel | undefined;
  call.listener = {
    view: (view) => {
      model = new MeetingModel(
        {
          browser,
          http: server.http,
          remembered,
          devices,
          guests: true,
          viewer: 'account',
          canShareScreen: true,
          left: (reason) => log.push(reason),
        },
        call,
        view,
      );
    },
  };
  call.join(client, 'Küche', 'd-1');
  client.start();
  await settle();
  const view: RoomView = {
    id: 'r',
    name: 'Küche',
    access: 'accounts',
    kind: 'named',
    knock: false,
    owner: true,
    knocking: [],
    you: 'me',
    participants: [participant('me', 'microphone', 'camera'), ...others],
    speaking: [],
    slots: [],
    demand: [],
  };
  server.socket.open();
  server.socket.say({ type: 'room_snapshot', epoch: 'e', seq: 0, room: view });
  const [media] = made;
  if (!model || !media) throw new Error('not in the meeting');
  let seq = 0;
  const change = (one: RoomChange) => server.socket.say({ type: 'room_delta', seq: ++seq, change: one });
  /** Answers pings, so that the watchdog is content. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 250) {
      await browser.clock.pass(Math.min(left, 250));
      const ping = server.socket.all('ping').at(-1);
      if (ping) server.socket.say({ type: 'pong', id: ping.id });
    }
  };
  return { browser, call, capture, change, devices, log, media, model, pass, remembered, server, view };
}

describe('the tiles', () => {
  it('are the others, screens first, with what the server says of them', async () => {
    const { change, media, model } = await meeting(participant('ann', 'microphone', 'camera'), participant('ben'));
    expect(model.state.tiles.map(({ key, muted }) => [key, muted])).toEqual([
      ['person ann', false],
      ['person ben', true],
    ]);
    change({ type: 'speaking_changed', speaking: ['ann'] });
    change({ type: 'participant_changed', participant: participant('ben', 'screen') });
    expect(model.state.tiles.map(({ key, speaking }) => [key, speaking])).toEqual([
      ['screen ben', false],
      ['person ann', true],
      ['person ben', false],
    ]);
    change({ type: 'participant_left', participant: 'ben' });
    expect(model.state.tiles.map((tile) => tile.key)).toEqual(['person ann']);
    expect(media.log).toContain('forget person ben');
    expect(media.log).toContain('forget screen ben');
    expect(model.state.alone).toBe(false);
    change({ type: 'participant_left', participant: 'ann' });
    expect(model.state.alone).toBe(true);
  });

  it('show a picture only when it is the right one and the camera is on', async () => {
    const { change, media, model } = await meeting(participant('ann', 'camera'));
    const shown = () => model.state.tiles.map(({ showVideo, videoExpected }) => [showVideo, videoExpected]);
    expect(shown()).toEqual([[false, true]]);
    media.events.visible('person ann', true);
    expect(shown()).toEqual([[true, false]]);
    change({ type: 'participant_changed', participant: participant('ann') });
    expect(shown()).toEqual([[false, false]]);
    change({ type: 'participant_changed', participant: participant('ann', 'camera') });
    expect(media.log).toContain('fresh person ann');
    media.events.visible('person ann', false);
    expect(shown()).toEqual([[false, true]]);
  });

  it('list everybody in the people panel, oneself first', async () => {
    const { model } = await meeting(participant('ann', 'microphone'));
    expect(model.state.people).toMatchObject([
      { id: 'me', you: true, muted: false, cameraOff: false },
      { id: 'ann', you: false, muted: false, cameraOff: true },
    ]);
  });
});

describe('what is wanted', () => {
  it('is said after the layout has settled, in device pixels, once', async () => {
    const { browser, model, pass, server } = await meeting(participant('ann', 'camera', 'screen'));
    browser.pixelRatio = 3;
    model.reportTiles([{ key: 'person ann', width: 100, height: 50 }]);
    model.reportTiles([
      { key: 'screen ann', width: 640.4, height: 360 },
      { key: 'person ann', width: 160, height: 90 },
      { key: 'person gone', width: 0, height: 0 },
    ]);
    await pass(200);
    model.reportTiles([]);
    model.reportTiles([
      { key: 'screen ann', width: 640.4, height: 360 },
      { key: 'person ann', width: 160, height: 90 },
    ]);
    await pass(200);
    expect(server.socket.all('set_wanted').map((one) => one.wanted)).toEqual([
      [
        { participant: 'ann', source: 'screen', width: 1281, height: 720 },
        { participant: 'ann', source: 'camera', width: 320, height: 180 },
      ],
    ]);
  });

  it.each([
    ['wide', 640, 90, 640, 360],
    ['tall', 90, 360, 640, 360],
  ])('of a face is as large as it takes to cover a %s tile', async (_, width, height, wantedWidth, wantedHeight) => {
    const { model, pass, server } = await meeting(participant('ann', 'camera'));
    model.reportTiles([{ key: 'person ann', width, height }]);
    await pass(200);
    expect(server.socket.all('set_wanted').at(-1)?.wanted).toEqual([
      { participant: 'ann', source: 'camera', width: wantedWidth, height: wantedHeight },
    ]);
  });

  it('is nothing while the page is hidden', async () => {
    const { browser, model, pass, server } = await meeting(participant('ann', 'camera'));
    model.reportTiles([{ key: 'person ann', width: 100, height: 50 }]);
    await pass(200);
    browser.hidden = true;
    model.visibilityChanged();
    await pass(1_600);
    browser.hidden = false;
    model.visibilityChanged();
    await pass(200);
    expect(server.socket.all('set_wanted').map((one) => one.wanted.length)).toEqual([1, 0, 1]);
  });
});

describe('the connection', () => {
  it('is reconnecting while the server is away, stuck after 20 s, and back for 2 s', async () => {
    const { browser, model, pass, server, view } = await meeting();
    server.routes.delete('POST /tickets');
    server.socket.break();
    expect(model.state.connection).toBe('reconnecting');
    await browser.clock.pass(20_000);
    expect(model.state.connection).toBe('stuck');
    server.on('POST /tickets', 200, { ticket: 't' });
    const before = server.sockets.length;
    model.reconnect();
    await settle();
    expect(server.sockets.length).toBe(before + 1);
    server.socket.open();
    server.socket.say({ type: 'room_snapshot', epoch: 'e', seq: 0, room: view });
    expect(model.state.connection).toBe('back');
    await pass(2_000);
    expect(model.state.connection).toBe('connected');
  });

  it('is restarting when the server said that it will be back', async () => {
    const { browser, model, server } = await meeting();
    server.routes.delete('POST /tickets');
    server.socket.break(1012);
    expect(model.state.connection).toBe('restarting');
    await browser.clock.pass(20_000);
    expect(model.state.connection).toBe('stuck');
  });

  it('is obstructed when media never come through, until they do', async () => {
    const { media, model } = await meeting();
    media.events.obstructed(true);
    expect(model.state.connection).toBe('obstructed');
    media.events.flowing(true);
    media.events.obstructed(false);
    expect(model.state.connection).toBe('back');
  });

  it('is reconnecting when the media stop, but not before they first came', async () => {
    const { media, model, pass } = await meeting();
    media.events.flowing(false);
    expect(model.state.connection).toBe('connected');
    media.events.flowing(true);
    media.events.flowing(false);
    expect(model.state.connection).toBe('reconnecting');
    media.events.flowing(true);
    expect(model.state.connection).toBe('back');
    await pass(2_000);
    expect(model.state.connection).toBe('connected');
  });
});

describe('the own part', () => {
  it('is published as the devices are', async () => {
    const { devices, media, server } = await meeting();
    devices.toggleMicrophone();
    devices.toggleCamera();
    expect(server.socket.all('set_muted').map(({ source, muted }) => [source, muted])).toEqual([
      ['microphone', true],
      ['camera', true],
    ]);
    expect(media.log.at(-1)).toBe('camera off');
  });

  it('remembers its switches for a reload', async () => {
    const { devices, remembered } = await meeting();
    devices.toggleMicrophone();
    expect(remembered.meeting('küche')).toEqual({ room: 'Küche', microphone: false, camera: true });
  });

  it('shares the screen until the browser’s own button ends it', async () => {
    const { capture, model, server } = await meeting();
    model.toggleScreen();
    await settle();
    expect(model.state.screen).toEqual({ on: true, mode: 'text' });
    expect(server.socket.all('publish').at(-1)).toMatchObject({ source: 'screen', muted: false });
    capture.tracks.at(-1)?.end();
    expect(model.state.screen).toEqual({ on: false, mode: 'text' });
    expect(server.socket.all('unpublish')).toMatchObject([{ source: 'screen' }]);
  });

  it('asks for one screen, however often the button is pressed meanwhile', async () => {
    const { capture, model, server } = await meeting();
    const before = capture.tracks.length;
    model.toggleScreen();
    model.toggleScreen();
    await settle();
    expect(model.state.screen).toEqual({ on: true, mode: 'text' });
    expect(capture.tracks.length).toBe(before + 1);
    model.toggleScreen();
    expect(model.state.screen).toEqual({ on: false, mode: 'text' });
    expect(capture.tracks.at(-1)?.readyState).toBe('ended');
    model.toggleScreen();
    await settle();
    expect(model.state.screen).toEqual({ on: true, mode: 'text' });
    expect(server.socket.all('unpublish')).toMatchObject([{ source: 'screen' }]);
  });

  it('shares a screen for reading or for watching', async () => {
    const { capture, media, model } = await meeting();
    model.toggleScreen();
    await settle();
    const screen = capture.tracks.at(-1);
    expect(screen?.contentHint).toBe('');
    model.setScreenMode('motion');
    await settle();
    expect([model.state.screen?.mode, screen?.contentHint, screen?.constraints.frameRate]).toEqual([
      'motion',
      'motion',
      { ideal: 30, max: 30 },
    ]);
    expect(media.log.at(-1)).toBe('wishes {"screenMode":"motion"}');
  });
});

describe('fewer pictures', () => {
  it('are said once and for a while when the line is too thin, and shown in the tile', async () => {
    const { media, model, pass } = await meeting(participant('ann', 'camera'), participant('bob', 'camera'));
    media.thin.add('person ann');
    media.events.visible('person ann', false);
    expect(model.state.tiles.map((tile) => [tile.paused, tile.showVideo])).toEqual([
      [true, false],
      [false, false],
    ]);
    expect(model.state.notice).toBe('thin_line');
    await pass(11_000);
    expect(model.state.notice).toBeUndefined();
    media.thin.add('person bob');
    media.events.visible('person bob', false);
    expect(model.state.notice).toBeUndefined();
  });

  it('are asked for and said when the device is busy', async () => {
    const { media, model, pass, server } = await meeting(participant('ann', 'camera'));
    model.reportTiles([{ key: 'person ann', width: 640, height: 360 }]);
    await pass(200);
    media.events.bears({ layers: 2, fps: 15, scale: 0.5, most: Number.POSITIVE_INFINITY }, true);
    expect(model.state.notice).toBe('busy_size');
    await pass(200);
    expect(server.socket.all('set_wanted').map((one) => one.wanted[0]?.width)).toEqual([640, 320]);
    media.events.bears({ layers: 2, fps: 30, scale: 1, most: Number.POSITIVE_INFINITY }, false);
    await pass(11_000);
    expect(model.state.notice).toBeUndefined();
    expect(server.socket.all('set_wanted').map((one) => one.wanted[0]?.width)).toEqual([640, 320, 640]);
  });
});

describe('a bad connection', () => {
  const lossy = {
    findings: [{ kind: 'loss', line: 'wifi', way: 'down', percent: 8, seconds: 10 }],
  } as const;

  it('is said once it has lasted', async () => {
    const { call, model, pass } = await meeting(participant('ann', 'camera'));
    call.quality.set(lossy);
    await pass(9_000);
    call.quality.set({ findings: [{ kind: 'good' }] });
    await pass(2_000);
    call.quality.set(lossy);
    await pass(9_000);
    expect(model.state.notice).toBeUndefined();
    await pass(2_000);
    call.quality.set({ ...lossy });
    expect(model.state.notice).toBe('bad_line');
    await pass(11_000);
    call.quality.set({ ...lossy });
    expect(model.state.notice).toBeUndefined();
  });

  it('is not blamed for what a busy device does', async () => {
    const { call, model, pass } = await meeting(participant('ann', 'camera'));
    const busy = { findings: [...lossy.findings, { kind: 'busy', seconds: 9 }] } as const;
    call.quality.set(busy);
    await pass(11_000);
    call.quality.set({ ...busy });
    expect(model.state.notice).toBeUndefined();
  });
});

describe('the end', () => {
  it('by one’s own wish gives the seat back and every light goes off', async () => {
    const { capture, log, media, model, remembered, server } = await meeting();
    model.leave();
    expect(log).toEqual(['left']);
    expect(server.socket.types().at(-1)).toBe('leave_room');
    expect(media.log.at(-1)).toBe('close');
    expect(capture.live).toEqual([]);
    expect(remembered.meeting('Küche')).toBeUndefined();
  });

  it('by the server is told with its reason, once', async () => {
    const { log, model, server } = await meeting();
    server.socket.say({ type: 'room_left', reason: 'replaced' });
    model.leave();
    expect(log).toEqual(['replaced']);
  });
});

it('follows a new name and a new access into the address and comes back under them', async () => {
  const { browser, change, model, pass, server } = await meeting();
  model.openShare();
  change({ type: 'room_changed', name: 'Küche 2', access: 'guests', knock: false, owner: true });
  expect(browser.address().pathname).toBe('/r/public/K%C3%BCche%202');
  expect(model.state.share?.state.link).toBe('https://stube.example/r/public/K%C3%BCche%202');
  server.socket.break();
  await pass(500);
  server.socket.open();
  expect(server.socket.all('join_room')[0]?.room).toBe('public/Küche 2');
});

describe('who knocks', () => {
  const BEA = { id: 'k-1', name: 'Bea', guest: true };

  it('is shown until somebody answers', async () => {
    const { change, model, server } = await meeting();
    change({ type: 'knocking_changed', knocking: [BEA] });
    expect(model.state.knocking).toEqual([BEA]);
    model.admit('k-1', true);
    expect(server.socket.all('admit').map(({ knocking, admit }) => [knocking, admit])).toEqual([['k-1', true]]);
    change({ type: 'knocking_changed', knocking: [] });
    expect(model.state.knocking).toEqual([]);
  });

  it.each([
    ['room_full', { code: 'room_full' }],
    // Somebody else was faster.
    ['not_found', undefined],
  ] as const)('an answer that is refused with %s is a problem: %j', async (code, problem) => {
    const { change, model, server } = await meeting();
    change({ type: 'knocking_changed', knocking: [BEA] });
    model.admit('k-1', false);
    server.socket.say({ type: 'error', id: server.socket.all('admit')[0]?.id ?? '', code });
    await settle();
    expect(model.state.knockProblem).toEqual(problem);
  });
});
