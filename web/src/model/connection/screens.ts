/** What the screens about connections show and can do. The rules of `model/screens.ts` hold here too. */

import type * as wire from '../../protocol/generated.ts';
import type { Readable } from '../store.ts';
import type { WorkState } from '../work.ts';
import type { Finding } from './findings.ts';

export type { Finding };
export type RoomKind = wire.RoomKind;

export type Point = Readonly<wire.ConnectionPoint>;
export type Summary = Readonly<wire.ConnectionSummary>;

/** How one stay was, in a list. */
export interface StayLine {
  readonly id: string;
  readonly findings: readonly Finding[];
  /** The address of its page. */
  readonly path: string;
}

export interface Stay extends StayLine {
  readonly kind: RoomKind;
  /** Name of the room, if it is still there; a call has none. */
  readonly room?: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly over: boolean;
  readonly summary: Summary;
}

export interface StayState extends WorkState {
  /** Absent until it is here. */
  readonly stay?: Stay;
  /** Seconds from one point to the next. */
  readonly step: number;
  readonly points: readonly Point[];
  /** For administrators: whose it is. */
  readonly person?: { readonly name: string; readonly guest: boolean };
  /** There is none, or none of the reader's. */
  readonly unknown: boolean;
}

export interface StayScreen extends Readable<StayState> {
  retry(): void;
  close(): void;
}

export interface NowState {
  /** Absent until something was measured. */
  readonly findings?: readonly Finding[];
  readonly summary?: Summary;
  /** The network lets no UDP through. */
  readonly overTcp?: boolean;
}

export interface PersonsStay extends Stay {
  readonly name: string;
  readonly guest: boolean;
}

export interface StaysState extends WorkState {
  readonly text: string;
  /** The last days; 0 for all. */
  readonly days: number;
  readonly troubled: boolean;
  readonly stays?: readonly PersonsStay[];
  readonly hasMore: boolean;
}

/** For administrators. */
export interface StaysScreen extends Readable<StaysState> {
  setText(text: string): void;
  setDays(days: number): void;
  setTroubled(on: boolean): void;
  more(): void;
  retry(): void;
  close(): void;
}
