/**
 * A walk through the pages of account and administration, and through those that lead into them, stopping at each. What is
 * done at a stop is up to who walks.
 */

import { acceptInvite, beginTotp, confirmTotp, invite, openSection } from './errands.mjs';
import { ANNA, BELA } from './house.mjs';
import { arrive, halt } from './tour.mjs';

/** @typedef {Omit<import('./tour.mjs').Walk, 'company'>} Walk */
/** @typedef {import('./person.mjs').Person} Person */

const SECTIONS = ['groups', 'sessions', 'house', 'policy', 'applications', 'tokens', 'audit'];

/** @param {Walk} walk through a house that ANNA manages */
export async function ownTour(walk) {
  const anna = await arrive(walk);
  await anna.signInAtHome(ANNA);
  await anna.openMenu();
  await halt(walk, 'menu', anna);
  await anna.page.keyboard.press('Escape');
  await theMeetings(walk, anna);
  const link = await thePeople(walk, anna);
  const bela = await arrive(walk);
  await theAccount(walk, bela, link);
  await bela.context.close();
  await anna.goto('/');
  await anna.page.getByRole('tab', { name: anna.say('home.tab_contacts') }).click();
  await anna.reads(BELA.name);
  await halt(walk, 'contacts', anna);
  await theCalls(walk, anna);
  await openSection(anna, 'people');
  await anna.page.getByRole('link', { name: BELA.name }).click();
  await anna.page.getByRole('heading', { level: 1, name: BELA.name }).waitFor();
  await halt(walk, 'admin-person', anna);
  for (const section of SECTIONS) {
    await openSection(anna, section);
    await anna.page.getByText(anna.say('app.loading')).waitFor({ state: 'detached' });
    await halt(walk, `admin-${section}`, anna);
  }
}

/** Somebody's page, a call in vain, and what stays of it. @param {Walk} walk @param {Person} anna */
async function theCalls(walk, anna) {
  await anna.page.getByRole('link', { name: BELA.name }).click();
  await anna.page.getByRole('heading', { level: 1, name: BELA.name }).waitFor();
  await anna.button(anna.say('people.add_favourite')).click();
  await anna.button(anna.say('people.remove_favourite')).waitFor();
  await anna.reads(anna.say('presence.offline'));
  await halt(walk, 'person', anna);
  await anna.button(anna.say('people.call')).click();
  await anna.button(anna.say('call.again')).waitFor();
  await anna.goto('/');
  await anna.page.getByRole('tab', { name: anna.say('home.tab_calls') }).click();
  await anna.reads(anna.say('history.end_not_reachable'));
  await halt(walk, 'calls', anna);
  await anna.button(anna.say('history.menu').replace('{name}', BELA.name)).click();
  await anna.button(anna.say('history.remove')).waitFor();
  await halt(walk, 'calls-menu', anna);
  await anna.page.keyboard.press('Escape');
}

/** What is planned, and people who are invited by mail. @param {Walk} walk @param {Person} anna */
async function theMeetings(walk, anna) {
  await anna.goto('/');
  await anna.button(anna.say('meetings.plan')).click();
  await anna.field(anna.say('planning.name')).fill('Montagsrunde');
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  await anna.field(anna.say('planning.date')).fill(tomorrow);
  await anna.field(anna.say('planning.people')).pressSequentially('carla@example.org,');
  await halt(walk, 'planning', anna);
  await anna.button(anna.say('planning.submit')).click();
  await anna.reads(anna.say('planning.done'));
  await halt(walk, 'planned', anna);
  await anna.page.keyboard.press('Escape');
  await anna.reads('Montagsrunde');
  await halt(walk, 'home-meetings', anna);
  await anna.goto('/r/Werkstatt');
  await anna.button(anna.say('door.share')).click();
  await anna.button(anna.say('share.mail')).click();
  await anna.field(anna.say('invite_mail.to')).pressSequentially('carla@example.org,dora@example.org,');
  await halt(walk, 'share-mail', anna);
  await anna.page.keyboard.press('Escape');
}

/** @param {Walk} walk @param {Person} anna @returns {Promise<string>} the link of an invite */
async function thePeople(walk, anna) {
  await openSection(anna, 'overview');
  await anna.reads(anna.say('overview.title'));
  await halt(walk, 'admin-overview', anna);
  await openSection(anna, 'people');
  await anna.page.getByRole('link', { name: ANNA.name }).waitFor();
  await halt(walk, 'admin-people', anna);
  await anna.button(anna.say('people.create')).click();
  await halt(walk, 'admin-people-create', anna);
  const link = await invite(anna, BELA.name);
  await halt(walk, 'admin-invite-link', anna);
  await anna.page.keyboard.press('Escape');
  await halt(walk, 'admin-invites', anna);
  return link;
}

/** @param {Walk} walk @param {Person} bela @param {string} link */
async function theAccount(walk, bela, link) {
  await bela.goto(link);
  await bela.field(bela.say('field.username')).waitFor();
  await halt(walk, 'invite', bela);
  await acceptInvite(bela, link, BELA);
  await bela.goto('/account');
  await bela.button(bela.say('account.totp_set_up')).waitFor();
  await halt(walk, 'account', bela);
  const secret = await beginTotp(bela, BELA.password);
  await halt(walk, 'account-totp', bela);
  await confirmTotp(bela, secret);
  await halt(walk, 'account-codes', bela);
  await bela.button(bela.say('account.backup_done')).click();
  await bela.goto('/');
  await bela.signOut();
  await bela.field(bela.say('field.username')).waitFor();
  await bela.signIn(BELA);
  await bela.field(bela.say('sign_in.code')).waitFor();
  await halt(walk, 'sign-in-code', bela);
}
