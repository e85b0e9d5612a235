/** What the page of one's own account shows and can do. Intents that a dialog waits for answer whether they worked. */

import type * as wire from '../../protocol/generated.ts';
import type { CopyableScreen } from '../copyable.ts';
import type { ListScreen } from '../list.ts';
import type { Readable } from '../store.ts';
import type { WorkState } from '../work.ts';

export type Account = Readonly<wire.Account>;
export type Passkey = Readonly<wire.Passkey>;
export type Session = Readonly<wire.Session>;
export type Application = Readonly<wire.Application>;

export interface AccountState extends WorkState {
  /** Absent until it is here; with a `problem`, the button is `retry()`. */
  readonly account?: Account;
  /** Address of the picture. */
  readonly picture?: string;
}

export interface ProfileState extends WorkState {
  /** For a while after something was saved. */
  readonly saved: boolean;
}

export interface ProfileScreen extends Readable<ProfileState> {
  /** The password only with another mail address. */
  save(profile: { name: string; mail: string; password: string }): Promise<boolean>;
  setPicture(file: File): void;
  removePicture(): void;
}

export interface PasswordScreen extends Readable<ProfileState> {
  change(password: { current: string; new: string }): Promise<boolean>;
}

export interface PasskeysState extends WorkState {
  /** Whether this browser can make them. */
  readonly supported: boolean;
  /** The browser made none: it was called off, or the device has none to give. */
  readonly failed: boolean;
}

export interface PasskeysScreen extends Readable<PasskeysState> {
  /** Call it in the handler of the form itself. */
  add(passkey: { name: string; password: string }): Promise<boolean>;
  remove(id: string, password: string): Promise<boolean>;
}

export interface TotpState extends WorkState {
  /** Begun: scanned or typed into an app, then confirmed by a code of it. */
  readonly setUp?: { readonly url: string; readonly secret: CopyableScreen };
  /** Told once. */
  readonly codes?: { readonly list: readonly string[]; readonly all: CopyableScreen };
}

export interface TotpScreen extends Readable<TotpState> {
  start(password: string): Promise<boolean>;
  confirm(code: string): Promise<boolean>;
  /** Ends the set-up before it is confirmed. */
  cancel(): void;
  remove(password: string): Promise<boolean>;
  saveCodes(): void;
  forgetCodes(): void;
}

export interface SessionsScreen extends ListScreen<Session> {
  endOthers(): void;
}

export interface AccountScreen extends Readable<AccountState> {
  readonly profile: ProfileScreen;
  readonly password: PasswordScreen;
  readonly passkeys: PasskeysScreen;
  readonly totp: TotpScreen;
  readonly sessions: SessionsScreen;
  readonly applications: ListScreen<Application>;
  /** Address of everything that is stored about the person. */
  readonly exportPath: string;
  retry(): void;
  close(): void;
}
