/** What people do on the pages of account and administration, by the words that stand there; for journeys and walks. */

import { code } from './authenticator.mjs';

/** @typedef {import('./person.mjs').Person} Person */

/** Follows a link that is named so. @param {Person} person @param {string} name */
export async function follow(person, name) {
  await person.page.getByRole('link', { name, exact: true }).first().click();
}

/** Through the menu of the home page. @param {Person} person @param {string} page key of the link's text */
export async function openFromMenu(person, page) {
  await person.openMenu();
  await follow(person, person.say(page));
  await person.page.getByRole('heading', { level: 1, name: person.say(page) }).waitFor();
}

/** @param {Person} person @param {string} section of the administration */
export async function openSection(person, section) {
  await person.goto(section === 'overview' ? '/admin' : `/admin/${section}`);
  const title = section === 'overview' ? 'admin.title' : `admin.section_${section}`;
  await person.page.getByRole('heading', { level: 1, name: person.say(title) }).waitFor();
}

/** Invites somebody by a link, and leaves it open. @param {Person} admin @param {string} name @returns {Promise<string>} */
export async function invite(admin, name) {
  await openSection(admin, 'invites');
  await admin.button(admin.say('invites.create')).click();
  await admin.field(admin.say('field.name_optional')).fill(name);
  await admin.button(admin.say('invites.submit')).click();
  return admin.field(admin.say('share.link')).inputValue();
}

/** Makes the account of an invite. @param {Person} person @param {string} link @param {import('./house.mjs').Account} account */
export async function acceptInvite(person, link, account) {
  await person.goto(link);
  await person.field(person.say('field.username')).fill(account.username);
  await person.field(person.say('field.password')).fill(account.password);
  await person.button(person.say('setup.submit')).click();
  await person.button(person.say('home.new_call')).waitFor();
  person.name = account.name;
}

/** On the page of the account: up to the secret. @param {Person} person @param {string} password @returns {Promise<string>} */
export async function beginTotp(person, password) {
  await person.button(person.say('account.totp_set_up')).click();
  // A part of the page behind has the same name.
  await person.page.getByRole('dialog').getByLabel(person.say('field.password')).fill(password);
  await person.button(person.say('account.totp_next')).click();
  return person.field(person.say('account.totp_secret')).inputValue();
}

/** The rest of it, up to the backup codes. @param {Person} person @param {string} secret @returns {Promise<string[]>} */
export async function confirmTotp(person, secret) {
  await person.field(person.say('sign_in.code')).fill(code(secret.replaceAll(/\s/g, '')));
  await person.button(person.say('account.totp_confirm')).click();
  const codes = person.page.getByRole('list', { name: person.say('account.backup_title') }).getByRole('listitem');
  await codes.first().waitFor();
  return codes.allInnerTexts();
}
