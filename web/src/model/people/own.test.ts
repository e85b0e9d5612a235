import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../tests/clock.ts';
import type { OwnView } from '../screens.ts';
import { Own } from './own.ts';
import { Line } from './tests/line.ts';

let line: Line;
let told: (OwnView | undefined)[];
let own: Own;

beforeEach(async () => {
  line = await new Line().open({ missed: 2, status: 'away' });
  told = [];
  own = new Own(line.browser, (next) => told.push(next));
});

describe('what is one’s own', () => {
  it('is told when it is another', () => {
    own.follow(line.client);
    line.say({ type: 'favourites_changed' });
    line.say({ type: 'status_changed', status: 'available' });
    line.say({ type: 'missed_changed', missed: 0 });
    expect(told).toEqual([
      { missed: 2, status: 'away' },
      { missed: 2, status: 'available' },
      { missed: 0, status: 'available' },
    ]);
  });

  it('goes with the connection', () => {
    own.follow(line.client);
    own.follow(undefined);
    line.say({ type: 'missed_changed', missed: 7 });
    expect(told.at(-1)).toBeUndefined();
  });

  it('is changed by asking the server, which may refuse', async () => {
    own.setStatus('do_not_disturb');
    own.follow(line.client);
    own.setStatus('do_not_disturb');
    const [asked] = line.server.socket.all('set_status');
    expect(asked?.status).toBe('do_not_disturb');
    line.server.socket.say({ type: 'error', id: asked?.id ?? '', code: 'unavailable' });
    await settle();
    expect(told).toEqual([{ missed: 2, status: 'away' }]);
  });

  it('watches nobody from a page that is hidden from the start', async () => {
    line.browser.hidden = true;
    own.follow(line.client);
    line.client.people.watch(['u-2']);
    await settle();
    expect(line.server.socket.all('watch_people')).toEqual([]);
  });
});
