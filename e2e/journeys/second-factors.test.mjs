/** Beside the password: an authenticator app with its backup codes, and passkeys instead of both. */

import assert from 'node:assert/strict';
import { Autofill, code, PasskeyDevice } from '../harness/authenticator.mjs';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';
import { until } from '../harness/wait.mjs';

const { journey, person, place } = journeys(import.meta.url);

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @typedef {import('../harness/house.mjs').Account} Account */

/** Types the password into the dialog that asks for it. @param {Person} who @param {Account} account @param {string} action */
async function confirm(who, account, action) {
  const dialog = who.page.getByRole('dialog');
  await dialog.getByLabel(who.say('field.password'), { exact: true }).fill(account.password);
  await dialog.getByRole('button', { name: action, exact: true }).click();
}

/** @param {Person} who */
async function isHome(who) {
  await who.button(who.say('home.new_call')).waitFor();
}

/** The second step, on the way in. @param {Person} who @param {string} label @param {string} text */
async function typeCode(who, label, text) {
  await who.field(label).fill(text);
  await who.button(who.say('sign_in.submit')).last().click();
}

journey('with an authenticator app the sign-in asks for a code, and for a backup code when the phone is gone', async () => {
  const anna = await person(1, { devices: 'none' });
  const { say } = anna;
  await anna.signInAtHome(ANNA);
  await anna.goto('/account');
  await anna.button(say('account.totp_set_up')).click();
  await confirm(anna, ANNA, say('account.totp_next'));
  const dialog = anna.page.getByRole('dialog');
  await dialog.getByRole('img', { name: say('account.totp_qr') }).waitFor();
  const secret = await dialog.getByLabel(say('account.totp_secret')).inputValue();
  await anna.field(say('sign_in.code')).fill('000000');
  await anna.button(say('account.totp_confirm')).click();
  await anna.reads(say('code.wrong_code'));
  const used = code(secret);
  await anna.field(say('sign_in.code')).fill(used);
  await anna.button(say('account.totp_confirm')).click();
  const codes = anna.page.getByRole('list', { name: say('account.backup_title') }).getByRole('listitem');
  await codes.first().waitFor();
  const backup = await codes.allInnerTexts();
  assert.equal(new Set(backup).size, 10);
  await anna.button(say('account.backup_done')).click();

  const elsewhere = await person(2, { devices: 'none' });
  await elsewhere.goto('/sign-in?to=/account');
  await elsewhere.signIn(ANNA);
  await elsewhere.reads(say('sign_in.code_lead'));
  await typeCode(elsewhere, say('sign_in.code'), used);
  await elsewhere.reads(say('code.wrong_code'));
  await typeCode(elsewhere, say('sign_in.code'), code(secret, 1));
  await elsewhere.reads(say('account.sessions'));
  await elsewhere.reads(say('method.password_and_code'));

  const without = await person(3, { devices: 'none' });
  await without.goto('/sign-in');
  await without.signIn(ANNA);
  await without.button(say('sign_in.use_backup')).click();
  await typeCode(without, say('sign_in.backup'), backup[0] ?? '');
  await isHome(without);

  await anna.goto('/account');
  await anna.button(say('account.totp_remove')).click();
  await confirm(anna, ANNA, say('app.remove'));
  await anna.button(say('account.totp_set_up')).waitFor();
});

journey('a passkey is made, signs in without a username, and is worth nothing once it is removed', async () => {
  await place.house.addUser(BELA);
  const bela = await person(1, { devices: 'none' });
  const device = await PasskeyDevice.of(bela);
  const { say } = bela;
  await bela.signInAtHome(BELA);
  await bela.goto('/account');
  await bela.button(say('account.add_passkey')).click();
  await bela.field(say('account.passkey_name')).fill('Laptop');
  await confirm(bela, BELA, say('account.add_passkey'));
  await bela.page.getByRole('dialog').waitFor({ state: 'detached' });
  await bela.reads('Laptop');
  const [made] = await device.passkeys();
  assert.equal(made?.rpId, 'localhost');
  assert.equal(made?.isResidentCredential, true);

  // By the button alone: the device would take at once what the browser offers by itself.
  const autofill = await Autofill.of(bela);
  autofill.isThere = false;
  await bela.context.clearCookies();
  await bela.goto('/sign-in?to=/account');
  await device.signs(() => bela.button(say('sign_in.passkey')).click());
  await bela.reads(say('method.passkey'));
  await until('a counter that has gone up', async () => ((await device.passkeys())[0]?.signCount ?? 0) > (made?.signCount ?? 0));

  // The browser offers it by itself, and takes it.
  autofill.isThere = true;
  await bela.context.clearCookies();
  await bela.goto('/sign-in');
  await isHome(bela);

  autofill.isThere = false;
  await bela.goto('/account');
  await bela.button(`${say('app.remove')}: Laptop`).click();
  await confirm(bela, BELA, say('app.remove'));
  await bela.page.getByText('Laptop', { exact: true }).waitFor({ state: 'detached' });
  await bela.context.clearCookies();
  await bela.goto('/sign-in');
  await device.signs(() => bela.button(say('sign_in.passkey')).click());
  await bela.reads(say('code.passkey_invalid'));
});

journey('a device that does not know its owner makes no passkey', async () => {
  const anna = await person(1, { devices: 'none' });
  const device = await PasskeyDevice.of(anna);
  const { say } = anna;
  await anna.signInAtHome(ANNA);
  await anna.goto('/account');
  await device.knowsOwner(false);
  await anna.button(say('account.add_passkey')).click();
  await anna.field(say('account.passkey_name')).fill('Found on the train');
  await confirm(anna, ANNA, say('account.add_passkey'));
  await anna.reads(say('account.passkey_failed'));
  assert.deepEqual(await device.passkeys(), []);
  await device.knowsOwner(true);
  await confirm(anna, ANNA, say('account.add_passkey'));
  await anna.page.getByRole('dialog').waitFor({ state: 'detached' });
});
