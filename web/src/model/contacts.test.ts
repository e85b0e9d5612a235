import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../tests/clock.ts';
import { ContactsModel } from './contacts.ts';
import { FakeBrowser, FakeServer } from './tests/fakes.ts';

const MEI = { id: 'u 1', name: 'Mei', username: 'mei', mail: 'mei@house.example', picture: '7' };

let browser: FakeBrowser;
let server: FakeServer;
let contacts: ContactsModel;

beforeEach(() => {
  browser = new FakeBrowser();
  server = new FakeServer();
  server.on('GET /people', 200, { people: [MEI], more: false, type_more: false });
  contacts = new ContactsModel(browser, server.http);
});

describe('contacts', () => {
  it('are read when they come into view, with the address of the picture', async () => {
    await settle();
    expect(server.requests).toEqual([]);
    contacts.open();
    await settle();
    expect(contacts.state).toEqual({
      text: '',
      more: false,
      typeMore: false,
      people: [{ ...MEI, picture: '/api/v1/people/u%201/picture?v=7' }],
    });
  });

  it('are asked for once the typing rests', async () => {
    for (const text of ['m', 'me', 'mei ']) {
      contacts.setText(text);
      await browser.clock.pass(50);
    }
    expect(server.requests).toEqual([]);
    await browser.clock.pass(200);
    expect(server.addresses).toEqual(['/people?q=mei']);
  });

  it.each([
    [
      { people: [], more: false, type_more: true },
      { people: [], typeMore: true, more: false },
    ],
    [
      { people: [MEI], more: true, type_more: false },
      { typeMore: false, more: true },
    ],
  ])('answered with %j show %j', async (answer, state) => {
    server.on('GET /people', 200, answer);
    contacts.open();
    await settle();
    expect(contacts.state).toMatchObject(state);
  });

  it('that could not be read say so, until they can', async () => {
    server.on('GET /people', 503, { code: 'unavailable' });
    contacts.open();
    await settle();
    expect(contacts.state.problem).toEqual({ code: 'unavailable' });
    server.on('GET /people', 200, { people: [], more: false, type_more: false });
    contacts.retry();
    await settle();
    expect(contacts.state.problem).toBeUndefined();
  });

  it('drop the late answer to an old question', async () => {
    const answers: ((people: object) => void)[] = [];
    const slow = { people: () => new Promise<object>((resolve) => answers.push(resolve)) };
    contacts = new ContactsModel(browser, slow as unknown as FakeServer['http']);
    contacts.open();
    contacts.setText('mei');
    await browser.clock.pass(200);
    answers[1]?.({ people: [MEI], more: false, type_more: false });
    await settle();
    answers[0]?.({ people: [], more: false, type_more: true });
    await settle();
    expect(contacts.state).toMatchObject({ typeMore: false, people: [{ name: 'Mei' }] });
  });
});
