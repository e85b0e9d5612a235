import { beforeEach, describe, expect, it } from 'vitest';
import type { AdminPerson, House, ImportReport, Settings } from '../../protocol/generated.ts';
import { settle } from '../../tests/clock.ts';
import { ADMIN_SECTIONS, type AdminSection } from '../address.ts';
import { FakeBrowser, FakeServer } from '../tests/fakes.ts';
import { openAdmin } from './admin.ts';
import type { AdminPage } from './screens.ts';

const LINK = { url: 'https://stube.example/invite#t', expires_ms: 9, mailed: false };
const BELA: AdminPerson = {
  id: 'u-2',
  username: 'bela',
  name: 'Béla',
  admin: false,
  locked: false,
  source: 'house',
  groups: ['Küche'],
  created_ms: 1,
  totp: false,
  passkeys: 0,
};
const SETTINGS: Settings = {
  name: 'Haus',
  guests: true,
  open_house: false,
  local_sign_in: true,
  push: false,
  history_days: 90,
  visibility: [],
  fixed: [],
  providers: [],
  ldap: false,
};
const NO_CHANGE: ImportReport = { created: 0, updated: 0, unchanged: 0, problems: [] };

let browser: FakeBrowser;
let server: FakeServer;
let told: string[];

beforeEach(() => {
  browser = new FakeBrowser('/admin');
  server = new FakeServer();
  told = [];
  server.on('GET /admin/groups', 200, { groups: [{ id: 'g', name: 'Küche', people: 1 }] });
  server.on('GET /admin/ldap', 404, { code: 'not_found' });
  server.on('GET /admin/people', 200, { people: [BELA], total: 1 });
  server.on('GET /admin/people/u-2', 200, { person: BELA, sessions: [], passkeys: [], providers: [] });
  server.on('GET /admin/settings', 200, SETTINGS);
});

type ScreenOf<N extends AdminPage['name']> = Extract<AdminPage, { name: N }>['screen'];

function open<N extends AdminPage['name']>(name: N, id?: string): ScreenOf<N> {
  const user = { id: 'u-1', username: 'anna', name: 'Anna', admin: true } satisfies House['user'];
  const section = (name === 'person' ? 'people' : name) as AdminSection;
  const ports = {
    browser,
    http: server.http,
    user,
    mail: true,
    navigate: (path: string) => told.push(path),
    signedOut: () => told.push('signed out'),
    houseChanged: () => told.push('house changed'),
  };
  const { page } = openAdmin(ports, section, id);
  if (page.name !== name) throw new Error(`expected ${name}, stands on ${page.name}`);
  return page.screen as AdminPage['screen'] as ScreenOf<N>;
}

function sent(route: string): unknown {
  return server.requests.findLast((one) => one.route === route)?.body;
}

it.each(ADMIN_SECTIONS)('the page of %s says when the session is over', async (section) => {
  for (const route of server.routes.keys()) server.on(route, 401, { code: 'sign_in_required' });
  for (const list of ['checklist', 'invites', 'sessions', 'clients', 'tokens', 'audit', 'connections']) {
    server.on(`GET /admin/${list}`, 401, { code: 'sign_in_required' });
  }
  const screen = open(section);
  await settle();
  expect(screen.state.problem?.code).toBe('sign_in_required');
  expect(told).toContain('signed out');
});

describe('first steps', () => {
  const list = {
    dismissed: false,
    name: true,
    logo: false,
    legal_links: false,
    people: false,
    guests: true,
    mail: false,
  };

  it('lead to where they are taken, and can be put away', async () => {
    server.on('GET /admin/checklist', 200, list);
    server.on('POST /admin/checklist/dismiss', 204, {});
    const screen = open('overview');
    await settle();
    expect(screen.state.steps).toContainEqual({ step: 'people', done: false, path: '/admin/people' });
    expect(screen.state.steps?.filter((one) => one.done).map((one) => one.step)).toEqual(['name', 'guests']);
    screen.dismiss();
    await settle();
    expect(screen.state.steps).toEqual([]);
  });

  it('stay away once they were put away', async () => {
    server.on('GET /admin/checklist', 200, { ...list, dismissed: true });
    const screen = open('overview');
    await settle();
    expect(screen.state.steps).toEqual([]);
  });
});

describe('people', () => {
  it('are searched when the typing rests, by group at once, and page by page', async () => {
    const screen = open('people');
    await settle();
    screen.setText('bé');
    screen.setText('béla ');
    await browser.clock.pass(250);
    server.on('GET /admin/people', 200, { people: [BELA], total: 2, next: 'bela' });
    screen.setGroup('Küche');
    await settle();
    screen.more();
    await settle();
    const asked = server.addresses.filter((address) => address.startsWith('/admin/people'));
    expect(asked.map(decodeURIComponent)).toEqual([
      '/admin/people',
      '/admin/people?q=béla',
      '/admin/people?q=béla&group=Küche',
      '/admin/people?q=béla&group=Küche&after=bela',
    ]);
    expect(screen.state.people?.length).toBe(2);
    expect(screen.state).toMatchObject({ total: 2, hasMore: true, groups: ['Küche'] });
  });

  it('have no LDAP where there is none, and that is no problem', async () => {
    const screen = open('people');
    await settle();
    expect(screen.state).not.toHaveProperty('ldap');
    expect(screen.state).not.toHaveProperty('problem');
  });

  it('are synchronised with LDAP by hand', async () => {
    const ldap = { url: 'ldaps://x.example', people: 1, created: 0, updated: 0, removed: 0 };
    server.on('GET /admin/ldap', 200, ldap);
    server.on('POST /admin/ldap/sync', 200, { ...ldap, people: 2 });
    const screen = open('people');
    await settle();
    expect(screen.state.ldap?.people).toBe(1);
    screen.syncLdap();
    await settle();
    expect(screen.state.ldap?.people).toBe(2);
  });

  it('are made with a link that is told once', async () => {
    server.on('POST /admin/people', 200, { person: BELA, link: LINK });
    const screen = open('people');
    await settle();
    const draft = { username: 'bela', name: 'Béla', admin: false, groups: [], send_mail: false };
    expect(await screen.make(draft)).toBe(true);
    expect(screen.state.told).toMatchObject({ kind: 'link', name: 'Béla', expiresAt: 9, mailed: false });
    expect(screen.state.told?.text.state.text).toBe(LINK.url);
    screen.forgetTold();
    expect(screen.state.told).toBeUndefined();
  });

  it('that cannot be made leave the dialog open with the reason', async () => {
    server.on('POST /admin/people', 409, { code: 'name_taken' });
    const screen = open('people');
    await settle();
    const draft = { username: 'bela', name: 'Béla', admin: false, groups: [], send_mail: false };
    expect(await screen.make(draft)).toBe(false);
    expect(screen.state).toMatchObject({ busy: false, problem: { code: 'name_taken' } });
  });

  it('come from a table that is tried first', async () => {
    server.on('POST /admin/people/import', 200, { ...NO_CHANGE, created: 2 });
    const screen = open('people');
    await settle();
    expect(await screen.bringIn()).toBe(false);
    expect(await screen.tryTable(new File(['username\nx'], 'people.csv'))).toBe(true);
    expect(screen.state.report).toMatchObject({ file: 'people.csv', dryRun: true, created: 2 });
    expect(await screen.bringIn()).toBe(true);
    expect(screen.state.report?.dryRun).toBe(false);
    const imports = server.addresses.filter((address) => address.includes('import'));
    expect(imports).toEqual(['/admin/people/import?dry_run=true', '/admin/people/import?dry_run=false']);
    expect(sent('POST /admin/people/import')).toBe('username\nx');
  });
});

describe('one person', () => {
  beforeEach(() => {
    server.on('PATCH /admin/people/u-2', 200, BELA);
  });

  it.each([
    ['setAdmin', [true], { admin: true }],
    ['setLocked', [true], { locked: true }],
    ['setGroup', ['Werkstatt', true], { groups: ['Küche', 'Werkstatt'] }],
    ['setGroup', ['Küche', false], { groups: [] }],
    ['removeSecondFactors', [], { remove_second_factors: true }],
    ['save', [{ name: 'B', mail: '' }], { name: 'B', mail: '' }],
  ] as const)('%s %j sends %j', async (intent, given, body) => {
    const screen = open('person', 'u-2');
    await settle();
    await (screen[intent] as (...values: unknown[]) => unknown)(...given);
    await settle();
    expect(sent('PATCH /admin/people/u-2')).toEqual(body);
  });

  it.each([
    ['u-1', true],
    ['u-2', false],
  ])('%s is the reader: %s', (id, you) => {
    server.on('GET /admin/people/u-1', 404, { code: 'not_found' });
    expect(open('person', id).state.you).toBe(you);
  });

  it('gets a link for a new password', async () => {
    server.on('POST /admin/people/u-2/recovery', 200, { ...LINK, mailed: true });
    const screen = open('person', 'u-2');
    await settle();
    expect(await screen.recover(true)).toBe(true);
    expect(sent('POST /admin/people/u-2/recovery')).toEqual({ send_mail: true });
    expect(screen.state.told).toMatchObject({ name: 'Béla', mailed: true });
  });

  it('is deleted, and then the list is shown', async () => {
    server.on('DELETE /admin/people/u-2', 409, { code: 'last_admin' });
    const screen = open('person', 'u-2');
    await settle();
    expect(await screen.remove()).toBe(false);
    expect(screen.state.problem?.code).toBe('last_admin');
    expect(told).toEqual([]);
    server.on('DELETE /admin/people/u-2', 204, {});
    expect(await screen.remove()).toBe(true);
    expect(told).toEqual(['/admin/people']);
  });
});

describe('lists', () => {
  it('of groups are made, renamed and taken from', async () => {
    server.on('POST /admin/groups', 200, {});
    server.on('PATCH /admin/groups/g', 200, {});
    server.on('DELETE /admin/groups/g', 204, {});
    const screen = open('groups');
    await settle();
    expect(await screen.make({ name: 'Neu' })).toBe(true);
    expect(await screen.change('g', { name: 'Anders' })).toBe(true);
    expect(await screen.remove('g')).toBe(true);
    expect([sent('POST /admin/groups'), sent('PATCH /admin/groups/g')]).toEqual([{ name: 'Neu' }, { name: 'Anders' }]);
    expect(screen.state.told).toBeUndefined();
  });

  it('of invites tell the link', async () => {
    server.on('GET /admin/invites', 200, { invites: [] });
    server.on('POST /admin/invites', 200, LINK);
    const screen = open('invites');
    await settle();
    const draft = { name: '', username: '', admin: false, groups: [], life_ms: 1, uses: 20, send_mail: false };
    expect(await screen.make(draft)).toBe(true);
    expect(screen.state.told?.text.state.text).toBe(LINK.url);
  });

  it.each([
    ['a secret', { secret: 's3' }, 's3'],
    ['nothing for public ones', {}, undefined],
  ])('of applications tell %s', async (_, answer, secret) => {
    const client = { id: 'c', name: 'Wiki', public: !secret };
    server.on('GET /admin/clients', 200, { clients: [client] });
    server.on('POST /admin/clients', 200, { client, ...answer });
    const screen = open('applications');
    await settle();
    const draft = { name: 'Wiki', redirect_uris: [], post_logout_uris: [], public: false, trusted: false };
    expect(await screen.make(draft)).toBe(true);
    expect(screen.state.told?.text.state.text).toBe(secret);
    expect(screen.state.told?.id?.state.text).toBe(secret && 'c');
  });

  it('of tokens tell the secret', async () => {
    server.on('GET /admin/tokens', 200, { tokens: [] });
    server.on('POST /admin/tokens', 200, { token: { name: 'HR' }, secret: 'bearer' });
    const screen = open('tokens');
    await settle();
    expect(await screen.make({ name: 'HR', scopes: ['scim'] })).toBe(true);
    expect(screen.state.told).toMatchObject({ kind: 'secret', name: 'HR' });
  });

  it('of sessions say whose they are', async () => {
    server.on('GET /admin/sessions', 200, { sessions: [{ session: { id: 's' }, user: 'u-2', name: 'Béla' }] });
    const screen = open('sessions');
    await settle();
    expect(screen.state.items).toEqual([{ id: 's', user: 'u-2', name: 'Béla' }]);
  });

  it('that did not come are asked for again', async () => {
    server.on('GET /admin/groups', 503, { code: 'unavailable' });
    const screen = open('groups');
    await settle();
    expect(screen.state).toEqual({ busy: false, problem: { code: 'unavailable' } });
    server.on('GET /admin/groups', 200, { groups: [] });
    screen.retry();
    await settle();
    expect(screen.state).toEqual({ busy: false, items: [] });
  });
});

describe('settings', () => {
  it('are saved, said to be, and the house looks like it', async () => {
    server.on('PATCH /admin/settings', 200, SETTINGS);
    const screen = open('policy');
    await settle();
    expect(screen.state).toMatchObject({ settings: SETTINGS, groups: ['Küche'] });
    expect(await screen.save({ guests: false })).toBe(true);
    expect([sent('PATCH /admin/settings'), screen.state.saved, told]).toEqual([
      { guests: false },
      true,
      ['house changed'],
    ]);
    await browser.clock.pass(3_000);
    expect(screen.state.saved).toBe(false);
  });

  it('show the logo under a new address when it changes', async () => {
    server.on('PUT /admin/logo', 204, {});
    const screen = open('house');
    await settle();
    expect(screen.state.logo).toBeUndefined();
    server.on('GET /admin/settings', 200, { ...SETTINGS, logo: 'v2' });
    screen.setLogo(new File(['x'], 'logo.png', { type: 'image/png' }));
    await settle();
    expect(screen.state.logo).toBe('/api/v1/logo?v=v2');
  });

  it.each([
    [204, true, undefined],
    [503, false, 'unavailable'],
  ])('say whether the test message went out: %d', async (status, mailSent, code) => {
    server.on('POST /admin/mail/test', status, { code });
    const screen = open('house');
    await settle();
    screen.testMail();
    await settle();
    expect(screen.state.mailSent).toBe(mailSent);
    expect(screen.state.problem?.code).toBe(code);
  });
});

describe('the log', () => {
  const page = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      id: `${from - at}`,
      at_ms: 1,
      by: '',
      action: 'a',
      subject: '',
      details: '',
    }));

  it('goes on from the last entry for as long as pages are full', async () => {
    server.on('GET /admin/audit', 200, { entries: page(300, 100) });
    const screen = open('audit');
    await settle();
    expect(screen.state.hasMore).toBe(true);
    server.on('GET /admin/audit', 200, { entries: page(200, 3) });
    screen.more();
    await settle();
    expect(server.addresses).toEqual(['/admin/audit', '/admin/audit?before=201']);
    expect(screen.state.entries?.length).toBe(103);
    expect(screen.state.hasMore).toBe(false);
  });
});
