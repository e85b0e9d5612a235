import { describe, expect, it } from 'vitest';
import { settle } from '../../tests/clock.ts';
import { BEN, incoming, outgoing, Scene, somebody } from './tests/scene.ts';

describe('calling somebody', () => {
  it('puts the caller into the room of the call at once, with the ring-back tone until somebody is there', async () => {
    const scene = await new Scene('/people/u-ben').start();
    scene.calls.call(BEN, true);
    await settle();
    const { screen } = scene.page('call');
    expect(screen.state).toMatchObject({ phase: 'asking', person: BEN, video: true });
    expect(scene.socket.all('start_call')).toMatchObject([{ person: 'u-ben', video: true }]);
    expect(scene.capture.asked).toEqual(['microphone+camera']);
    expect(scene.media.length).toBe(1);
    await scene.answer('start_call', outgoing({ ringing: false }));
    expect(screen.state.phase).toBe('searching');
    expect(scene.path).toBe('/call/r-9');
    expect(scene.socket.all('join_call')).toMatchObject([{ room: 'r-9' }]);
    await scene.rings(outgoing());
    await scene.room();
    expect(screen.state.phase).toBe('ringing');
    expect(scene.tones.sounding).toEqual(['ring back']);
    await scene.ends('k-1', 'answered');
    expect(screen.state.phase).toBe('connecting');
    expect(scene.tones.sounding).toEqual([]);
    await scene.room(somebody('p-ben', 'Ben', 7));
    expect(scene.page('meeting').screen.state.roomName).toBe('Ben');
    expect(scene.media.length).toBe(1);
  });

  it.each(['declined', 'busy', 'no_answer', 'not_reachable', 'do_not_disturb'] as const)(
    'says why it ended as %s, closes the devices, and can be tried again',
    async (end) => {
      const scene = await new Scene().start();
      await scene.ring(false);
      await scene.ends('k-1', end);
      const { screen } = scene.page('call');
      expect(screen.state).toMatchObject({ phase: 'ended', outcome: end, person: BEN });
      expect(scene.tones).toMatchObject({ sounding: [], once: ['over'] });
      expect(scene.capture.live).toEqual([]);
      expect(scene.media[0]?.log.at(-1)).toBe('close');
      expect(scene.socket.all('leave_room').length).toBe(1);
      screen.again();
      await settle();
      expect(scene.socket.all('start_call').length).toBe(2);
      expect(scene.page('call').screen).not.toBe(screen);
    },
  );

  it('says why even if the room ended before that was told', async () => {
    const scene = await new Scene().start();
    await scene.ring();
    scene.socket.say({ type: 'room_left', reason: 'call_ended' });
    expect(scene.tones.sounding).toEqual([]);
    await scene.ends('k-1', 'busy');
    expect(scene.page('call').screen.state).toMatchObject({ phase: 'ended', outcome: 'busy' });
  });

  it('says that it is over if nobody ever says why', async () => {
    const scene = await new Scene().start();
    await scene.ring();
    scene.socket.say({ type: 'room_left', reason: 'call_ended' });
    await scene.browser.clock.pass(1_000);
    expect(scene.page('call').screen.state).toMatchObject({ phase: 'ended', outcome: 'over' });
  });

  it('knows the end that was told before the answer', async () => {
    const scene = await new Scene().start();
    scene.calls.call(BEN, true);
    await settle();
    await scene.ends('k-1', 'not_reachable');
    await scene.answer('start_call', outgoing());
    expect(scene.page('call').screen.state).toMatchObject({ phase: 'ended', outcome: 'not_reachable' });
  });

  it('is refused in words, without a page that pretends', async () => {
    const scene = await new Scene('/people/u-ben').start();
    scene.calls.call(BEN, true);
    await settle();
    await scene.answer('start_call', { code: 'cannot_be_called' });
    const { screen } = scene.page('call');
    expect(screen.state).toMatchObject({ phase: 'ended', problem: { code: 'cannot_be_called' } });
    expect(scene.capture.live).toEqual([]);
    expect(scene.path).toBe('/people/u-ben');
  });

  it('stops ringing when one hangs up, and leads to whom one called', async () => {
    const scene = await new Scene().start();
    await scene.ring();
    scene.page('call').screen.hangUp();
    expect(scene.socket.all('cancel_call').map((one) => one.call)).toEqual(['k-1']);
    expect(scene.socket.all('leave_room').length).toBe(1);
    expect(scene.path).toBe('/people/u-ben');
    expect(scene.tones.sounding).toEqual([]);
    expect(scene.capture.live).toEqual([]);
  });

  it('stops ringing when one goes elsewhere, and when one hung up before the server answered', async () => {
    const scene = await new Scene().start();
    await scene.ring();
    scene.app.navigate('/');
    expect(scene.socket.all('cancel_call').length).toBe(1);
    scene.calls.call(BEN, true);
    await settle();
    scene.page('call').screen.hangUp();
    expect(scene.socket.all('cancel_call').length).toBe(1);
    await scene.answer('start_call', outgoing({ id: 'k-2' }));
    expect(scene.socket.all('cancel_call').map((one) => one.call)).toEqual(['k-1', 'k-2']);
    expect(scene.socket.all('join_call').length).toBe(1);
  });

  it('who calls back at the same moment is simply there: no dialog, no second call', async () => {
    const scene = await new Scene().start();
    scene.calls.call(BEN, true);
    await settle();
    await scene.rings(incoming({ id: 'k-7', room: 'r-9' }));
    expect(scene.calls.state.incoming).toBe(undefined);
    await scene.ends('k-7', 'answered');
    await scene.answer('start_call', 'ok');
    expect(scene.socket.all('join_call').map((one) => one.room)).toEqual(['r-9']);
    await scene.room(somebody('p-ben', 'Ben'));
    scene.page('meeting');
  });
});

it('who calls back somebody who rings them into a room with a name enters that room', async () => {
  const scene = await new Scene().start();
  scene.calls.call(BEN, false);
  await settle();
  await scene.rings(incoming({ id: 'k-7', room: 'r-9', into: 'public/Garten' }));
  await scene.ends('k-7', 'answered');
  await scene.answer('start_call', 'ok');
  expect(scene.socket.all('join_call')).toEqual([]);
  expect(scene.socket.all('join_room').map((one) => one.room)).toEqual(['public/Garten']);
});

it('says that the connection is lost, in silence, and rings on when it is back', async () => {
  const scene = await new Scene().start();
  await scene.ring();
  scene.socket.break();
  const { screen } = scene.page('call');
  expect(screen.state).toMatchObject({ phase: 'ringing', lost: true });
  expect(scene.tones.sounding).toEqual([]);
  await scene.browser.clock.pass(1_000);
  await scene.connect(outgoing());
  expect(screen.state.lost).toBe(undefined);
  expect(scene.tones.sounding).toEqual(['ring back']);
  expect(scene.socket.all('join_call').length).toBe(1);
});

describe('the address of a call', () => {
  it('comes back to the same seat after a reload while it rings, with the same switches', async () => {
    const before = await new Scene().start();
    await before.ring(true);
    const after = await new Scene('/call/r-9', before.browser.session as never).start(outgoing());
    expect(after.socket.all('join_call')[0]).toEqual({ ...before.socket.all('join_call')[0], id: expect.anything() });
    await after.room();
    expect(after.page('call').screen.state).toMatchObject({ phase: 'ringing', person: BEN });
    expect(after.capture.asked).toEqual(['microphone+camera']);
  });

  it('comes back to the talk after a reload, and out of it to the same person', async () => {
    const before = await new Scene().start();
    await before.ring();
    await before.room(somebody('p-ben', 'Ben'));
    const after = await new Scene('/call/r-9', before.browser.session as never).start();
    await after.room(somebody('p-ben', 'Ben'));
    after.page('meeting').screen.leave();
    expect(after.path).toBe('/people/u-ben');
  });

  it.each(['call_over', 'cannot_be_called'] as const)('of a call that is no more says so (%s)', async (code) => {
    const scene = await new Scene('/call/r-9').start();
    await scene.answer('join_call', { code });
    expect(scene.page('call').screen.state.phase).toBe('ended');
    scene.page('call').screen.back();
    expect(scene.path).toBe('/');
  });

  it('rings over the home page when it is opened while somebody rings', async () => {
    const scene = await new Scene('/call/r-9').start(incoming());
    expect(scene.path).toBe('/');
    expect(scene.calls.state.incoming?.id).toBe('k-1');
    expect(scene.socket.all('join_call')).toEqual([]);
  });

  it('answers at once when a notification was accepted', async () => {
    const scene = new Scene('/call/r-9#accept');
    scene.notices.opened = 'k-1';
    await scene.start(incoming({ video: false }));
    expect(scene.calls.state.incoming).toBe(undefined);
    expect(scene.capture.asked).toEqual(['microphone']);
    await scene.answer('accept_call', 'ok');
    expect(scene.socket.all('join_call').length).toBe(1);
    expect(scene.path).toBe('/call/r-9');
  });

  it('accepts nothing by itself: whoever calls knows it and can send it', async () => {
    const scene = new Scene('/call/r-9#accept');
    scene.notices.opened = 'k-of-before';
    await scene.start(incoming());
    expect(scene.calls.state.incoming?.id).toBe('k-1');
    expect(scene.path).toBe('/');
    expect(scene.socket.all('accept_call')).toEqual([]);
    expect(scene.capture.asked).toEqual([]);
  });

  it('leads back into a call that this tab was not in without microphone and camera', async () => {
    const scene = await new Scene('/call/r-9').start();
    expect(scene.socket.all('join_call').length).toBe(1);
    expect(scene.capture.asked).toEqual([]);
  });

  it('is for people with an account', async () => {
    const scene = new Scene('/call/r-9');
    scene.signOut();
    scene.app.start();
    await settle();
    expect(scene.path).toBe('/sign-in?to=%2Fcall%2Fr-9');
  });
});

describe('after the talk', () => {
  it.each([
    ['one hangs up oneself', 'self'],
    ['the other hangs up', 'other'],
  ] as const)('when %s, both stand before whom they talked with', async (_, who) => {
    const scene = await new Scene().start(incoming());
    scene.calls.accept(true);
    await settle();
    await scene.answer('accept_call', 'ok');
    await scene.room(somebody('p-ben', 'Ben'));
    if (who === 'self') scene.page('meeting').screen.leave();
    else scene.socket.say({ type: 'room_left', reason: 'call_ended' });
    expect(scene.path).toBe('/people/u-ben');
    expect(scene.capture.live).toEqual([]);
  });

  it('out of a group one comes home', async () => {
    const scene = await new Scene().start();
    await scene.ring();
    await scene.room(somebody('p-ben', 'Ben'), somebody('p-cem', 'Cem'));
    expect(scene.page('meeting').screen.state.roomName).toBe('Ben, Cem');
    scene.page('meeting').screen.leave();
    expect(scene.path).toBe('/');
  });
});
