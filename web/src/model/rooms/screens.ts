/** What the screens about rooms of one's own show and can do. The rules of `model/screens.ts` hold here too. */

import type { Problem, RoomDoor } from '../screens.ts';
import type { Readable } from '../store.ts';
import type { WorkState } from '../work.ts';

export type RoomGroupKind = 'pinned' | 'own' | 'recent';

export interface RoomGroup {
  readonly kind: RoomGroupKind;
  readonly rooms: readonly RoomDoor[];
}

export interface MyRoomsState {
  /** In this order, without the empty ones; every room once, lit ones first. */
  readonly groups: readonly RoomGroup[];
  /** There is no personal room yet: offer to make it. Absent until the rooms are known. */
  readonly offerPersonal?: boolean;
  /** The personal room is being made. */
  readonly busy: boolean;
  readonly problem?: Problem;
  /** Present while the sheet of a room is open. */
  readonly sheet?: RoomSheetScreen;
}

export interface MyRoomsScreen extends Readable<MyRoomsState> {
  setPinned(room: RoomDoor, pinned: boolean): void;
  /** Makes the personal room and goes to its door. */
  makePersonal(): void;
  /** Own rooms only. */
  openSheet(room: RoomDoor): void;
  closeSheet(): void;
}

/** Somebody who comes in without knocking, or might. */
export interface MemberView {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly picture?: string;
}

export interface RoomSheetState extends WorkState {
  readonly roomName: string;
  /** Absent when the house has no guests. */
  readonly allowGuests?: boolean;
  readonly knock: boolean;
  readonly people: number;
  /** Absent until they are here. */
  readonly members?: readonly MemberView[];
  /** What is searched for among the people of the house. */
  readonly text: string;
  /** Who was found and is no member. */
  readonly found: readonly MemberView[];
  readonly typeMore: boolean;
}

/** All that an owner may do with a room. */
export interface RoomSheetScreen extends Readable<RoomSheetState> {
  /** True when it is called so now. */
  rename(name: string): Promise<boolean>;
  setAllowGuests(on: boolean): void;
  setKnock(on: boolean): void;
  setText(text: string): void;
  add(person: MemberView): void;
  removeMember(id: string): void;
  /** The room and all that hangs on it; whoever is inside has to leave. True when it is gone. */
  remove(): Promise<boolean>;
}
