/**
 * What the pages of the administration show and can do. Lists are shown as the server tells them. Intents that a dialog
 * waits for answer whether they worked; what went wrong is in the state.
 */

import type * as wire from '../../protocol/generated.ts';
import type { AdminSection } from '../address.ts';
import type { StayScreen, StaysScreen } from '../connection/screens.ts';
import type { ListScreen, ListState, Told } from '../list.ts';
import type { Readable } from '../store.ts';
import type { WorkState } from '../work.ts';

export type Person = Readonly<wire.AdminPerson>;
export type PersonDetails = Readonly<wire.AdminPersonDetails>;
export type Group = Readonly<wire.Group>;
export type Invite = Readonly<wire.AccountInvite>;
export type Client = Readonly<wire.Client>;
export type Session = Readonly<wire.Session>;
export type PersonSession = Session & { readonly user: string; readonly name: string };
export type Token = Readonly<wire.Token>;
export type TokenScope = wire.TokenScope;
export type Settings = Readonly<wire.Settings>;
export type VisibilityRule = Readonly<wire.VisibilityRule>;
export type AuditEntry = Readonly<wire.AuditEntry>;
export type LdapStatus = Readonly<wire.LdapStatus>;
export type ImportReport = Readonly<wire.ImportReport>;
export type GroupDraft = wire.CreateGroup;
export type InviteDraft = wire.CreateAccountInvite;
export type ClientDraft = wire.CreateClient;
export type TokenDraft = wire.CreateToken;
export type PersonDraft = wire.CreatePerson;

/** First steps of a new house. */
export interface OverviewState extends WorkState {
  /** Absent until it is known, empty when it was put away. */
  readonly steps?: readonly { readonly step: Step; readonly done: boolean; readonly path: string }[];
}

export type Step = 'name' | 'logo' | 'legal_links' | 'people' | 'guests' | 'mail';

export interface OverviewScreen extends Readable<OverviewState> {
  retry(): void;
  dismiss(): void;
}

export interface PeopleState extends WorkState {
  readonly text: string;
  /** Name of a group, or empty. */
  readonly group: string;
  readonly groups: readonly string[];
  readonly people?: readonly Person[];
  readonly total: number;
  readonly hasMore: boolean;
  readonly told?: Told;
  /** Whether the house sends mail. */
  readonly mail: boolean;
  /** Present while a table is being brought in: what would change, or what did. */
  readonly report?: ImportReport & { readonly file: string; readonly dryRun: boolean };
  /** Absent where the house has no LDAP. */
  readonly ldap?: LdapStatus;
}

export interface PeopleScreen extends Readable<PeopleState> {
  setText(text: string): void;
  setGroup(group: string): void;
  more(): void;
  retry(): void;
  make(draft: PersonDraft): Promise<boolean>;
  forgetTold(): void;
  /** Tries a table: nothing is written yet. */
  tryTable(file: File): Promise<boolean>;
  bringIn(): Promise<boolean>;
  closeReport(): void;
  syncLdap(): void;
}

export interface PersonState extends WorkState {
  readonly details?: PersonDetails;
  /** Names of all groups. */
  readonly groups: readonly string[];
  readonly told?: Told;
  readonly mail: boolean;
  /** Whether the reader looks at themselves. */
  readonly you: boolean;
  /** Address of everything that is stored about the person. */
  readonly exportPath: string;
}

export interface PersonScreen extends Readable<PersonState> {
  retry(): void;
  save(person: { name: string; mail: string }): Promise<boolean>;
  setAdmin(on: boolean): void;
  setLocked(on: boolean): Promise<boolean>;
  setGroup(group: string, on: boolean): void;
  removeSecondFactors(): Promise<boolean>;
  recover(sendMail: boolean): Promise<boolean>;
  forgetTold(): void;
  endSession(id: string): void;
  endSessions(): void;
  /** Leads back to the list when it worked. */
  remove(): Promise<boolean>;
}

export interface SettingsState extends WorkState {
  readonly settings?: Settings;
  /** Address of the logo. */
  readonly logo?: string;
  /** Names of all groups. */
  readonly groups: readonly string[];
  /** For a while after something was saved. */
  readonly saved: boolean;
  readonly mailSent: boolean;
}

export interface SettingsScreen extends Readable<SettingsState> {
  retry(): void;
  save(
    change: Partial<
      Pick<
        Settings,
        | 'name'
        | 'imprint_url'
        | 'privacy_url'
        | 'guests'
        | 'open_house'
        | 'local_sign_in'
        | 'push'
        | 'minimum_version'
        | 'history_days'
        | 'visibility'
      >
    >,
  ): Promise<boolean>;
  setLogo(file: File): void;
  removeLogo(): void;
  testMail(): void;
}

export interface AuditState extends WorkState {
  readonly entries?: readonly AuditEntry[];
  readonly hasMore: boolean;
}

export interface AuditScreen extends Readable<AuditState> {
  more(): void;
}

export type AdminPage =
  | { readonly name: 'overview'; readonly screen: OverviewScreen }
  | { readonly name: 'people'; readonly screen: PeopleScreen }
  | { readonly name: 'person'; readonly screen: PersonScreen }
  | { readonly name: 'groups'; readonly screen: ListScreen<Group, GroupDraft> }
  | { readonly name: 'invites'; readonly screen: InvitesScreen }
  | { readonly name: 'applications'; readonly screen: ListScreen<Client, ClientDraft> }
  | { readonly name: 'sessions'; readonly screen: ListScreen<PersonSession> }
  | { readonly name: 'connections'; readonly screen: StaysScreen }
  | { readonly name: 'connection'; readonly screen: StayScreen }
  | { readonly name: 'house'; readonly screen: SettingsScreen }
  | { readonly name: 'policy'; readonly screen: SettingsScreen }
  | { readonly name: 'audit'; readonly screen: AuditScreen }
  | { readonly name: 'tokens'; readonly screen: ListScreen<Token, TokenDraft> };

export interface InvitesScreen extends ListScreen<Invite, InviteDraft> {
  readonly mail: boolean;
  readonly groups: Readable<ListState<Group>>;
}

/** One page of the administration; another page is another object. */
export interface AdminScreen {
  readonly section: AdminSection;
  readonly page: AdminPage;
  close(): void;
}
