import { expect, it } from 'vitest';
import { homeOf } from '../tests/fakes.ts';
import { Rings } from './rings.ts';
import { BEN, incoming, outgoing } from './tests/scene.ts';

it('shows the longest ringing call that was not put away, and nothing while the connection is down', () => {
  const rings = new Rings();
  rings.follow(homeOf({ calls: [outgoing({ id: 'k-0' }), incoming(), incoming({ id: 'k-2' })] }));
  expect(rings.incoming?.id).toBe('k-1');
  rings.putAway('k-1');
  expect(rings.incoming?.id).toBe('k-2');
  rings.lost();
  expect(rings.incoming).toBe(undefined);
  rings.follow(homeOf({ calls: [incoming()] }));
  expect(rings.incoming).toBe(undefined);
});

it('knows how a call ended, whoever asks first, and who called last', () => {
  const rings = new Rings();
  expect(rings.endOf('k-1')).toBe(undefined);
  rings.follow(homeOf({ calls: [incoming()] }));
  rings.changed({ type: 'call_ended', call: 'k-1', end: 'answered' });
  rings.follow(homeOf());
  expect(rings.endOf('k-1')).toBe('answered');
  expect(rings.lastFrom(BEN.id)?.room).toBe('r-9');
  expect(rings.lastFrom('u-other')).toBe(undefined);
});

it('remembers the latest ends only', () => {
  const rings = new Rings();
  for (let i = 0; i < 30; i++) rings.changed({ type: 'call_ended', call: `k-${i}`, end: 'busy' });
  expect(rings.endOf('k-0')).toBe(undefined);
  expect(rings.endOf('k-29')).toBe('busy');
});

it('tells who is rung into which room', () => {
  const rings = new Rings();
  rings.follow(homeOf({ calls: [outgoing(), outgoing({ id: 'k-2', room: 'r-8' }), incoming({ id: 'k-3' })] }));
  expect(rings.outgoing('r-9').map((call) => call.id)).toEqual(['k-1']);
  expect(rings.incomingTo('r-9')?.id).toBe('k-3');
});
