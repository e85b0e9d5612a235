import { describe, expect, it } from 'vitest';
import { settle } from '../../tests/clock.ts';
import type { MeetingCallsScreen } from './screens.ts';
import { outgoing, Scene, somebody } from './tests/scene.ts';

async function talking(): Promise<{ scene: Scene; calls: MeetingCallsScreen }> {
  const scene = await new Scene().start();
  await scene.ring();
  await scene.ends('k-1', 'answered');
  await scene.room(somebody('p-ben', 'Ben', 40));
  const { calls } = scene.page('meeting').screen;
  if (!calls) throw new Error('accounts can ring people in');
  return { scene, calls };
}

const CEM = outgoing({ id: 'k-2', person: { id: 'u-cem', name: 'Cem' } });

describe('ringing more people in', () => {
  it('finds people, watches whether they are there, and rings whom one chooses', async () => {
    const { scene, calls } = await talking();
    calls.openPicker();
    await settle();
    const picker = calls.state.picker;
    expect(picker?.state.people).toMatchObject([{ id: 'u-ben', username: 'ben' }]);
    expect(scene.socket.all('watch_people').at(-1)?.people).toEqual(['u-ben']);
    await scene.change({ type: 'availability_changed', people: [{ person: 'u-ben', availability: 'in_call' }] });
    const [ben] = picker?.state.people ?? [];
    expect(ben?.availability).toBe('in_call');
    if (ben) picker?.choose(ben);
    await settle();
    expect(calls.state.picker).toBe(undefined);
    expect(scene.socket.all('ring_in')).toMatchObject([{ person: 'u-ben' }]);
    expect(scene.socket.all('watch_people').at(-1)?.people).toEqual([]);
  });

  it('shows who is rung until they come, and stops ringing them', async () => {
    const { scene, calls } = await talking();
    await scene.rings(CEM);
    expect(calls.state.rung).toMatchObject([{ call: 'k-2', person: { name: 'Cem' }, ringing: true }]);
    calls.cancel('k-2');
    expect(scene.socket.all('cancel_call').map((one) => one.call)).toEqual(['k-2']);
    await scene.ends('k-2', 'cancelled');
    expect(calls.state).toEqual({ rung: [], since: 40 });
  });

  it('says for some seconds what came of it', async () => {
    const { scene, calls } = await talking();
    await scene.rings(CEM);
    await scene.ends('k-2', 'declined');
    expect(calls.state.note).toEqual({ name: 'Cem', outcome: 'declined' });
    scene.browser.clock.sleep(6_000);
    await scene.browser.clock.pass(1);
    expect(calls.state.note).toBe(undefined);
  });

  it('is refused in words', async () => {
    const { scene, calls } = await talking();
    calls.openPicker();
    await settle();
    calls.state.picker?.choose({ id: 'u-x', name: 'X', username: 'x' });
    await settle();
    await scene.answer('ring_in', { code: 'cannot_be_called' });
    expect(calls.state.problem).toEqual({ code: 'cannot_be_called' });
  });
});

it('counts from when two were there, whoever comes later', async () => {
  const { scene, calls } = await talking();
  await scene.room(somebody('p-ben', 'Ben', 40), somebody('p-cem', 'Cem', 90));
  expect(calls.state.since).toBe(40);
});
