import { describe, expect, it } from 'vitest';
import { settle } from '../tests/clock.ts';
import { type SharedRoom, ShareModel } from './share.ts';
import { FakeBrowser, FakeServer } from './tests/fakes.ts';

function sheet(room: Partial<SharedRoom> = {}, guests = true) {
  const browser = new FakeBrowser('/r/Team%20100%25');
  const server = new FakeServer();
  const changes: string[] = [];
  const share = new ShareModel(
    {
      browser,
      http: server.http,
      guests,
      account: true,
      changed: ({ name, access }) => changes.push(`${access} ${name}`),
    },
    { name: 'Team 100%', access: 'accounts', knock: false, owner: true, known: true, ...room },
  );
  server.routes.set('PATCH /rooms', (body) => {
    const { name, access, knock, new_name } = body as {
      name: string;
      access?: 'guests' | 'accounts';
      knock?: boolean;
      new_name?: string;
    };
    const { state } = share;
    const door = { access: access ?? state.access, knock: knock ?? state.knock, exists: true, owner: true };
    return [200, { name: new_name ?? name, ...door }];
  });
  return { browser, changes, server, share };
}

describe('the share sheet', () => {
  it('has the link of the room, escaped, with public/ when guests may enter', () => {
    expect(sheet().share.state.link).toBe('https://stube.example/r/Team%20100%25');
    expect(sheet({ access: 'guests' }).share.state.link).toBe('https://stube.example/r/public/Team%20100%25');
  });

  it.each([
    [{ owner: true }, true, false],
    [{ owner: true, access: 'guests' }, true, true],
    [{ owner: false }, true, undefined],
    [{ owner: true }, false, undefined],
  ] as const)('for %j in a house with guests: %s has the switch %s', (room, guests, allowGuests) => {
    expect(sheet(room, guests).share.state.allowGuests).toBe(allowGuests);
  });

  it('says who knocks, which only the owner changes', async () => {
    const { server, share } = sheet();
    expect(share.state).toMatchObject({ knock: false, canSetKnock: true });
    share.setKnock(true);
    await settle();
    expect(server.requests.at(-1)?.body).toEqual({ name: 'Team 100%', knock: true });
    expect(share.state.knock).toBe(true);
    expect(sheet({ owner: false, knock: true }).share.state).toMatchObject({ knock: true, canSetKnock: false });
  });

  it('opens the room and offers a name that is hard to guess, which it takes when wanted', async () => {
    const { changes, share } = sheet();
    share.setAllowGuests(true);
    expect(share.state.busy).toBe(true);
    await settle();
    expect(share.state).toMatchObject({ access: 'guests', allowGuests: true, busy: false });
    const offered = share.state.offeredName ?? '';
    expect(offered).toMatch(/^Team 100% [a-z-]{20,}$/);
    share.useOfferedName();
    await settle();
    expect(share.state.roomName).toBe(offered);
    expect(share.state.link).toBe(`https://stube.example/r/public/${encodeURIComponent(offered)}`);
    expect(share.state.offeredName).toBeUndefined();
    expect(changes).toEqual(['guests Team 100%', `guests ${offered}`]);
  });

  it('keeps its offer while the change comes back from the meeting', async () => {
    const { share } = sheet();
    share.setAllowGuests(true);
    await settle();
    share.follow({ name: 'Team 100%', access: 'guests', knock: false, owner: true, known: true });
    expect(share.state.offeredName).toBeDefined();
    share.keepName();
    expect(share.state.offeredName).toBeUndefined();
  });

  it('offers nothing for a name that nobody guesses, nor when the room is closed', async () => {
    const { share } = sheet({ name: '0b9c1d6e-58f2-4f0e-9f7d-4f9b8f1c2d3e' });
    share.setAllowGuests(true);
    await settle();
    expect(share.state.offeredName).toBeUndefined();
    const other = sheet({ access: 'guests' }).share;
    other.setAllowGuests(false);
    await settle();
    expect(other.state).toMatchObject({ access: 'accounts', allowGuests: false });
    expect(other.state.offeredName).toBeUndefined();
  });

  it('says what the server refused and stays as it was', async () => {
    const { server, share } = sheet();
    server.on('PATCH /rooms', 403, { code: 'not_owner' });
    share.setAllowGuests(true);
    await settle();
    expect(share.state).toMatchObject({ access: 'accounts', busy: false, problem: { code: 'not_owner' } });
  });

  it('copies, says so for two seconds, and says when it may not', async () => {
    const { browser, share } = sheet();
    share.copy();
    await settle();
    expect(browser.clipboard).toBe(share.state.link);
    expect(share.state.copied).toBe(true);
    await browser.clock.pass(2_000);
    expect(share.state.copied).toBe(false);
    browser.clipboard = undefined;
    share.copy();
    await settle();
    expect(share.state).toMatchObject({ copied: false, copyFailed: true });
  });
});

describe('invitations in the share sheet', () => {
  const MADE = { id: 'i-1', by: 'Anna', created_ms: 1_000, expires_ms: 605_000 };
  const OLD = { id: 'i-0', by: 'Béla', created_ms: 0, expires_ms: 300_000 };

  function inviting(room: Partial<SharedRoom> = {}, guests = true) {
    const all = sheet(room, guests);
    all.server.on('GET /rooms/invites', 200, { invites: [OLD] });
    all.server.on('POST /rooms/invites', 200, { token: 'secret-1', invite: MADE });
    all.server.on('DELETE /rooms/invites/i-0', 204, {});
    all.server.on('DELETE /rooms/invites/i-1', 204, {});
    return all;
  }

  it.each([
    [{ owner: true, known: true }, true, true],
    [{ owner: false, known: true }, true, true],
    [{ owner: false, known: false }, true, false],
    [{ owner: true, known: true }, false, false],
  ])('are for those who know the room: %j in a house with guests: %s: %s', (room, guests, expected) => {
    const { share } = inviting(room, guests);
    expect(share.state.invites !== undefined).toBe(expected);
    share.choose('invite');
    expect(share.state.way).toBe(expected ? 'invite' : 'room');
  });

  it('are made for as long as was chosen, told once, and stand in the list', async () => {
    const { browser, server, share } = inviting();
    share.choose('invite');
    expect(share.state.link).toBeUndefined();
    await settle();
    expect(share.state.invites?.list).toEqual([{ id: 'i-0', by: 'Béla', expiresAt: 300_000 }]);
    share.setLife('day');
    share.makeInvite();
    expect(share.state.busy).toBe(true);
    await settle();
    expect(server.requests.at(-1)).toMatchObject({
      route: 'POST /rooms/invites',
      body: { room: 'Team 100%', life_ms: 86_400_000 },
    });
    expect(share.state).toMatchObject({ busy: false, link: 'https://stube.example/join#secret-1' });
    expect(share.state.invites?.list?.map(({ id }) => id)).toEqual(['i-1', 'i-0']);
    expect(share.state.invites?.expiresAt).toBe(605_000);
    share.copy();
    await settle();
    expect(browser.clipboard).toBe('https://stube.example/join#secret-1');
    share.choose('room');
    expect(share.state).toMatchObject({ link: 'https://stube.example/r/Team%20100%25', copied: false });
    share.choose('invite');
    share.forgetInvite();
    expect(share.state.link).toBeUndefined();
    expect(share.state.invites?.list?.length).toBe(2);
  });

  it('are taken back, and their link with them', async () => {
    const { share } = inviting();
    share.choose('invite');
    await settle();
    share.makeInvite();
    await settle();
    expect(await share.takeBack('i-0')).toBe(true);
    expect(share.state.link).toContain('secret-1');
    expect(await share.takeBack('i-1')).toBe(true);
    expect(share.state.link).toBeUndefined();
    expect(share.state.invites?.list).toEqual([]);
  });

  it('say what was refused and stay as they were', async () => {
    const { server, share } = inviting();
    share.choose('invite');
    await settle();
    server.on('POST /rooms/invites', 409, { code: 'too_many' });
    share.makeInvite();
    await settle();
    expect(share.state).toMatchObject({ busy: false, problem: { code: 'too_many' } });
    server.on('DELETE /rooms/invites/i-0', 404, { code: 'not_found' });
    expect(await share.takeBack('i-0')).toBe(false);
    expect(share.state.invites?.list?.length).toBe(1);
  });
});
