import { describe, expect, it } from 'vitest';
import { settle } from '../tests/clock.ts';
import { HomeModel } from './home.ts';
import { FakeBrowser, FakeServer, homeOf, homeRoom } from './tests/fakes.ts';

const KITCHEN = homeRoom({ id: '1', name: 'Küche', owner: true, visited_at: 20 });
const GARDEN = homeRoom({ id: '2', name: 'Garten', access: 'guests', visited_at: 30 });
const CELLAR = homeRoom({ id: '3', name: 'Keller', owner: true, people: 2, visited_at: 10 });

async function home(guests = true) {
  const browser = new FakeBrowser('/');
  const server = new FakeServer();
  server.on('POST /tickets', 200, { ticket: 't' });
  const client = server.client(browser.clock);
  client.start();
  await settle();
  server.socket.open();
  const paths: string[] = [];
  const model = new HomeModel({
    browser,
    client,
    http: server.http,
    guests,
    caller: { video: true, call: () => {} },
    you: 'u-1',
    navigate: (path) => paths.push(path),
  });
  return { model, paths, server, socket: server.socket };
}

describe('the rooms', () => {
  it('stand with lit lamps first, then the last visited, and follow what happens', async () => {
    const { model, socket } = await home();
    expect(model.state.loaded).toBe(false);
    socket.say({ type: 'home_snapshot', epoch: 'h', seq: 0, home: homeOf({ rooms: [KITCHEN, GARDEN, CELLAR] }) });
    expect(model.state.rooms.map((room) => room.name)).toEqual(['Keller', 'Garten', 'Küche']);
    expect(model.state.rooms[1]).toMatchObject({ path: '/r/public/Garten', people: 0, visitedAt: 30 });
    socket.say({ type: 'home_delta', seq: 1, change: { type: 'room_changed', room: { ...KITCHEN, people: 1 } } });
    expect(model.state.rooms[0]).toMatchObject({ name: 'Küche', people: 1 });
    socket.break();
    expect(model.state.live).toBe(false);
  });
});

describe('the dialog for a new call', () => {
  it.each([
    ['', false],
    ['   ', false],
    ['public/', false],
    ['..', false],
    ['Team Süd', true],
    ['public/Team', true],
  ])('with %j can be entered: %s', async (text, canEnter) => {
    const { model } = await home();
    model.openNewCall();
    model.setRoomText(text);
    expect(model.state.newCall?.canEnter).toBe(canEnter);
  });

  it('shows public/ before the name when guests are allowed, and takes it for the switch when typed', async () => {
    const { model } = await home();
    model.openNewCall();
    model.setRoomText('Garten');
    model.setAllowGuests(true);
    expect(model.state.newCall).toMatchObject({ text: 'public/Garten', allowGuests: true });
    model.setAllowGuests(false);
    expect(model.state.newCall).toMatchObject({ text: 'Garten', allowGuests: false });
    model.setRoomText('public/Gar');
    expect(model.state.newCall?.allowGuests).toBe(true);
    model.setRoomText('ublic/Gar');
    expect(model.state.newCall?.allowGuests).toBe(false);
  });

  it('has no switch in a house without guests', async () => {
    const { model } = await home(false);
    model.openNewCall();
    expect(model.state.newCall && 'allowGuests' in model.state.newCall).toBe(false);
  });

  it('offers a name that is hard to guess, the same one for as long as the name is the same', async () => {
    const { model } = await home();
    model.openNewCall();
    model.setRoomText('Garten');
    expect(model.state.newCall?.offeredName).toBeUndefined();
    model.setAllowGuests(true);
    const offered = model.state.newCall?.offeredName ?? '';
    expect(offered).toMatch(/^Garten [a-z-]{20,}$/);
    model.setRoomText('public/Garten ');
    expect(model.state.newCall?.offeredName).toBe(offered);
    model.useOfferedName();
    expect(model.state.newCall).toMatchObject({ text: `public/${offered}`, canEnter: true });
    expect(model.state.newCall?.offeredName).toBeUndefined();
  });

  it.each<[string, number, object, string]>([
    ['makes the room', 201, { name: 'Garten', access: 'guests', exists: true, owner: true }, '/r/public/Garten'],
    [
      'takes the room that is there',
      200,
      { name: 'garten', access: 'accounts', exists: true, owner: false },
      '/r/garten',
    ],
    ['leaves what went wrong to the door', 503, { code: 'unavailable' }, '/r/public/Garten'],
  ])('%s and goes to its door', async (_, status, answer, path) => {
    const { model, paths, server } = await home();
    server.on('POST /rooms', status, answer);
    model.openNewCall();
    model.setRoomText('public/Garten');
    model.enterRoom();
    expect(model.state.newCall).toBeUndefined();
    await settle();
    expect(server.requests.at(-1)?.body).toEqual({ name: 'public/Garten' });
    expect(paths).toEqual([path]);
  });

  it('finds rooms by a part of their name', async () => {
    const { model, socket } = await home();
    socket.say({ type: 'home_snapshot', epoch: 'h', seq: 0, home: homeOf({ rooms: [KITCHEN, GARDEN, CELLAR] }) });
    model.openNewCall();
    model.setRoomText('KÜ');
    expect(model.state.newCall?.matches.map((room) => room.name)).toEqual(['Küche']);
  });
});
