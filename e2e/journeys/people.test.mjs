/** Whose house it is: people are invited, look after their accounts, and are locked out; in the browser from end to end. */

import assert from 'node:assert/strict';
import { overflow } from '../harness/axe.mjs';
import { acceptInvite, beginTotp, confirmTotp, follow, invite, openFromMenu } from '../harness/errands.mjs';
import { ANNA, BELA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';

const PHONE = { width: 360, height: 740 };

const { journey, person } = journeys(import.meta.url);

journey('somebody is invited, comes in on a phone, protects the account, and is locked out at once', async () => {
  const anna = await person(1);
  await anna.signInAtHome(ANNA);
  await openFromMenu(anna, 'admin.title');
  const link = await invite(anna, BELA.name);
  assert.match(link, /\/invite#.{20,}$/);

  const bela = await person(2, { viewport: PHONE });
  await acceptInvite(bela, link, BELA);
  await openFromMenu(bela, 'account.title');
  await bela.field('Name').fill('Béla B.');
  await bela.button('Save').click();
  await bela.reads('Saved.');
  bela.name = 'Béla B.';
  const secret = await beginTotp(bela, BELA.password);
  const codes = await confirmTotp(bela, secret);
  assert.ok(codes.length >= 8, `${codes.length} backup codes`);
  await bela.button('They are kept').click();
  await bela.reads(`Set up. ${codes.length} backup codes are left.`);
  assert.equal(await overflow(bela), 0);

  // The link is used up, and the password alone does not open the door any more.
  await follow(bela, 'To the home page');
  await bela.signOut();
  await bela.goto(link);
  await bela.reads('This link was used, taken back, or has expired. Ask for a new one.');
  await follow(bela, 'To the sign-in');
  await bela.signIn(BELA);
  await bela.field('Code').fill('000000');
  await bela.button('Sign in').click();
  await bela.reads('This code does not match.');
  await bela.button('Use a backup code').click();
  await bela.field('Backup code').fill(codes[0] ?? '');
  await bela.button('Sign in').click();
  await bela.button('New call').waitFor();
  await bela.goto('/account');
  await bela.reads(`${codes.length - 1} backup codes are left.`);

  await anna.goto('/admin/people');
  await anna.field('Name, username or mail').fill('bel');
  await anna.page.getByRole('link', { name: /Béla B\./ }).click();
  await anna.button('Lock').click();
  await anna.page.getByRole('dialog').getByRole('button', { name: 'Lock' }).click();
  await anna.reads('This account is locked.');
  await bela.field('Username').waitFor();
  await bela.signIn(BELA);
  await bela.reads('Username and password do not match.');
});
