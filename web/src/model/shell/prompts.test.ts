import { expect, test } from 'vitest';
import { intentAddress, isBelow, promptFor, type Situation } from './prompts.ts';
import type { Prompt } from './screens.ts';

const all: ReadonlySet<Prompt> = new Set(['push', 'install', 'update']);
const optional: ReadonlySet<Prompt> = new Set(['push', 'install']);
const home: Situation = { page: 'home', account: true, busy: false, answered: false, wanted: all };

test.each([
  ['an update before everything else', {}, 'update'],
  ['installing before push', { wanted: optional }, 'install'],
  ['push when nothing else is wanted', { wanted: new Set<Prompt>(['push']) }, 'push'],
  ['nothing when nothing is wanted', { wanted: new Set<Prompt>() }, undefined],
  ['guests nothing', { account: false }, undefined],
  ['nothing while busy', { busy: true }, undefined],
  ['nothing at the door', { page: 'door' }, undefined],
  ['nothing in a meeting', { page: 'meeting' }, undefined],
  ['nothing on the way in', { page: 'sign_in' }, undefined],
  ['an update after a meeting', { page: 'left' }, 'update'],
  ['an update in the administration', { page: 'admin' }, 'update'],
  ['an offer at home only', { page: 'account', wanted: optional }, undefined],
  ['one offer per visit', { answered: true, wanted: optional }, undefined],
  ['an update all the same', { answered: true }, 'update'],
] as const satisfies [string, Partial<Situation>, Prompt | undefined][])('%s', (_, change, expected) => {
  expect(promptFor({ ...home, ...change })).toBe(expected);
});

test.each([
  ['0.1.0-5f2c9a41', '0.2.0', true],
  ['0.9.9-5f2c9a41', '0.10.0', true],
  ['1.0.0-5f2c9a41', '0.10.0', false],
  ['0.2.0-5f2c9a41', '0.2.0', false],
  ['0.2.1-5f2c9a41', '0.2.0', false],
  ['0.2.0-5f2c9a41', undefined, false],
  ['0.2.0-5f2c9a41', 'newest', false],
  ['development', '0.2.0', false],
])('%s against at least %s', (build, minimum, below) => {
  expect(isBelow(build, minimum)).toBe(below);
});

test('Android is led to the whole address, secrets behind the # included', () => {
  expect(intentAddress('https://stube.example:8443/join#tok-en')).toBe(
    'intent://stube.example:8443/join#tok-en#Intent;scheme=https;action=android.intent.action.VIEW;end',
  );
});
