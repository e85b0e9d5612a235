import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../protocol/generated.ts';
import {
  catalogues,
  chooseLanguage,
  durationInWords,
  type Key,
  relativeTime,
  type Text,
  textOf,
  translate,
} from './catalogue.ts';

// A code without a text is a type error here.
const codes: { readonly [C in ErrorCode | 'offline']: Key & `code.${C}` } = {
  offline: 'code.offline',
  malformed: 'code.malformed',
  unknown_type: 'code.unknown_type',
  unsupported_version: 'code.unsupported_version',
  sign_in_required: 'code.sign_in_required',
  wrong_credentials: 'code.wrong_credentials',
  forbidden: 'code.forbidden',
  not_owner: 'code.not_owner',
  guests_not_allowed: 'code.guests_not_allowed',
  not_found: 'code.not_found',
  method_not_allowed: 'code.method_not_allowed',
  name_invalid: 'code.name_invalid',
  name_taken: 'code.name_taken',
  password_invalid: 'code.password_invalid',
  setup_link_invalid: 'code.setup_link_invalid',
  link_invalid: 'code.link_invalid',
  wrong_code: 'code.wrong_code',
  passkey_invalid: 'code.passkey_invalid',
  mail_invalid: 'code.mail_invalid',
  image_invalid: 'code.image_invalid',
  address_invalid: 'code.address_invalid',
  time_invalid: 'code.time_invalid',
  managed_elsewhere: 'code.managed_elsewhere',
  last_admin: 'code.last_admin',
  not_in_room: 'code.not_in_room',
  already_in_room: 'code.already_in_room',
  not_admitted: 'code.not_admitted',
  cannot_be_called: 'code.cannot_be_called',
  in_call: 'code.in_call',
  call_over: 'code.call_over',
  room_full: 'code.room_full',
  too_many: 'code.too_many',
  sdp_invalid: 'code.sdp_invalid',
  no_media_connection: 'code.no_media_connection',
  rate_limited: 'code.rate_limited',
  too_large: 'code.too_large',
  restarting: 'code.restarting',
  unavailable: 'code.unavailable',
  internal: 'code.internal',
};

const keys = Object.keys(catalogues.en) as Key[];

describe('the catalogues', () => {
  it('have the same keys', () => {
    expect(Object.keys(catalogues.de).sort()).toEqual([...keys].sort());
  });

  it.each(keys)('say %s in both languages with the same parameters and without blanks or shouting', (key) => {
    const [de, en] = [forms(catalogues.de[key]), forms(catalogues.en[key])];
    expect(de.length).toBe(en.length);
    for (const form of [...de, ...en]) {
      expect(form.trim()).not.toBe('');
      expect(form).not.toContain('!');
    }
    expect(new Set(de.flatMap(placeholders))).toEqual(new Set(en.flatMap(placeholders)));
  });

  it('have no text that no screen says', () => {
    const folder = new URL('../ui/', import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(svelte|ts)$/.test(name),
    );
    const sources = files.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
    // These are put together from a code: `code.${code}`.
    const composed =
      /^(action|code|name|step|source|managed|method|scope|presence)\.|^people\.group_|^history\.(incoming|outgoing|missed|room|end_\w+)$|^admin\.section_|^connection\.(good|unknown|choppy|(line|tip)_\w+|loss_(both|up|down)|(narrow|device|path|network|browser)_\w+)$|^connections\.days_|^meeting\.(reconnecting|restarting|obstructed|stuck|back)$|^pictures\.((thin|bad)_line|busy_\w+)$|^sharing\.(text|motion)$|^sign_in\.refused_|^devices\.(\w+_)?(denied|missing|busy|lost|failed|insecure|unsupported)$/;
    expect(keys.filter((key) => !composed.test(key) && !sources.includes(`'${key}'`))).toEqual([]);
  });

  it('have a text for every error code of the server and no other', () => {
    expect(keys.filter((key) => key.startsWith('code.')).sort()).toEqual(Object.values(codes).sort());
  });
});

it.each([
  ['action.person.created', 'Person added'],
  ['action.nothing.known', undefined],
  ['toString', undefined],
  ['home.people', undefined],
])('the text of %s, which the server chooses, is %s', (key, text) => {
  expect(textOf('en', key)).toBe(text);
});

describe('a translation', () => {
  it('fills in parameters, once', () => {
    expect(translate('en', 'meeting.joined', { name: '{name} & Söhne' })).toBe('{name} & Söhne came in');
  });

  it.each([
    ['de', 1, '1 Person ist da'],
    ['de', 3, '3 Personen sind da'],
    ['de', 1200, '1.200 Personen sind da'],
    ['en', 1, '1 person is here'],
    ['en', 0, '0 people are here'],
  ] as const)('in %s counts %d as “%s”', (language, count, text) => {
    expect(translate(language, 'door.people', { count })).toBe(text);
  });
});

it.each([
  [null, ['fr-FR', 'de-AT', 'en'], 'de'],
  [null, ['fr'], 'en'],
  [null, [], 'en'],
  ['en', ['de'], 'en'],
  ['xx', ['de-DE'], 'de'],
] as const)('the language for the stored %s and the wanted %j is %s', (stored, wanted, language) => {
  expect(chooseLanguage(stored, wanted)).toBe(language);
});

it.each([
  [0, 'jetzt'],
  [5, 'vor 5 Minuten'],
  [60 * 3, 'vor 3 Stunden'],
  [60 * 24, 'gestern'],
  [-5, 'jetzt'],
])('what was %d minutes ago is called “%s”', (minutes, text) => {
  const now = Date.UTC(2026, 10, 25, 12);
  expect(relativeTime('de', now - minutes * 60_000, now)).toBe(text);
});

it.each([
  [5, 'vor 5 Min.'],
  [60 * 3, 'vor 3 Std.'],
  [60 * 24, 'gestern'],
  [60 * 24 * 15, '10. Nov.'],
  [60 * 24 * 400, '21.10.2025'],
])('what was %d minutes ago is called “%s” where there is little room', (minutes, text) => {
  const now = Date.UTC(2026, 10, 25, 12);
  expect(relativeTime('de', now - minutes * 60_000, now, 'short')).toBe(text);
});

it.each([
  [200, '1 Sek.'],
  [42_000, '42 Sek.'],
  [754_000, '13 Min.'],
  [3_899_000, '1 Std. 5 Min.'],
  [7_200_000, '2 Std.'],
])('%d ms are “%s”', (ms, text) => {
  expect(durationInWords('de', ms)).toBe(text);
});

function forms(text: Text): string[] {
  return typeof text === 'string' ? [text] : [text.one, text.other];
}

function placeholders(form: string): string[] {
  return [...form.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
}
