import { describe, expect, it } from 'vitest';
import {
  hardToGuess,
  isGuessable,
  readPersonName,
  readRoomText,
  roomPath,
  roomTextFromPath,
  sameRoom,
} from './room_name.ts';
import { seededBytes } from './tests/fakes.ts';

describe('a typed room name', () => {
  it.each([
    ['  Team   Süd \t 3 ', { open: false, name: 'Team Süd 3' }],
    ['public/Garten', { open: true, name: 'Garten' }],
    [' public/ public/Garten', { open: true, name: 'Garten' }],
    ['publicity', { open: false, name: 'publicity' }],
    ['a/public/b', { open: false, name: 'a/public/b' }],
    ['public/', { open: true, name: '' }],
    ['u\u0308ber', { open: false, name: 'über' }],
    ['👩‍👩‍👧‍👦 Familie', { open: false, name: '👩‍👩‍👧‍👦 Familie' }],
    ['.', { open: false, name: '.', problem: 'dots' }],
    ['public/..', { open: true, name: '..', problem: 'dots' }],
    ['...', { open: false, name: '...' }],
    ['a\u202eb', { open: false, name: 'a\u202eb', problem: 'bad_characters' }],
    ['a\u200bb', { open: false, name: 'a\u200bb', problem: 'bad_characters' }],
    ['a\u200db', { open: false, name: 'a\u200db', problem: 'bad_characters' }],
    ['a\u0007b', { open: false, name: 'a\u0007b', problem: 'bad_characters' }],
    ['\ud83d half', { open: false, name: '\ud83d half', problem: 'bad_characters' }],
  ])('%j is read as %j', (text, expected) => {
    expect(readRoomText(text)).toEqual(expected);
  });

  it('may have 128 characters as people count them, and no more', () => {
    expect(readRoomText('👍🏽'.repeat(128)).problem).toBeUndefined();
    expect(readRoomText('a'.repeat(129)).problem).toBe('too_long');
  });
});

describe('the address of a room', () => {
  it.each([
    ['Küche', '/r/K%C3%BCche'],
    ['Haus/Küche', '/r/Haus/K%C3%BCche'],
    ['100 % ? #1 & mehr', '/r/100%20%25%20%3F%20%231%20%26%20mehr'],
    ['a//b', '/r/a%2F%2Fb'],
    ['a/../b', '/r/a%2F..%2Fb'],
    ['./b', '/r/.%2Fb'],
    ['/a', '/r/%2Fa'],
    ['👩‍👩‍👧 + 🎉', '/r/%F0%9F%91%A9%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7%20%2B%20%F0%9F%8E%89'],
    ['%2F', '/r/%252F'],
  ])('of %j is %s', (name, path) => {
    expect(roomPath(name, 'accounts')).toBe(path);
  });

  it.each([
    'Küche',
    'Haus/Küche',
    '100 % ? #1',
    'a//b',
    'a/../b',
    '..x',
    'a/.',
    '/a/',
    '%',
    '%2F',
    '👩‍👩‍👧 + 🎉',
    'a;b=c',
    "it's (ok)!",
    'a\\b',
  ])('of %j leads back to it through a browser’s URL, open or not', (name) => {
    for (const access of ['accounts', 'guests'] as const) {
      const url = new URL(roomPath(name, access), 'https://stube.example');
      expect(url.search + url.hash).toBe('');
      const text = roomTextFromPath(url.pathname);
      expect(text).toBe(access === 'guests' ? `public/${name}` : name);
      expect(readRoomText(text ?? '')).toMatchObject({ open: access === 'guests' });
    }
  });

  it('that cannot be read is no room', () => {
    expect(roomTextFromPath('/r/%E0%A4%A')).toBeUndefined();
    expect(roomTextFromPath('/x/Küche')).toBeUndefined();
  });
});

describe('a name that is hard to guess', () => {
  const bytes = seededBytes(7);

  it.each(['', 'Team', 'x'.repeat(128), '👍🏽'.repeat(128)])('is made from %j, is valid and not guessable', (name) => {
    const made = hardToGuess(name, bytes);
    expect(readRoomText(made)).toEqual({ open: false, name: made });
    expect(isGuessable(made)).toBe(false);
    expect(roomPath(made, 'guests')).toContain('public/');
  });

  it('differs each time', () => {
    expect(hardToGuess('Team', bytes)).not.toBe(hardToGuess('Team', bytes));
  });

  it.each([
    ['Team', true],
    ['team-besprechung-am-montag', true],
    ['Kundengespräch 2026-11-25', true],
    ['banana-banana', true],
    ['7f3k9x2m4q8w1z5t', false],
    ['0b9c1d6e-58f2-4f0e-9f7d-4f9b8f1c2d3e', false],
  ])('%s is guessable: %s', (name, expected) => {
    expect(isGuessable(name)).toBe(expected);
  });
});

it.each([
  ['KÜCHE', 'küche', true],
  [' Küche ', 'Ku\u0308che', true],
  ['Küche', 'Kuche', false],
])('%j and %j are the same room: %s', (a, b, expected) => {
  expect(sameRoom(a, b)).toBe(expected);
});

it.each([
  ['  Anna  Schmidt ', 'Anna Schmidt'],
  ['   ', undefined],
  ['a'.repeat(65), undefined],
  ['A\u202eb', undefined],
  ['A\u2066b', undefined],
  ['A\u00adb', undefined],
  ['A\u{e0001}b', undefined],
  ['A\ufdd0b', undefined],
  ['\u2800', undefined],
  [
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} ❤️',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} ❤️',
  ],
])('the person %j is called %j', (text, expected) => {
  expect(readPersonName(text)).toBe(expected);
});
