import { describe, expect, it } from 'vitest';
import { settle } from '../../tests/clock.ts';
import type { RoomDoor } from '../screens.ts';
import { FakeBrowser, FakeServer } from '../tests/fakes.ts';
import { MyRoomsModel } from './my_rooms.ts';

function room(id: string, fields: Partial<RoomDoor> = {}): RoomDoor {
  const plain = { kind: 'named', knock: false, owner: false, pinned: false, people: 0 } as const;
  return { id, name: id.toUpperCase(), path: `/r/${id}`, access: 'accounts', ...plain, ...fields };
}

function person(id: string) {
  return { id, name: id.toUpperCase(), username: id, favourite: false };
}

function scene(...rooms: RoomDoor[]) {
  const browser = new FakeBrowser('/');
  const server = new FakeServer();
  const paths: string[] = [];
  const navigate = (path: string) => paths.push(path);
  const mine = new MyRoomsModel({ browser, http: server.http, guests: true, navigate });
  mine.follow(rooms);
  return { browser, mine, paths, server };
}

async function sheetOf(one: RoomDoor) {
  const made = scene(one);
  made.server.on('GET /rooms/members', 200, { members: [person('bea')] });
  made.mine.openSheet(one);
  await import('./room_sheet.ts');
  await settle();
  const sheet = made.mine.state.sheet;
  if (!sheet) throw new Error('no sheet');
  await settle();
  return { ...made, sheet };
}

describe("rooms of one's own", () => {
  it('stand pinned first, then own ones, then where one was', () => {
    const { mine } = scene(
      room('visited'),
      room('own', { owner: true }),
      room('pinned', { pinned: true, owner: true }),
      room('personal', { owner: true, kind: 'personal' }),
    );
    expect(mine.state.groups.map(({ kind, rooms }) => [kind, rooms.map(({ id }) => id)])).toEqual([
      ['pinned', ['pinned']],
      ['own', ['own', 'personal']],
      ['recent', ['visited']],
    ]);
    expect(mine.state.offerPersonal).toBe(false);
  });

  it('offer a personal room to whoever has none, however many others have', () => {
    expect(scene(room('others', { kind: 'personal' })).mine.state.offerPersonal).toBe(true);
  });

  it('make the personal room and go to its door', async () => {
    const { mine, paths, server } = scene();
    server.on('POST /rooms/personal', 200, { name: 'Anna 2', access: 'accounts' });
    mine.makePersonal();
    await settle();
    expect(paths).toEqual(['/r/Anna%202']);
  });

  it('are pinned and unpinned by name, and say what went wrong', async () => {
    const { mine, server } = scene();
    server.on('PUT /rooms/pin', 204, {});
    mine.setPinned(room('a'), true);
    await settle();
    expect(server.requests.at(-1)).toMatchObject({ route: 'PUT /rooms/pin', body: { room: 'A' } });
    server.on('DELETE /rooms/pin', 404, { code: 'not_found' });
    mine.setPinned(room('a'), false);
    await settle();
    expect(mine.state.problem).toEqual({ code: 'not_found' });
  });
});

describe('the sheet of a room', () => {
  it('has its members, and takes and removes some', async () => {
    const { browser, server, sheet } = await sheetOf(room('a', { owner: true }));
    expect(sheet.state.members?.map(({ id }) => id)).toEqual(['bea']);
    server.on('GET /people', 200, { people: [person('bea'), person('carl')], more: false, type_more: false });
    sheet.setText('c');
    await browser.clock.pass(200);
    await settle();
    expect(sheet.state.found.map(({ id }) => id)).toEqual(['carl']);
    server.on('PUT /rooms/members', 200, { members: [person('bea'), person('carl')] });
    const [carl] = sheet.state.found;
    if (carl) sheet.add(carl);
    await settle();
    expect(server.requests.at(-1)?.body).toEqual({ room: 'A', person: 'carl' });
    expect(sheet.state).toMatchObject({ text: '', found: [], busy: false });
    server.on('DELETE /rooms/members', 204, {});
    sheet.removeMember('bea');
    await settle();
    expect(sheet.state.members?.map(({ id }) => id)).toEqual(['carl']);
  });

  it('renames the room and goes on with its new name', async () => {
    const { server, sheet } = await sheetOf(room('a', { owner: true }));
    server.on('PATCH /rooms', 200, { name: 'Neu', access: 'accounts', knock: false });
    expect(await sheet.rename('Neu')).toBe(true);
    server.on('PATCH /rooms', 200, { name: 'Neu', access: 'accounts', knock: true });
    sheet.setKnock(true);
    await settle();
    expect(server.requests.at(-1)?.body).toEqual({ name: 'Neu', knock: true });
    expect(sheet.state.knock).toBe(true);
    server.on('PATCH /rooms', 409, { code: 'name_taken' });
    expect(await sheet.rename('Bad')).toBe(false);
    expect(sheet.state.problem).toEqual({ code: 'name_taken' });
  });

  it('closes when the room is gone, here or elsewhere', async () => {
    const { mine, server, sheet } = await sheetOf(room('a', { owner: true, people: 2 }));
    expect(sheet.state.people).toBe(2);
    server.on('DELETE /rooms', 204, {});
    expect(await sheet.remove()).toBe(true);
    mine.follow([]);
    expect(mine.state.sheet).toBeUndefined();
  });
});
