import { describe, expect, it } from 'vitest';
import { settle } from '../../tests/clock.ts';
import { BEN, incoming, Scene, somebody } from './tests/scene.ts';

const WORDS = { title: 'Ben is calling', text: 'Video call', accept: 'Accept', decline: 'Decline' };

describe('a call that comes in', () => {
  it('is shown on any page, sounds, and opens no device', async () => {
    const scene = await new Scene('/nowhere').start();
    await scene.rings(incoming());
    expect(scene.calls.state.incoming).toMatchObject({ id: 'k-1', person: BEN, video: true, canVideo: true });
    expect(scene.tones.sounding).toEqual(['ring']);
    expect(scene.capture.asked).toEqual([]);
    scene.page('not_found');
  });

  it.each(['cancelled', 'no_answer', 'answered_elsewhere', 'declined', 'ignored'] as const)(
    'is gone and silent when it ends as %s',
    async (end) => {
      const scene = await new Scene().start(incoming());
      expect(scene.tones.sounding).toEqual(['ring']);
      await scene.ends('k-1', end);
      expect(scene.calls.state.incoming).toBe(undefined);
      expect(scene.tones.sounding).toEqual([]);
      scene.page('home');
    },
  );

  it.each([
    ['decline', 'decline_call'],
    ['ignore', 'ignore_call'],
  ] as const)(
    'can be put away with %s, and stays away even while the server still tells of it',
    async (how, intent) => {
      const scene = await new Scene().start(incoming());
      scene.calls[how]();
      expect(scene.socket.all(intent).map((one) => one.call)).toEqual(['k-1']);
      expect(scene.calls.state.incoming).toBe(undefined);
      await scene.rings(incoming());
      expect(scene.calls.state.incoming).toBe(undefined);
      expect(scene.tones.sounding).toEqual([]);
      scene.calls.accept(true);
      expect(scene.socket.all('accept_call')).toEqual([]);
    },
  );

  it('rings on after a reload, and not while the connection is down', async () => {
    const scene = await new Scene().start(incoming());
    scene.socket.break();
    expect(scene.calls.state.incoming).toBe(undefined);
    expect(scene.tones.sounding).toEqual([]);
    await scene.browser.clock.pass(1_000);
    await scene.connect(incoming());
    expect(scene.calls.state.incoming?.id).toBe('k-1');
  });

  it('is gone with the session', async () => {
    const scene = await new Scene().start(incoming());
    scene.signOut();
    scene.socket.break();
    await scene.browser.clock.pass(1_000);
    expect(scene.calls.state.incoming).toBe(undefined);
    expect(scene.tones.sounding).toEqual([]);
  });

  it('says so where there are no cameras, and is accepted without', async () => {
    const scene = new Scene();
    scene.capture.obstacle = 'insecure';
    await scene.start(incoming());
    expect(scene.calls.state.incoming).toMatchObject({ video: true, canVideo: false });
  });
});

describe('accepting', () => {
  it('opens the devices as one wishes, tells the server, and then goes in', async () => {
    const scene = await new Scene().start(incoming());
    scene.calls.accept(false);
    await settle();
    expect(scene.page('call').screen.state).toMatchObject({ phase: 'connecting', person: BEN });
    expect(scene.capture.asked).toEqual(['microphone']);
    expect(scene.socket.all('join_call')).toEqual([]);
    await scene.answer('accept_call', 'ok');
    expect(scene.socket.all('join_call').map((one) => one.room)).toEqual(['r-9']);
    expect(scene.path).toBe('/call/r-9');
    await scene.room(somebody('p-ben', 'Ben', 5));
    const { screen } = scene.page('meeting');
    expect(screen.state).toMatchObject({ roomName: 'Ben', call: true });
    expect(screen.calls?.state.since).toBe(5);
    expect(scene.path).toBe('/call/r-9');
    expect(scene.tones.sounding).toEqual([]);
  });

  it('leads to words and back when it was too late', async () => {
    const scene = await new Scene().start(incoming());
    scene.calls.accept(true);
    await settle();
    await scene.answer('accept_call', { code: 'call_over' });
    const { screen } = scene.page('call');
    expect(screen.state).toMatchObject({ phase: 'ended', outcome: 'over' });
    expect(scene.capture.live).toEqual([]);
    screen.back();
    expect(scene.path).toBe('/people/u-ben');
  });

  it('of a call into a room with a name leads to that room', async () => {
    const scene = await new Scene().start(incoming({ into: 'public/Küche' }));
    expect(scene.calls.state.incoming?.room).toBe('Küche');
    scene.calls.accept(true);
    await settle();
    await scene.answer('accept_call', 'ok');
    expect(scene.socket.all('join_room').map((one) => one.room)).toEqual(['public/Küche']);
  });
});

describe('of all tabs', () => {
  it('only the one that leads makes a noise, and the one that is touched takes the lead', async () => {
    const scene = new Scene();
    scene.browser.setLeads(false);
    await scene.start(incoming());
    expect(scene.calls.state).toMatchObject({ leads: false, incoming: { id: 'k-1' } });
    expect(scene.tones.sounding).toEqual([]);
    scene.browser.touch();
    expect(scene.calls.state.leads).toBe(true);
    expect(scene.tones.sounding).toEqual(['ring']);
    scene.browser.setLeads(false);
    expect(scene.tones.sounding).toEqual([]);
  });
});

describe('a notification', () => {
  it('is asked for by the switch only, and shown by the tab that leads while nobody looks', async () => {
    const scene = await new Scene().start();
    const { notify } = scene.calls;
    expect(notify.state).toEqual({ on: false, permission: 'open' });
    scene.browser.setHidden(true);
    await scene.rings(incoming());
    expect(scene.calls.state.notifies).toBe(false);
    expect(scene.notices.asked).toBe(0);
    notify.setOn(true);
    await settle();
    expect(notify.state.on).toBe(true);
    scene.browser.setHidden(false);
    expect(scene.calls.state.notifies).toBe(false);
    scene.browser.setHidden(true);
    expect(scene.calls.state.notifies).toBe(true);
    scene.browser.setLeads(false);
    expect(scene.calls.state.notifies).toBe(false);
  });

  it('stays off when the person says no, and says that only the browser can change it', async () => {
    const scene = await new Scene().start();
    scene.notices.answer = 'denied';
    scene.calls.notify.setOn(true);
    await settle();
    expect(scene.calls.notify.state).toEqual({ on: false, permission: 'blocked' });
  });

  it.each([
    ['decline', 'decline_call'],
    ['accept', 'accept_call'],
  ] as const)('answers with its button %s, once', async (action, intent) => {
    const scene = await new Scene().start(incoming());
    scene.calls.showNotice(WORDS);
    expect(scene.notices.shown).toMatchObject([
      { tag: 'call-k-1', title: 'Ben is calling', call: { id: 'k-1', room: 'r-9' } },
    ]);
    scene.notices.act('k-0', action);
    expect(scene.socket.all(intent)).toEqual([]);
    scene.notices.act('k-1', action);
    scene.notices.act('k-1', action);
    await settle();
    expect(scene.socket.all(intent).map((one) => one.call)).toEqual(['k-1']);
    expect(scene.calls.state.incoming).toBe(undefined);
  });

  it('of a call that is over does nothing any more', async () => {
    const scene = await new Scene().start(incoming());
    const close = scene.calls.showNotice(WORDS);
    await scene.ends('k-1', 'cancelled');
    scene.notices.act('k-1', 'accept');
    await settle();
    expect(scene.socket.all('accept_call')).toEqual([]);
    close();
    expect(scene.notices.shown).toEqual([]);
  });
});

describe('this window', () => {
  it('counts as used while it is seen and was touched within five minutes', async () => {
    const scene = await new Scene().start();
    const said = (): boolean[] =>
      scene.server.sockets.flatMap((socket) => socket.all('set_active')).map((one) => one.active);
    expect(said()).toEqual([]);
    scene.browser.setHidden(true);
    scene.browser.setHidden(false);
    expect(said()).toEqual([false, true]);
    scene.browser.clock.sleep(5 * 60_000);
    await scene.browser.clock.pass(1);
    expect(said()).toEqual([false, true, false]);
    scene.browser.touch();
    expect(said()).toEqual([false, true, false, true]);
  });
});
