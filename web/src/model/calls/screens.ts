/** What the screens of calls show and can do; the same rules as in `model/screens.ts` hold. */

import type { CallEnd } from '../../protocol/generated.ts';
import type { Problem } from '../screens.ts';
import type { Readable } from '../store.ts';
import type { Callee, Calling } from './port.ts';

export type { CallEnd, Callee };

/** Somebody rings here. */
export interface IncomingCall {
  readonly id: string;
  readonly person: Callee;
  /** With the camera on, on their side: what the green button offers, if there is a camera. */
  readonly video: boolean;
  /** Whether this browser gives cameras at all. */
  readonly canVideo: boolean;
  /** The named room that one is rung into. */
  readonly room?: string;
}

export interface CallsState {
  readonly incoming?: IncomingCall;
  /** Of all tabs of this browser this one makes the noise. */
  readonly leads: boolean;
  /** Nobody looks at this tab, and notifications are wanted: show one for what rings. */
  readonly notifies: boolean;
}

/** What a notification says. */
export interface NoticeWords {
  readonly title: string;
  readonly text: string;
  readonly accept: string;
  readonly decline: string;
}

/** The switch "Notifications for calls". */
export interface NotifyState {
  readonly on: boolean;
  /** `blocked`: the browser was told never to; only its own settings help. `absent`: it cannot. */
  readonly permission: 'open' | 'blocked' | 'absent';
}

export interface NotifyScreen extends Readable<NotifyState> {
  /** Call it in the click handler itself: the browser asks. */
  setOn(on: boolean): void;
}

/** What rings, over every page. */
export interface CallsScreen extends Readable<CallsState>, Calling {
  readonly notify: NotifyScreen;
  accept(video: boolean): void;
  decline(): void;
  /** Silences this device alone. */
  ignore(): void;
  /** While `notifies`; takes it back by what is returned. */
  showNotice(words: NoticeWords): () => void;
}

/** How a call ended that nobody talked in, or that cannot be come back to. */
export type CallOutcome = CallEnd | 'over';

export interface CallPageState {
  /**
   * `asking`: the server has not answered. `ringing`: a device of theirs rings. `searching`: only a push message is on
   * its way. `connecting`: accepted, or coming back; nobody else is inside yet. `ended`: see `outcome` or `problem`.
   */
  readonly phase: 'asking' | 'ringing' | 'searching' | 'connecting' | 'ended';
  /** Absent for a call that nothing is known of any more. */
  readonly person?: Callee;
  readonly video: boolean;
  /** The connection is down: whether it still rings is not known. */
  readonly lost?: true;
  readonly outcome?: CallOutcome;
  readonly problem?: Problem;
}

/** From the click on the handset until somebody else is inside, and after a call that came to nothing. */
export interface CallPageScreen extends Readable<CallPageState> {
  hangUp(): void;
  again(): void;
  back(): void;
}

export interface RungPerson {
  readonly call: string;
  readonly person: Callee;
  /** False: a push message looks for them. */
  readonly ringing: boolean;
}

export interface MeetingCallsState {
  /** When the talk of a call began, Unix milliseconds; absent in rooms with a name and while nobody else is inside. */
  readonly since?: number;
  /** Who is being rung into this meeting. */
  readonly rung: readonly RungPerson[];
  /** What came of the last one, for some seconds. */
  readonly note?: { readonly name: string; readonly outcome: CallEnd };
  readonly problem?: Problem;
  /** Present while one chooses whom to ring. */
  readonly picker?: PickerScreen;
}

/** Ringing more people in; absent for guests. */
export interface MeetingCallsScreen extends Readable<MeetingCallsState> {
  openPicker(): void;
  closePicker(): void;
  cancel(call: string): void;
}

export interface Pickable extends Callee {
  readonly username: string;
  readonly availability?: 'available' | 'in_call' | 'away' | 'do_not_disturb' | 'offline';
}

export interface PickerState {
  readonly text: string;
  /** Absent until the first answer is here. */
  readonly people?: readonly Pickable[];
  readonly typeMore: boolean;
  readonly more: boolean;
  readonly problem?: Problem;
}

export interface PickerScreen extends Readable<PickerState> {
  setText(text: string): void;
  retry(): void;
  /** Rings them in and closes. */
  choose(person: Pickable): void;
}
