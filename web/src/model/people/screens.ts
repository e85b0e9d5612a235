/**
 * What the screens about people show and can do: lists, the history, one person's page. The rules of `model/screens.ts`
 * hold here too.
 */

import type { Availability, CallEnd, HistoryKind, Status } from '../../protocol/generated.ts';
import type { Callee } from '../calls/port.ts';
import type { StayLine } from '../connection/screens.ts';
import type { Problem } from '../screens.ts';
import type { Readable } from '../store.ts';
import type { WorkState } from '../work.ts';

export type { Availability, Callee, Status };

export interface SightState {
  /** Of the people who are on the screen; absent while it is not known. */
  readonly availability: ReadonlyMap<string, Availability>;
}

/** Whose availability is on the screen. */
export interface SightScreen extends Readable<SightState> {
  /** All that can be seen now, after every scrolling. */
  show(people: readonly string[]): void;
}

/** Calls at once from a list. */
export interface CallerScreen {
  /** How it calls when it is not said: as the last time. */
  readonly video: boolean;
  call(person: Callee, video?: boolean): void;
}

/** Somebody of the house. */
export interface Contact extends Callee {
  readonly username: string;
  readonly mail?: string;
  readonly favourite: boolean;
  /** The address of their page, ready for `href`. */
  readonly path: string;
}

export interface ContactGroup {
  /** `found`: what was searched for. The others stand in this order while nothing is. */
  readonly kind: 'favourites' | 'recent' | 'all' | 'found';
  readonly people: readonly Contact[];
}

export interface ContactsState {
  readonly text: string;
  /** Without the empty ones. Absent until the first answer is here. */
  readonly groups?: readonly ContactGroup[];
  /** There are more than are shown. */
  readonly more: boolean;
  /** Nobody else is shown until three letters are there. */
  readonly typeMore: boolean;
  readonly problem?: Problem;
}

export interface ContactsScreen extends Readable<ContactsState> {
  readonly sight: SightScreen;
  readonly caller: CallerScreen;
  /** When the list comes into view, and when it goes. */
  open(): void;
  leave(): void;
  setText(text: string): void;
  retry(): void;
}

export interface HistoryLine {
  readonly id: string;
  readonly kind: HistoryKind;
  /** Of a call. */
  readonly person?: Callee & { readonly path: string };
  /** Of a stay in a room; `path` is the address of its door. */
  readonly room?: { readonly name: string; readonly path: string };
  readonly video: boolean;
  /** Why nobody answered. */
  readonly end?: CallEnd;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly durationMs?: number;
  /** A missed call that was not looked at yet. */
  readonly fresh: boolean;
  /** How one's own connection was. */
  readonly connection?: StayLine;
}

export interface HistoryState extends WorkState {
  /** The newest first. Absent until they are here. */
  readonly lines?: readonly HistoryLine[];
  /** There are older ones. */
  readonly more: boolean;
  /** Older ones are on the way. */
  readonly loading: boolean;
}

export interface HistoryScreen extends Readable<HistoryState> {
  readonly sight: SightScreen;
  readonly caller: CallerScreen;
  /** When the list comes into view, and when it goes. */
  open(): void;
  leave(): void;
  /** Somebody is there and has the list before them: nothing in it is unseen any more. */
  looked(): void;
  loadMore(): void;
  remove(id: string): void;
  /** True when all of it is gone. */
  clear(): Promise<boolean>;
  retry(): void;
}

export interface PersonPageState extends WorkState {
  /** Absent until it is known; with a `problem`, the button is `retry()`. */
  readonly person?: Contact;
  /** There is nobody, or nobody whom the reader may see: the page says so. */
  readonly unknown: boolean;
  /** The reader's own page: nobody calls themselves. */
  readonly you: boolean;
  /** How one's own connection was when they last talked. */
  readonly connection?: StayLine & { readonly at: number };
}

/** `/people/<id>`. */
export interface PersonPageScreen extends Readable<PersonPageState> {
  readonly sight: SightScreen;
  readonly caller: CallerScreen;
  setFavourite(on: boolean): void;
  retry(): void;
}
