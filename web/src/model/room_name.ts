/**
 * What rooms may be called, how a name is written in an address, and which names are hard to guess. The server decides;
 * here the same rules say early what it would refuse.
 */

import type { NameProblem, RoomAccess } from './screens.ts';

export const OPEN_PREFIX = 'public/';
const ROOM_GRAPHEMES = 128;
const PERSON_GRAPHEMES = 64;

/** What the server refuses: controls, halves of characters, marks that turn the writing direction, what has no width. */
const FORBIDDEN = new RegExp(
  String.raw`[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}-\u{180f}\u{200b}-\u{200f}` +
    String.raw`\u{2028}-\u{202e}\u{2060}-\u{206f}\u{2800}\u{3164}\u{fe00}-\u{fe0d}\u{feff}\u{ffa0}\u{fff0}-\u{fffb}` +
    String.raw`\u{1d173}-\u{1d17a}\u{e0000}-\u{e001f}\u{e0080}-\u{e0fff}]`,
  'u',
);
/** A joiner between two pictures makes one picture of them, and is allowed there. */
const JOINED_PICTURES = /(\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)\u200d(?=\p{Extended_Pictographic})/gu;

export interface RoomText {
  /** Written with `public/`: a room that is made now is open to guests. */
  readonly open: boolean;
  /** Cleaned and without `public/`; may be empty. */
  readonly name: string;
  readonly problem?: NameProblem;
}

export function readRoomText(text: string): RoomText {
  let rest = text.trimStart();
  let open = false;
  while (rest.startsWith(OPEN_PREFIX)) {
    open = true;
    rest = rest.slice(OPEN_PREFIX.length).trimStart();
  }
  const name = cleaned(rest);
  const problem = problemOf(name);
  return problem ? { open, name, problem } : { open, name };
}

/** A person's name as it will be taken, or undefined when it cannot be one. */
export function readPersonName(text: string): string | undefined {
  const name = cleaned(text);
  return name === '' || !visible(name) || graphemes(name).length > PERSON_GRAPHEMES ? undefined : name;
}

/** A name with `public/` before it when guests may enter: as people write it, and as the server takes it. */
export function writeRoomText(name: string, access: RoomAccess): string {
  return access === 'guests' ? OPEN_PREFIX + name : name;
}

function cleaned(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/gu, ' ');
}

function problemOf(name: string): NameProblem | undefined {
  if (!visible(name)) return 'bad_characters';
  if (graphemes(name).length > ROOM_GRAPHEMES) return 'too_long';
  if (name === '.' || name === '..') return 'dots';
  return undefined;
}

function visible(name: string): boolean {
  return !FORBIDDEN.test(name.replace(JOINED_PICTURES, '$1'));
}

/** Characters as people count them; browsers that cannot tell give code points, and the server decides. */
function graphemes(text: string): string[] {
  if (!('Segmenter' in Intl)) return [...text];
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

// ---------------------------------------------------------------------------------------------------------- addresses

const ROOMS = '/r/';

/** The address of a room's door. Slashes of the name are kept where every part between them survives in a URL. */
export function roomPath(name: string, access: RoomAccess): string {
  const parts = name.split('/');
  const fragile = parts.some((part) => part === '' || part === '.' || part === '..');
  const written = fragile ? encodeURIComponent(name) : parts.map(encodeURIComponent).join('/');
  return ROOMS + (access === 'guests' ? OPEN_PREFIX : '') + written;
}

/** The name as it stands in the path of a room's address, `public/` included; undefined for other addresses. */
export function roomTextFromPath(pathname: string): string | undefined {
  if (!pathname.startsWith(ROOMS)) return undefined;
  try {
    return pathname.slice(ROOMS.length).split('/').map(decodeURIComponent).join('/');
  } catch {
    return undefined;
  }
}

/** Whether two names are the same room. */
export function sameRoom(a: string, b: string): boolean {
  return roomKey(a) === roomKey(b);
}

export function roomKey(name: string): string {
  return cleaned(name).toLowerCase();
}

// ---------------------------------------------------------------------------------------------------- guessable names

const CONSONANTS = 'bdfghklmnprstvwz';
const VOWELS = 'aeio';
/** Six bits each: 72 bits can be said over the telephone and not be tried out. */
const SYLLABLES = 12;
const SYLLABLES_PER_WORD = 3;

/** `name` with something behind it that nobody guesses. */
export function hardToGuess(name: string, randomBytes: (length: number) => Uint8Array): string {
  let secret = '';
  randomBytes(SYLLABLES).forEach((byte, i) => {
    if (i > 0 && i % SYLLABLES_PER_WORD === 0) secret += '-';
    secret += (CONSONANTS[byte & 15] ?? '') + (VOWELS[(byte >> 4) & 3] ?? '');
  });
  const room = ROOM_GRAPHEMES - secret.length - 1;
  const kept = graphemes(name).slice(0, room);
  return kept.length === 0 ? secret : `${kept.join('')} ${secret}`;
}

const OURS = new RegExp(
  `(?:^| )(?:(?:[${CONSONANTS}][${VOWELS}]){${SYLLABLES_PER_WORD}}-?){${SYLLABLES / SYLLABLES_PER_WORD}}$`,
  'u',
);
/** Somebody else's random part: long, without a space, letters and digits mixed. */
const RANDOM = /(?=[^\s]*\d)(?=[^\s]*[a-z])[\w-]{16,}/iu;

export function isGuessable(name: string): boolean {
  return !OURS.test(name) && !RANDOM.test(name);
}
