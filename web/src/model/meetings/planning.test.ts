import { describe, expect, it } from 'vitest';
import type { House, PlannedMeeting } from '../../protocol/generated.ts';
import { settle } from '../../tests/clock.ts';
import { FakeBrowser, FakeServer, homeRoom } from '../tests/fakes.ts';
import { PlanningModel } from './planning.ts';
import { momentOf } from './zones.ts';

const NOW = Date.parse('2026-11-26T12:10:00Z');
const HOUSE = { guests: true, mail: true } as House;

function planned(fields: Partial<PlannedMeeting> = {}): PlannedMeeting {
  return {
    meeting: {
      id: 'm-1',
      title: 'Probe',
      room: 'Küche',
      starts_at: NOW + 3_600_000,
      ends_at: NOW + 7_200_000,
      time_zone: 'Europe/Berlin',
      by: 'Anna',
      own: true,
    },
    link: 'https://stube.example/r/K%C3%BCche',
    access: 'accounts',
    sequence: 0,
    cancelled: false,
    people: [{ user: 'u-2', name: 'Bernd', mail: 'bernd@example.org' }, { mail: 'carla@fremd.example' }],
    mailed: 0,
    not_mailed: 0,
    ...fields,
  };
}

function scene(house: House = HOUSE, before?: PlannedMeeting) {
  const browser = new FakeBrowser();
  const server = new FakeServer();
  server.on('GET /people', 200, { people: [], more: false, type_more: false });
  const rooms = [homeRoom({ id: 'r-1', name: 'Küche' }), homeRoom({ id: 'r-2', name: 'Hof', access: 'guests' })];
  const planning = new PlanningModel({ browser, http: server.http, rooms, unixMs: () => NOW }, house, before);
  return { browser, planning, server };
}

describe('planning a meeting', () => {
  it('begins at the next half hour, for half an hour, in the own zone, in a new room', () => {
    const { state } = scene().planning;
    expect(momentOf(state, state.zone)).toBe(Date.parse('2026-11-26T12:30:00Z'));
    expect(state).toMatchObject({ edits: false, minutes: 30, room: '', canSubmit: false, allowGuests: false });
    expect(state.zones).toContain(state.zone);
  });

  it.each([
    ['a title', { title: 'Probe' }, true, undefined],
    ['no title', { title: ' ' }, false, undefined],
    ['no date', { title: 'Probe', date: '' }, false, 'none'],
    ['yesterday', { title: 'Probe', date: '2026-11-25' }, false, 'past'],
  ] as const)('needs what makes sense: %s', (_, fields, canSubmit, timeProblem) => {
    const { planning } = scene();
    for (const [field, value] of Object.entries(fields)) planning.change(field as keyof typeof fields, value);
    expect(planning.state.canSubmit).toBe(canSubmit);
    expect(planning.state.timeProblem).toBe(timeProblem);
  });

  it('lets guests in as soon as somebody from outside is invited, unless one says otherwise', () => {
    const { planning } = scene();
    planning.recipients.setText('carla@fremd.example,');
    expect(planning.state).toMatchObject({ allowGuests: true, access: 'guests', shutOut: false });
    planning.setAllowGuests(false);
    expect(planning.state).toMatchObject({ allowGuests: false, access: 'accounts', shutOut: true });
    planning.change('room', 'Küche');
    expect(planning.state).toMatchObject({ access: 'accounts', shutOut: true });
    expect(planning.state.allowGuests).toBeUndefined();
    planning.change('room', 'public/Hof');
    expect(planning.state).toMatchObject({ access: 'guests', shutOut: false });
    const without = scene({ ...HOUSE, guests: false }).planning;
    without.recipients.setText('carla@fremd.example,');
    expect(without.state).toMatchObject({ access: 'accounts', shutOut: true });
    expect(without.state.allowGuests).toBeUndefined();
  });

  it('sends what was chosen, what is half typed with it, and shows what came of it', async () => {
    const { planning, server } = scene();
    server.on('POST /meetings', 200, planned({ mailed: 1, not_mailed: 1 }));
    planning.change('title', 'Probe');
    planning.change('zone', 'Asia/Tokyo');
    planning.change('date', '2026-12-01');
    planning.change('time', '09:00');
    planning.setMinutes(45);
    planning.recipients.choose({ user: 'u-2', name: 'Bernd' });
    planning.recipients.setText('carla@fremd.example');
    planning.submit('de');
    await settle();
    const starts_at = Date.parse('2026-12-01T00:00:00Z');
    expect(server.requests.at(-1)?.body).toEqual({
      title: 'Probe',
      starts_at,
      ends_at: starts_at + 45 * 60_000,
      time_zone: 'Asia/Tokyo',
      people: ['u-2'],
      mails: ['carla@fremd.example'],
      guests: true,
      language: 'de',
    });
    expect(planning.state.done).toMatchObject({
      mailed: 1,
      notMailed: 1,
      byHouse: true,
      calendar: '/api/v1/meetings/m-1/calendar.ics',
      mails: ['bernd@example.org', 'carla@fremd.example'],
    });
  });

  it('is not sent with an address that cannot be one, and says what the server refused', async () => {
    const { planning, server } = scene();
    planning.change('title', 'Probe');
    planning.recipients.setText('unsinn');
    expect(planning.state.canSubmit).toBe(true);
    planning.submit('de');
    await settle();
    expect(planning.state.canSubmit).toBe(false);
    expect(server.requests.some(({ route }) => route === 'POST /meetings')).toBe(false);
    planning.recipients.removeLast();
    server.on('POST /meetings', 400, { code: 'time_invalid' });
    planning.submit('de');
    await settle();
    expect(planning.state).toMatchObject({ busy: false, problem: { code: 'time_invalid' } });
  });

  it('changes one that is there, which keeps what is not touched', async () => {
    const { planning, server } = scene(HOUSE, planned());
    expect(planning.state).toMatchObject({ edits: true, title: 'Probe', minutes: 60, room: 'Küche', canSubmit: true });
    expect(planning.recipients.state.list.map(({ name }) => name)).toEqual(['Bernd', 'carla@fremd.example']);
    server.on('PATCH /meetings/m-1', 200, planned({ sequence: 1 }));
    planning.recipients.remove('carla@fremd.example');
    planning.change('title', 'Große Probe');
    planning.submit('de');
    await settle();
    expect(server.requests.at(-1)?.body).toMatchObject({
      title: 'Große Probe',
      people: ['u-2'],
      mails: [],
      room: 'Küche',
    });
    expect(planning.state.done).toBeDefined();
  });
});
