/** Meetings that are planned, and people who are invited: by mail with a file for their calendars, or by a draft. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import ICAL from 'ical.js';
import { overflow } from '../harness/axe.mjs';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { part, Post } from '../harness/mail.mjs';
import { repository } from '../harness/paths.mjs';
import { until } from '../harness/wait.mjs';

const PHONE = { width: 360, height: 740 };
const CARLA = 'carla@fremd.example';

const post = await Post.open();
after(() => post.close());
const { journey, person, place } = journeys(import.meta.url, { env: post.env });
const silent = journeys(new URL('./planning-silent.test.mjs', import.meta.url).href);

/** What a calendar makes of a file. @param {string} text */
function eventOf(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const component = calendar.getFirstSubcomponent('vevent');
  assert.ok(component, text);
  const event = new ICAL.Event(component);
  return {
    method: calendar.getFirstPropertyValue('method'),
    uid: event.uid,
    sequence: event.sequence,
    title: event.summary,
    description: event.description,
    status: component.getFirstPropertyValue('status'),
    starts: event.startDate.toJSDate(),
    ends: event.endDate.toJSDate(),
    organizer: component.getFirstProperty('organizer'),
    attendees: event.attendees.map((attendee) => attendee.getFirstValue()),
    alarms: component.getAllSubcomponents('valarm').length,
  };
}

/** @param {import('../harness/person.mjs').Person} person @param {string} title */
async function fill(person, title) {
  await person.button('Plan a meeting').click();
  await person.field('What is it called?').fill(title);
}

journey('a meeting is planned with people of the house and others, moved, and cancelled; everybody hears of it at once', async () => {
  await place.house.addUser(BELA);
  const anna = await person(1);
  await anna.signInAtHome(ANNA);
  const bela = await person(2, { viewport: PHONE });
  await bela.signInAtHome(BELA);

  await fill(anna, 'Probe, Teil 1');
  const to = anna.field('Invite');
  await to.fill('bél');
  await anna.page.getByRole('button', { name: /^Béla Brandt/ }).click();
  await to.pressSequentially(`${CARLA} unsinn,`);
  await anna.reads('“unsinn” cannot be a mail address.');
  assert.equal(await anna.page.getByRole('dialog').getByRole('button', { name: 'Plan', exact: true }).isDisabled(), true);
  await anna.button('Take out unsinn').click();
  assert.equal(await anna.page.getByRole('switch', { name: 'Allow guests' }).getAttribute('aria-checked'), 'true');
  await anna.button('Plan').click();
  await anna.reads('1 letter is on its way.');
  await anna.reads(/^1 person got no letter/);
  const link = await anna.field('Link to the meeting').inputValue();
  assert.match(link, /\/r\/public\/Probe%2C%20Teil%201%20/);
  await anna.button('Close').last().click();

  const letter = await post.next(CARLA);
  assert.match(letter.raw, /^Subject: Invitation: Probe, Teil 1\r$/m);
  assert.ok(part(letter, 'text/plain').includes(link), 'the link stands in the letter');
  const invited = eventOf(part(letter, 'text/calendar'));
  assert.deepEqual(
    [invited.method, invited.sequence, invited.title, invited.status, invited.alarms],
    ['REQUEST', 0, 'Probe, Teil 1', 'CONFIRMED', 1],
  );
  assert.deepEqual(invited.attendees, [`mailto:${CARLA}`]);
  assert.equal(invited.organizer?.getParameter('cn'), ANNA.name);
  assert.equal(eventOf(part(letter, 'application/ics')).uid, invited.uid);

  // It stands on the home page of whom she asked, who may go in as soon as it is near, and not change it.
  await bela.reads('Probe, Teil 1');
  await bela.reads(`by ${ANNA.name}`);
  assert.equal(await bela.button('Change Probe, Teil 1').count(), 0);
  assert.equal(await overflow(bela), 0);

  await anna.button('Change Probe, Teil 1').click();
  const later = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  await anna.field('Date').fill(later);
  await anna.field('What is it called?').fill('Große Probe');
  await anna.button('Save changes').click();
  await anna.reads('It is changed');
  await anna.button('Close').last().click();
  const moved = eventOf(part(await post.next(CARLA), 'text/calendar'));
  assert.deepEqual([moved.method, moved.sequence, moved.uid, moved.title], ['REQUEST', 1, invited.uid, 'Große Probe']);
  assert.ok(moved.starts > invited.starts, 'later');
  await bela.reads('Große Probe');

  await anna.button('Cancel Große Probe').click();
  await anna.button('Cancel the meeting').click();
  const gone = eventOf(part(await post.next(CARLA), 'text/calendar'));
  assert.deepEqual([gone.method, gone.sequence, gone.uid, gone.status], ['CANCEL', 2, invited.uid, 'CANCELLED']);
  await bela.page.getByText('Große Probe').waitFor({ state: 'detached' });
  await anna.page.getByText('Große Probe').waitFor({ state: 'detached' });
});

journey('a meeting that begins now is reminded of, and one click leads to its door', async () => {
  const anna = await person(1);
  await anna.signInAtHome(ANNA);
  const inTwoMinutes = new Date(Date.now() + 2 * 60_000);
  await place.house.post(ANNA, 'meetings', {
    title: 'Kurz', room: 'Küche', starts_at: inTwoMinutes.getTime(), ends_at: inTwoMinutes.getTime() + 600_000,
    time_zone: 'Asia/Tokyo', language: 'en',
  });
  await anna.reads(/^“Kurz” begins at/);
  await anna.reads(/in Tokyo\)/);
  await anna.page.getByRole('complementary', { name: 'Kurz' }).getByRole('button', { name: 'Go in' }).click();
  await anna.joinButton().waitFor();
  assert.equal(new URL(anna.page.url()).pathname, '/r/K%C3%BCche');
  assert.equal(await anna.page.getByText('begins at').count(), 0);
});

journey('the share sheet sends invitations to several people, with the link that was chosen', async () => {
  await place.house.addRoom(ANNA, 'Vorstand');
  const anna = await person(1);
  await anna.signInAt(ANNA, '/r/Vorstand');
  await anna.button('Share link').click();
  await anna.button('By mail').click();
  await anna.reads('With this link, accounts of this house can enter.');
  await anna.field('To').pressSequentially('dora@fremd.example; emil@fremd.example');
  await anna.button('Send invitations').click();
  await anna.reads('2 invitations are on their way.');
  for (const to of ['dora@fremd.example', 'emil@fremd.example']) {
    const text = part(await post.next(to), 'text/plain');
    assert.ok(text.includes(`${place.house.url}/r/Vorstand`), text);
    assert.match(text, /You need an account at Haus am See/);
  }
  await anna.page.getByRole('tab', { name: 'Invitation' }).click();
  await anna.button('Create invitation').click();
  const link = await anna.field('Link').inputValue();
  await anna.button('By mail').click();
  await anna.field('To').fill('dora@fremd.example');
  await anna.button('Send invitations').click();
  const text = part(await post.next('dora@fremd.example'), 'text/plain');
  assert.ok(text.includes(link), text);
  assert.match(text, /You need no account/);
});

silent.journey('a house without mail leaves drafts and a file', async () => {
  const anna = await silent.person(1);
  await anna.signInAtHome(ANNA);
  await fill(anna, 'Runde & mehr?');
  await anna.field('Invite').pressSequentially(`${CARLA},dora@fremd.example`);
  await anna.button('Plan').click();
  await anna.reads('This house sends no mail. Send the link and the calendar file yourself.');
  const draft = new URL((await anna.page.getByRole('link', { name: 'Write a mail' }).getAttribute('href')) ?? '');
  assert.equal(draft.protocol + draft.pathname, `mailto:${CARLA},dora@fremd.example`);
  assert.equal(draft.searchParams.get('subject'), 'Invitation: Runde & mehr?');
  assert.ok(draft.searchParams.get('body')?.includes(await anna.field('Link to the meeting').inputValue()));
  const download = anna.page.waitForEvent('download');
  await anna.page.getByRole('link', { name: 'Calendar file' }).click();
  const file = readFileSync(await (await download).path(), 'utf8');
  const event = eventOf(file);
  assert.deepEqual([event.method, event.title], ['REQUEST', 'Runde & mehr?']);
  assert.deepEqual(event.attendees.sort(), [`mailto:${CARLA}`, 'mailto:dora@fremd.example']);
  await anna.button('Close').last().click();

  await anna.goto('/r/Vorstand');
  await anna.button('Share link').click();
  await anna.button('By mail').click();
  await anna.field('To').pressSequentially(`${CARLA},dora@fremd.example`);
  const link = anna.page.getByRole('link', { name: 'Write a mail' });
  const mail = await until('the draft to both', async () => {
    const draft = new URL((await link.getAttribute('href')) ?? '');
    return draft.protocol + draft.pathname === `mailto:${CARLA},dora@fremd.example` ? draft : undefined;
  });
  assert.match(mail.searchParams.get('body') ?? '', /\/r\/Vorstand\r\n/);
  assert.match(mail.searchParams.get('body') ?? '', /accounts of this house can enter/);
});

test('a stranger reads the calendars that the server is held to', () => {
  const folder = join(repository, 'crates', 'server', 'tests', 'fixtures', 'calendar');
  const events = Object.fromEntries(readdirSync(folder).map((name) => [name, eventOf(readFileSync(join(folder, name), 'utf8'))]));
  assert.deepEqual(Object.keys(events).sort(), ['cancel.ics', 'odd.ics', 'request.ics']);
  const { 'request.ics': request, 'cancel.ics': cancel, 'odd.ics': odd } = events;
  assert.equal(request?.starts.toISOString(), '2026-11-26T18:30:00.000Z');
  assert.equal(request?.ends.toISOString(), '2026-11-26T20:00:00.000Z');
  assert.equal(request?.alarms, 1);
  assert.deepEqual([cancel?.status, cancel?.sequence, cancel?.uid], ['CANCELLED', 2, request?.uid]);
  assert.equal(odd?.title, `Fußball, Körper; \\ & Geist 🏡 ${'Überlänge '.repeat(12).trimEnd()}`);
  assert.equal(odd?.description, 'Erste Zeile\nBEGIN:VEVENT\nDritte, Zeile; \\n');
  assert.deepEqual(odd?.attendees, ['mailto:bernd@example.org', 'mailto:änne@exämple.org']);
});
