/** The language of everything on the screen, and `t`, which components read it through. */

import {
  type Arguments,
  chooseLanguage,
  dateAndTime,
  durationInWords,
  type Key,
  type Language,
  relativeTime,
  textOf,
  translate,
} from '../i18n/catalogue.ts';
import { clock, type Span, spanInFull, spanInWords } from './meetings/when.ts';

/** Where the choice is kept; the browser may refuse it. */
export interface LanguageMemory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const KEY = 'stube.language';
let language = $state<Language>('en');
let memory: LanguageMemory | undefined;

export function startLanguage(wanted: readonly string[], storage: LanguageMemory | undefined): void {
  memory = storage;
  show(chooseLanguage(recall(), wanted));
}

export function currentLanguage(): Language {
  return language;
}

export function otherLanguage(): Language {
  return language === 'de' ? 'en' : 'de';
}

export function switchLanguage(): void {
  show(otherLanguage());
  try {
    memory?.setItem(KEY, language);
  } catch {
    // Storage is full or forbidden: the choice lasts as long as the page.
  }
}

export function t<K extends Key>(key: K, ...params: Arguments<K>): string {
  return translate(language, key, ...params);
}

export function timeAgo(at: number): string {
  return relativeTime(language, at, Date.now());
}

/** The same in a few letters, told from a moment that moves on. */
export function shortTimeAgo(at: number, now: number): string {
  return relativeTime(language, at, now, 'short');
}

/** For a key that the server chooses; absent where we have no words for it. */
export function plainText(key: string): string | undefined {
  return textOf(language, key);
}

/** How long something took. */
export function duration(ms: number): string {
  return durationInWords(language, ms);
}

/** When something will be, in the reader's own time zone. */
export function spanWords(span: Span, now: number): string {
  return spanInWords(language, span, now, ownTimeZone());
}

/** The same for those who read it elsewhere. */
export function spanFull(span: Span): string {
  return spanInFull(language, span);
}

/** The time of day. */
export function clockWords(at: number): string {
  return clock(language, at, ownTimeZone());
}

function ownTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function dateTime(at: number): string {
  return dateAndTime(language, at);
}

function show(next: Language): void {
  language = next;
  document.documentElement.lang = next;
}

function recall(): string | null {
  try {
    return memory?.getItem(KEY) ?? null;
  } catch {
    return null;
  }
}
