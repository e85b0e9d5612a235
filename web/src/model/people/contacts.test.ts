import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../tests/clock.ts';
import { ContactsModel } from './contacts.ts';
import { Line, person } from './tests/line.ts';

const MEI = person('u 1', 'Mei', { mail: 'mei@house.example', picture: '7', favourite: true });
const BELA = person('u-2', 'Béla');
const CHIARA = person('u-3', 'Chiara');

let line: Line;
let contacts: ContactsModel;

beforeEach(async () => {
  line = await new Line().open();
  line.server.on('GET /people', 200, {
    people: [person('u-1', 'Anna'), BELA, CHIARA, MEI],
    more: false,
    type_more: false,
  });
  line.server.on('GET /people/near', 200, { favourites: [MEI], recent: [MEI, CHIARA] });
  contacts = new ContactsModel(line.ports());
});

const shown = (): unknown =>
  contacts.state.groups?.map(({ kind, people }) => [kind, ...people.map(({ name }) => name)].join(' '));

describe('contacts', () => {
  it('are read when they come into view: favourites, recent ones, everybody else but oneself, each in one place', async () => {
    await settle();
    expect(line.asked()).toEqual([]);
    contacts.open();
    await settle();
    expect(shown()).toEqual(['favourites Mei', 'recent Chiara', 'all Béla']);
    expect(contacts.state.groups?.[0]?.people[0]).toEqual({
      id: 'u 1',
      name: 'Mei',
      username: 'mei',
      favourite: true,
      mail: 'mei@house.example',
      path: '/people/u%201',
      picture: '/api/v1/people/u%201/picture?v=7',
    });
  });

  it('are asked for once the typing rests, and then only those who match', async () => {
    line.server.on('GET /people', 200, { people: [MEI], more: false, type_more: false });
    for (const text of ['m', 'me', 'mei ']) {
      contacts.setText(text);
      await line.browser.clock.pass(50);
    }
    expect(line.asked()).toEqual([]);
    await line.browser.clock.pass(200);
    expect(line.asked()).toEqual(['/people?q=mei']);
    expect(shown()).toEqual(['found Mei']);
  });

  it.each([
    [
      { people: [], more: false, type_more: true },
      { typeMore: true, more: false },
    ],
    [
      { people: [MEI], more: true, type_more: false },
      { typeMore: false, more: true },
    ],
  ])('answered with %j say %j', async (answer, state) => {
    line.server.on('GET /people', 200, answer);
    contacts.open();
    await settle();
    expect(contacts.state).toMatchObject(state);
    expect(shown()).toContain('favourites Mei');
  });

  it('are read again when the favourites are others, while they are in view', async () => {
    line.say({ type: 'favourites_changed' });
    await settle();
    expect(line.asked()).toEqual([]);
    contacts.open();
    await settle();
    line.server.on('GET /people/near', 200, { favourites: [], recent: [] });
    line.say({ type: 'favourites_changed' });
    await settle();
    expect(shown()).toEqual(['all Béla Chiara Mei']);
    contacts.leave();
    line.server.on('GET /people/near', 200, { favourites: [BELA], recent: [] });
    line.say({ type: 'favourites_changed' });
    await settle();
    expect(shown()).toEqual(['all Béla Chiara Mei']);
  });

  it('that could not be read say so, until they can', async () => {
    line.server.on('GET /people', 503, { code: 'unavailable' });
    contacts.open();
    await settle();
    expect(contacts.state.problem).toEqual({ code: 'unavailable' });
    line.server.on('GET /people', 200, { people: [], more: false, type_more: false });
    contacts.retry();
    await settle();
    expect(contacts.state.problem).toBeUndefined();
  });

  it('drop the late answer to an old question', async () => {
    const answers: ((people: object) => void)[] = [];
    const { http } = line.server;
    const slow = Object.assign(Object.create(http), {
      people: () => new Promise<object>((resolve) => answers.push(resolve)),
    });
    contacts = new ContactsModel({ ...line.ports(), http: slow });
    contacts.setText('chi');
    await line.browser.clock.pass(200);
    contacts.setText('mei');
    await line.browser.clock.pass(200);
    answers[1]?.({ people: [MEI], more: false, type_more: false });
    await settle();
    answers[0]?.({ people: [CHIARA], more: false, type_more: true });
    await settle();
    expect(shown()).toEqual(['found Mei']);
    expect(contacts.state.typeMore).toBe(false);
  });
});

describe('whoever is on the screen', () => {
  const watched = () => line.server.socket.all('watch_people').map(({ people }) => people.join(' '));

  it('is watched once the scrolling rests, and nobody any more when the list goes', async () => {
    contacts.sight.show(['u-1', 'u-2']);
    contacts.sight.show(['u-2', 'u-3']);
    await line.browser.clock.pass(200);
    expect(watched()).toEqual(['u-2 u-3']);
    line.say({ type: 'availability_changed', people: [{ person: 'u-3', availability: 'away' }] });
    expect([...contacts.sight.state.availability]).toEqual([['u-3', 'away']]);
    contacts.sight.show(['u-3']);
    await line.browser.clock.pass(200);
    contacts.close();
    await settle();
    expect(watched()).toEqual(['u-2 u-3', 'u-3', '']);
  });

  it('is not watched from a page that nobody sees', async () => {
    contacts.sight.show(['u-3']);
    await line.browser.clock.pass(200);
    line.client.people.setLooking(false);
    await settle();
    line.client.people.setLooking(true);
    await settle();
    expect(watched()).toEqual(['u-3', '', 'u-3']);
  });
});
