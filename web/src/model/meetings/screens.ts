/** What components see of planned meetings and invitations. */

import type { CopyableScreen } from '../copyable.ts';
import type { Problem, RoomAccess } from '../screens.ts';
import type { Readable } from '../store.ts';

export type Language = 'de' | 'en';

/** Somebody who is invited. */
export interface Recipient {
  readonly key: string;
  readonly name: string;
  /** Of people of the house. */
  readonly user?: string;
  readonly mail?: string;
  /** Cannot be an address. */
  readonly wrong: boolean;
}

export interface Suggestion {
  readonly user: string;
  readonly name: string;
  readonly mail?: string;
  readonly picture?: string;
}

export interface RecipientsState {
  readonly list: readonly Recipient[];
  readonly text: string;
  /** People of the house who match what is typed. */
  readonly suggestions: readonly Suggestion[];
}

export interface RecipientsScreen extends Readable<RecipientsState> {
  /** Complete addresses in it become recipients. */
  setText(text: string): void;
  /** Takes what is typed for an address. */
  take(): void;
  choose(suggestion: Suggestion): void;
  remove(key: string): void;
  /** Backspace in an empty field. */
  removeLast(): void;
}

/** In the share sheet: mail to several people. */
export interface MailState {
  /** Absent until it is known whether the house sends mail for this person. */
  readonly byHouse?: boolean;
  readonly busy: boolean;
  readonly problem?: Problem;
  readonly sent?: { readonly mailed: number; readonly notMailed: number };
}

export interface MailScreen extends Readable<MailState> {
  readonly recipients: RecipientsScreen;
  send(language: Language): void;
  /** To invite others. */
  again(): void;
}

export interface MeetingView {
  readonly id: string;
  readonly title: string;
  /** The address of its room's door, ready for `href`. */
  readonly path: string;
  /** Unix milliseconds. */
  readonly startsAt: number;
  readonly endsAt: number;
  readonly zone: string;
  readonly by: string;
  /** The reader may change and cancel it. */
  readonly own: boolean;
  /** It begins in a few minutes, or goes on. */
  readonly near: boolean;
}

export interface MeetingsState {
  /** What "today" means: moves on by itself. */
  readonly now: number;
  /** The next first. */
  readonly upcoming: readonly MeetingView[];
  /** One that begins soon and was not yet taken note of. */
  readonly reminder?: MeetingView;
  /** Present while the dialog is open. */
  readonly planning?: PlanningScreen;
  /** Present while one is asked whether to cancel. */
  readonly cancelling?: { readonly meeting: MeetingView; readonly busy: boolean; readonly problem?: Problem };
  /** Of opening the dialog. */
  readonly problem?: Problem;
}

export interface MeetingsScreen extends Readable<MeetingsState> {
  plan(): void;
  edit(id: string): void;
  closePlanning(): void;
  askToCancel(id: string): void;
  keep(): void;
  cancel(): void;
  dismissReminder(): void;
  /** To the door of its room. */
  join(meeting: MeetingView): void;
}

export interface RoomChoice {
  /** As the server takes it; empty: a new one. */
  readonly value: string;
  readonly name: string;
  readonly access: RoomAccess;
}

export interface PlanningState {
  /** One is changed that is there. */
  readonly edits: boolean;
  readonly title: string;
  readonly date: string;
  readonly time: string;
  readonly minutes: number;
  readonly zone: string;
  readonly zones: readonly string[];
  readonly rooms: readonly RoomChoice[];
  readonly room: string;
  /** The switch "Allow guests" of a new room; absent where it is not to be drawn. */
  readonly allowGuests?: boolean;
  /** Who may enter by its link. */
  readonly access: RoomAccess;
  /** Somebody is invited who cannot get in. */
  readonly shutOut: boolean;
  readonly timeProblem?: 'none' | 'past';
  readonly canSubmit: boolean;
  readonly busy: boolean;
  readonly problem?: Problem;
  readonly done?: PlannedView;
}

export interface PlannedView {
  readonly title: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly zone: string;
  readonly link: CopyableScreen;
  readonly access: RoomAccess;
  readonly calendar: string;
  readonly byHouse: boolean;
  readonly mailed: number;
  readonly notMailed: number;
  /** For a draft. */
  readonly mails: readonly string[];
}

export type PlanField = 'title' | 'date' | 'time' | 'zone' | 'room';

export interface PlanningScreen extends Readable<PlanningState> {
  readonly recipients: RecipientsScreen;
  change(field: PlanField, value: string): void;
  setMinutes(minutes: number): void;
  setAllowGuests(on: boolean): void;
  submit(language: Language): void;
}
