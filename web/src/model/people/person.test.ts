import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../tests/clock.ts';
import { PersonPageModel } from './person.ts';
import { Line, person } from './tests/line.ts';

const BELA = person('u-2', 'Béla', { mail: 'bela@house.example' });

let line: Line;
let signedOut: number;

async function page(id = 'u-2'): Promise<PersonPageModel> {
  const model = new PersonPageModel({ ...line.ports(), signedOut: () => signedOut++ }, id);
  await settle();
  return model;
}

beforeEach(async () => {
  signedOut = 0;
  line = await new Line().open();
  line.server.on('GET /people/u-2', 200, BELA);
});

describe('the page of a person', () => {
  it('shows who they are and watches them alone, for as long as it stands', async () => {
    const model = await page();
    expect(model.state).toMatchObject({ unknown: false, you: false, person: { name: 'Béla', favourite: false } });
    await line.browser.clock.pass(200);
    model.close();
    await settle();
    expect(line.server.socket.all('watch_people').map(({ people }) => people)).toEqual([['u-2'], []]);
  });

  it('of nobody says that there is nobody', async () => {
    line.server.on('GET /people/u-9', 404, { code: 'not_found' });
    const { state } = await page('u-9');
    expect(state.unknown).toBe(true);
    expect(state.person).toBeUndefined();
  });

  it('knows its reader', async () => {
    line.server.on('GET /people/u-1', 200, person('u-1', 'Anna'));
    expect((await page('u-1')).state.you).toBe(true);
  });

  it('that cannot be read offers another try, and goes to the sign-in where the session is over', async () => {
    line.server.on('GET /people/u-2', 503, { code: 'unavailable' });
    const model = await page();
    expect(model.state).toMatchObject({ unknown: false, problem: { code: 'unavailable' } });
    line.server.on('GET /people/u-2', 200, BELA);
    model.retry();
    await settle();
    expect(model.state.person?.name).toBe('Béla');
    expect(model.state.problem).toBeUndefined();
    line.server.on('PUT /people/u-2/favourite', 401, { code: 'sign_in_required' });
    model.setFavourite(true);
    await settle();
    expect(signedOut).toBe(1);
  });

  it('makes them a favourite and takes that back, and follows what another device makes of it', async () => {
    const model = await page();
    line.server.on('PUT /people/u-2/favourite', 200, {});
    line.server.on('GET /people/u-2', 200, { ...BELA, favourite: true });
    model.setFavourite(true);
    await settle();
    expect(model.state.person?.favourite).toBe(true);
    line.server.on('GET /people/u-2', 200, BELA);
    line.say({ type: 'favourites_changed' });
    await settle();
    expect(model.state.person?.favourite).toBe(false);
    expect(line.server.requests.map(({ route }) => route)).toContain('PUT /people/u-2/favourite');
  });
});

describe('a call from a list', () => {
  it('is with the camera on at first, then as it was the last time, and says nothing more of them', () => {
    const callee = { id: 'u-2', name: 'Béla', path: '/people/u-2', favourite: true };
    expect(line.caller.video).toBe(true);
    line.caller.call(callee, false);
    line.caller.call(callee);
    expect(line.called).toEqual([
      { person: { id: 'u-2', name: 'Béla' }, video: false },
      { person: { id: 'u-2', name: 'Béla' }, video: false },
    ]);
    line.caller.call(callee, true);
    expect(line.caller.video).toBe(true);
  });
});
