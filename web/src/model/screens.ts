/**
 * What every screen shows and can do: the contract between the models and the components. States are plain data in no
 * language; intents are methods that never throw and never reject: what goes wrong becomes part of the state.
 * Every screen is a `Readable` (see store.ts). Components must not import anything but `model/`.
 */

import type { ScreenMode } from '../media/encodings.ts';
import type { AudioSurface, VideoSurface } from '../media/surface.ts';
import type { ErrorCode, RoomKind, RoomLeftReason, Status, WaitingReason } from '../protocol/generated.ts';
import type { AccountScreen } from './account/screens.ts';
import type { ProviderRefusal } from './address.ts';
import type { AdminScreen } from './admin/screens.ts';
import type { CallPageScreen, CallsScreen, MeetingCallsScreen } from './calls/screens.ts';
import type { NowState, StayLine, StayScreen } from './connection/screens.ts';
import type { MailScreen, MeetingsScreen } from './meetings/screens.ts';
import type { ContactsScreen, HistoryScreen, PersonPageScreen } from './people/screens.ts';
import type { PushScreen } from './push/screens.ts';
import type { MyRoomsScreen } from './rooms/screens.ts';
import type { ShellScreen } from './shell/screens.ts';
import type { Readable } from './store.ts';
import type { WorkState } from './work.ts';

export type { AudioSurface, ScreenMode, VideoSurface };

/** Chosen by the server, or `offline`: the server could not be reached. Texts are chosen by this code. */
export type ProblemCode = ErrorCode | 'offline';

export interface Problem {
  readonly code: ProblemCode;
  readonly retryAfterMs?: number;
  /** Stands in the server's log too; for the folded-away details. */
  readonly reference?: string;
}

/** `accounts`: only accounts of this house may enter. `guests`: everybody with the link. */
export type RoomAccess = 'accounts' | 'guests';

// ---------------------------------------------------------------------------------------------------------- the app

export interface HouseView {
  /** The organisation's own name. */
  readonly name: string;
  /** Everybody may make and enter rooms: there is a home page for them, too. */
  readonly openHouse?: true;
  readonly imprintUrl?: string;
  readonly privacyUrl?: string;
  /** Absent for somebody who is not signed in. */
  readonly user?: UserView;
  /** Address of the organisation's logo. */
  readonly logo?: string;
}

export interface UserView {
  readonly username: string;
  readonly name: string;
  readonly admin: boolean;
  /** Address of the picture. */
  readonly picture?: string;
}

export type Page =
  /** Nothing is known yet: a skeleton after 300 ms. */
  | { readonly name: 'loading' }
  | { readonly name: 'setup'; readonly screen: SetupScreen }
  | { readonly name: 'sign_in'; readonly screen: SignInScreen }
  | { readonly name: 'account_link'; readonly screen: AccountLinkScreen }
  | { readonly name: 'forgotten'; readonly screen: ForgottenScreen }
  /** `tab`: which one is open at first. */
  | { readonly name: 'home'; readonly screen: HomeScreen; readonly tab?: 'contacts' }
  /** Instead of the home page for somebody without an account, in an open house. */
  | { readonly name: 'lobby'; readonly screen: LobbyScreen }
  | { readonly name: 'account'; readonly screen: AccountScreen }
  | { readonly name: 'admin'; readonly screen: AdminScreen }
  | { readonly name: 'person'; readonly screen: PersonPageScreen }
  | { readonly name: 'connection'; readonly screen: StayScreen }
  | { readonly name: 'door'; readonly screen: DoorScreen }
  | { readonly name: 'meeting'; readonly screen: MeetingScreen }
  | { readonly name: 'left'; readonly screen: LeftScreen }
  | { readonly name: 'call'; readonly screen: CallPageScreen }
  | { readonly name: 'not_found' }
  /** The one button is `app.retry()`. */
  | { readonly name: 'error'; readonly problem: Problem };

/** What is known of the signed-in person while the connection stands, the same on all of their devices. */
export interface OwnView {
  readonly status: Status;
  /** Missed calls that were not looked at. */
  readonly missed: number;
}

export interface AppState {
  readonly house?: HouseView;
  readonly own?: OwnView;
  readonly page: Page;
}

/** The root. A new page is a new `screen` object: key the component by it. */
export interface AppScreen extends Readable<AppState> {
  /** Camera, microphone, loudspeaker: one for the whole app, shown at the door and in the meeting. */
  readonly devices: DevicesScreen;
  /** What rings, over every page. */
  readonly calls: CallsScreen;
  /** What is planned, on the home page and as a reminder over every page. */
  readonly meetings: MeetingsScreen;
  /** What is said of the app itself. */
  readonly shell: ShellScreen;
  readonly push: PushScreen;
  /** Goes to a page of this app, for clicks on links: `<a href={path}>` plus `navigate(path)`. */
  navigate(path: string): void;
  /** To the sign-in, and back to where one was. */
  signIn(): void;
  signOut(): void;
  setStatus(status: Status): void;
  /** On the error page: loads again. */
  retry(): void;
}

// ------------------------------------------------------------------------------------------------ set-up and sign-in

export interface SetupState {
  /** False when the address has no token: then say that the server prints the link (`stube setup-link`). */
  readonly hasToken: boolean;
  readonly busy: boolean;
  readonly problem?: Problem;
}

export interface SetupScreen extends Readable<SetupState> {
  submit(account: { username: string; name: string; password: string }): void;
}

export interface SignInState extends WorkState {
  /** `code`: the password was right; the second step asks for a code of the authenticator app or a backup code. */
  readonly step: 'password' | 'code';
  /** Whether there is a form for username and password; without it only the providers' buttons. */
  readonly form: boolean;
  /** Whether to draw the button for passkeys. */
  readonly passkey: boolean;
  /** Outside providers: links that leave the app. */
  readonly providers: readonly { readonly id: string; readonly name: string; readonly href: string }[];
  /** Whether a forgotten password can be recovered by mail: a link to `/recover`. */
  readonly recovery: boolean;
  /** The provider sent the person back without a sign-in; the text is chosen by it. */
  readonly refusal?: ProviderRefusal;
  /** The room whose door one comes back to, if it is one. */
  readonly roomName?: string;
  /** The application that one signs in to, as it is registered here; a moment after the page. */
  readonly applicationName?: string;
}

export interface SignInScreen extends Readable<SignInState> {
  submit(credentials: { username: string; password: string }): void;
  submitCode(code: string): void;
  /** From the code back to the password. */
  back(): void;
  /** Call it in the click handler itself. */
  usePasskey(): void;
}

export interface AccountLinkState extends WorkState {
  readonly kind: 'invite' | 'recovery';
  /** `opening`: being looked at; with a `problem`, the button is `retry()`. `invalid`: used, taken back or expired. */
  readonly phase: 'opening' | 'open' | 'invalid';
  /** What is known of the account. */
  readonly username: string;
  readonly name: string;
}

/** Behind `/invite#…` and `/recover#…`. */
export interface AccountLinkScreen extends Readable<AccountLinkState> {
  /** A recovery takes the password only. */
  submit(account: { username: string; name: string; password: string }): void;
  retry(): void;
}

export interface ForgottenState extends WorkState {
  readonly sent: boolean;
}

/** `/recover` without a token: asks for a link by mail. */
export interface ForgottenScreen extends Readable<ForgottenState> {
  submit(who: string): void;
}

// ------------------------------------------------------------------------------------------------------------- home

export interface RoomDoor {
  readonly id: string;
  readonly name: string;
  /** The address of its door, ready for `href`. */
  readonly path: string;
  readonly access: RoomAccess;
  readonly kind: RoomKind;
  /** Who is neither owner nor member knocks. */
  readonly knock: boolean;
  readonly owner: boolean;
  readonly pinned: boolean;
  /** The lamp is lit when this is above 0. */
  readonly people: number;
  /** Unix milliseconds; absent if never inside. */
  readonly visitedAt?: number;
}

export interface HomeState {
  /** False until the first list is here. */
  readonly loaded: boolean;
  /** False while the connection is down: the lamps may be old. */
  readonly live: boolean;
  /** All rooms, those with people first, then the most recently visited. */
  readonly rooms: readonly RoomDoor[];
  /** Present while the dialog "New call" is open. */
  readonly newCall?: NewCallState;
}

export interface NewCallState {
  /** Whoever is looked for in it. */
  readonly people: ContactsScreen;
  /** Value of the field "Room name", with `public/` before it when guests are allowed. */
  readonly text: string;
  /** The switch "Allow guests". Absent when the house has no guests: then do not draw it. */
  readonly allowGuests?: boolean;
  /** Whether "Enter room" works. */
  readonly canEnter: boolean;
  /** Why the name cannot be a room's name; shown below the field. */
  readonly nameProblem?: NameProblem;
  /** A name that is hard to guess, offered while guests are allowed and the name typed is guessable. */
  readonly offeredName?: string;
  /** Known rooms that match what was typed. */
  readonly matches: readonly RoomDoor[];
}

export type NameProblem = 'too_long' | 'bad_characters' | 'dots';

export interface HomeScreen extends Readable<HomeState> {
  readonly history: HistoryScreen;
  readonly contacts: ContactsScreen;
  readonly mine: MyRoomsScreen;
  openNewCall(): void;
  closeNewCall(): void;
  /** The field's text as typed; typing `public/` at the start switches guests on, taking it away switches them off. */
  setRoomText(text: string): void;
  setAllowGuests(on: boolean): void;
  useOfferedName(): void;
  /** To the door of the room that was typed. */
  enterRoom(): void;
}

// ------------------------------------------------------------------------------------------------------ open house

export interface LobbyState {
  readonly text: string;
  readonly canEnter: boolean;
  readonly nameProblem?: NameProblem;
  /** A name that is hard to guess, offered while the name typed is guessable. */
  readonly offeredName?: string;
}

/** Everybody may enter and make rooms; whoever has an account signs in with `app.signIn()`. */
export interface LobbyScreen extends Readable<LobbyState> {
  setRoomText(text: string): void;
  useOfferedName(): void;
  /** To the door of the room that was typed. */
  enterRoom(): void;
}

// ---------------------------------------------------------------------------------------------------------- devices

export type DeviceProblem =
  /** The person or the system said no: show the way back. */
  | 'denied'
  /** There is none. */
  | 'missing'
  /** Another program has it. */
  | 'busy'
  /** It was unplugged or taken away. */
  | 'lost'
  /** The page came over plain HTTP from another device: browsers give no camera there. */
  | 'insecure'
  /** This browser (often one inside another app) cannot: offer to open it in a real browser. */
  | 'unsupported'
  | 'failed';

export interface DeviceOption {
  readonly id: string;
  /** Empty until the browser tells: then number them. */
  readonly label: string;
}

export interface CaptureState {
  /** What the person wants: unmuted microphone, camera on. The toggle shows this. */
  readonly on: boolean;
  /**
   * `ask`: the browser has not asked yet; explain first. `opening`: being opened. `live`: works (a muted microphone
   * too). `off`: closed. `problem`: see there.
   */
  readonly status: 'ask' | 'opening' | 'live' | 'off' | 'problem';
  readonly problem?: DeviceProblem;
  readonly options: readonly DeviceOption[];
  /** Id of the option in use or chosen; absent = the browser's choice. */
  readonly selected?: string;
}

export interface DevicesState {
  /** Show the explanation "the browser will ask …" with `ask()` and `skip()`. */
  readonly explain: boolean;
  readonly microphone: CaptureState;
  readonly camera: CaptureState;
  /** Loudspeakers; empty where the browser does not let one choose. */
  readonly speakers: readonly DeviceOption[];
  readonly speaker?: string;
  /** The self view is drawn like a mirror: true for front cameras, false for one that faces the room. */
  readonly mirrored: boolean;
  /** A camera with another side exists: show "flip". */
  readonly canFlip: boolean;
  /** The microphone sends music: in stereo, as it is. */
  readonly music: boolean;
}

export interface DevicesScreen extends Readable<DevicesState> {
  /** Own picture; may be attached in several places at once. Draw it while `camera.status` is `live`. */
  readonly preview: VideoSurface;
  /** Own microphone's level, 0 to 1. Measured only while somebody subscribes. */
  readonly level: Readable<number>;
  /** After the explanation: now the browser may ask. After a problem: try again. */
  ask(): void;
  /** Without camera and microphone for now; the toggles ask later. */
  skip(): void;
  toggleMicrophone(): void;
  toggleCamera(): void;
  selectMicrophone(id: string): void;
  selectCamera(id: string): void;
  selectSpeaker(id: string): void;
  setMusic(on: boolean): void;
  flipCamera(): void;
}

// ------------------------------------------------------------------------------------------------------------- door

export interface DoorState {
  readonly roomName: string;
  /**
   * `loading`: nothing is known yet. `open`: one can join. `joining`: the click was heard. `waiting`: nobody of the
   * house is inside, or they knocked: see `waitsFor`. `guests_not_allowed`: offer `app.signIn()`, it comes back here.
   * `invite_invalid`: the invite was taken back, has expired, or never was one. `name_invalid`: the address is no
   * room's. `failed`: see `problem`, the button is `retry()`.
   */
  readonly phase:
    | 'loading'
    | 'open'
    | 'joining'
    | 'waiting'
    | 'guests_not_allowed'
    | 'invite_invalid'
    | 'name_invalid'
    | 'failed';
  readonly viewer: 'account' | 'guest';
  readonly access: RoomAccess;
  /** Who is neither owner nor member knocks. */
  readonly knock: boolean;
  /** The reader has to knock. */
  readonly knocks: boolean;
  /** While `waiting`. */
  readonly waitsFor?: WaitingReason;
  /** Accounts only: how many people are inside now. */
  readonly people?: number;
  /** False for a room that comes into being by entering it. */
  readonly exists: boolean;
  readonly owner: boolean;
  /** A guest who came by an invite: the room need not be open. */
  readonly invited: boolean;
  /** The field "Your name", for guests. For accounts their own name. */
  readonly name: string;
  readonly canJoin: boolean;
  /** Also shown in the phase `open`, when joining did not work. */
  readonly problem?: Problem;
  /** Present while the share sheet is open. */
  readonly share?: ShareScreen;
}

export interface DoorScreen extends Readable<DoorState> {
  setName(name: string): void;
  /** Somebody moves in front of the door. */
  stir(): void;
  join(): void;
  /** While joining or waiting: back to `open`. */
  cancel(): void;
  retry(): void;
  openShare(): void;
  closeShare(): void;
}

// ------------------------------------------------------------------------------------------------------ share sheet

/** The room's own link, or one that lets people without an account in for a while, whether the room is open or not. */
export type ShareWay = 'room' | 'invite';

export type InviteLife = 'day' | 'week' | 'month';

export interface InviteView {
  readonly id: string;
  /** Name of who made it. */
  readonly by: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

export interface InvitesView {
  /** How long the next one is good. */
  readonly life: InviteLife;
  /** Those that are good, newest first; absent until they are here. */
  readonly list?: readonly InviteView[];
  /** Of the link that stands there now. */
  readonly expiresAt?: number;
}

export interface ShareState {
  readonly roomName: string;
  readonly way: ShareWay;
  /** The whole address, ready for copying, a QR code or `mailto:`. Absent for the way `invite` until one is made. */
  readonly link?: string;
  /** Absent when the reader may not invite: then there is one way only. */
  readonly invites?: InvitesView;
  readonly access: RoomAccess;
  /** The switch "Allow guests"; absent when the reader may not change it or the house has no guests. */
  readonly allowGuests?: boolean;
  /** Who is neither owner nor member knocks. */
  readonly knock: boolean;
  /** The switch for it: only for the owner. */
  readonly canSetKnock: boolean;
  readonly busy: boolean;
  readonly problem?: Problem;
  /** For two seconds after `copy()`. */
  readonly copied: boolean;
  /** The browser refused the clipboard: select the link's text so that it can be copied by hand. */
  readonly copyFailed: boolean;
  /** Whether the system's own share sheet is there. */
  readonly canShareNatively: boolean;
  /** Present while people are invited by mail. */
  readonly mail?: MailScreen;
  /** A name that is hard to guess, offered after a room with a guessable name was opened to guests. */
  readonly offeredName?: string;
}

export interface ShareScreen extends Readable<ShareState> {
  choose(way: ShareWay): void;
  setLife(life: InviteLife): void;
  /** A link is told once: it stands there until another is made or the sheet is closed. */
  makeInvite(): void;
  /** To make another one. */
  forgetInvite(): void;
  /** Whoever came in by it has to leave. True when it is gone. */
  takeBack(id: string): Promise<boolean>;
  setAllowGuests(on: boolean): void;
  setKnock(on: boolean): void;
  /** Renames the room; links under its old name stop working. */
  useOfferedName(): void;
  keepName(): void;
  copy(): void;
  shareNatively(): void;
  openMail(): void;
  closeMail(): void;
}

// ---------------------------------------------------------------------------------------------------------- meeting

/** One picture in the meeting: a person, or what a person shares. */
export interface Tile {
  /** Stable while it stands; key the `each` by it and report sizes under it. */
  readonly key: string;
  readonly kind: 'person' | 'screen';
  readonly name: string;
  readonly guest: boolean;
  readonly speaking: boolean;
  /** The microphone is muted or not there (screens: never). */
  readonly muted: boolean;
  /** The seat is kept, the person is expected back. */
  readonly away: boolean;
  /** True: show the `<video>`. False: the avatar. Keep the element attached either way: it needs to be there to become visible. */
  readonly showVideo: boolean;
  /** A picture is on its way: a quiet placeholder instead of the avatar. */
  readonly videoExpected: boolean;
  /** The connection has no room for this picture at the moment: the avatar and a word. It comes back by itself. */
  readonly paused: boolean;
  /** Put one `<video playsinline muted>` and one `<audio>` into the tile and attach them for as long as it stands. */
  readonly video: VideoSurface;
  readonly audio: AudioSurface;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly guest: boolean;
  readonly you: boolean;
  readonly muted: boolean;
  readonly cameraOff: boolean;
  readonly sharing: boolean;
  readonly speaking: boolean;
  readonly away: boolean;
}

export interface KnockingPerson {
  readonly id: string;
  readonly name: string;
  readonly guest: boolean;
}

/** The line is thin, or bad, or this device is busy: with what it sends, how often, how sharp others are, how many of them. */
export type MeetingNotice = 'thin_line' | 'bad_line' | 'busy_layers' | 'busy_frames' | 'busy_size' | 'busy_number';

export interface MeetingState {
  /** In a call: the names of the others. */
  readonly roomName: string;
  /** The room of a call: without a name of its own, and without a link. */
  readonly call?: true;
  readonly access: RoomAccess;
  readonly viewer: 'account' | 'guest';
  /**
   * `reconnecting`: dim the last frames, slim bar. `stuck`: the same after 20 s, with a button for `reconnect()`.
   * `restarting`: the server said that it will be back. `obstructed`: the network lets no media through.
   * `back`: "Back again" for 2 s. Controls stay in all of them.
   */
  readonly connection: 'connected' | 'reconnecting' | 'restarting' | 'obstructed' | 'stuck' | 'back';
  /** The browser refuses to play sound before a click: one button for `playSound()`. */
  readonly soundBlocked: boolean;
  /** Others' screens first, then people, in a stable order. Without oneself. */
  readonly tiles: readonly Tile[];
  /** Nobody else is here: "Share link". */
  readonly alone: boolean;
  /** Everybody, oneself first; for the people panel. */
  readonly people: readonly Person[];
  /** Who waits to be let in, the longest waiting first. Never for guests. */
  readonly knocking: readonly KnockingPerson[];
  /** Why somebody could not be let in. */
  readonly knockProblem?: Problem;
  /** Own name and speaking state for the self view; picture and mute states are in `app.devices`. */
  readonly self: { readonly name: string; readonly speaking: boolean };
  /** Screen sharing; absent where the browser cannot. */
  readonly screen?: { readonly on: boolean; readonly mode: ScreenMode; readonly problem?: DeviceProblem };
  /** Said for a few seconds, once each: why there are fewer or smaller pictures, or why all is worse. */
  readonly notice?: MeetingNotice;
  /** Present while the share sheet is open. */
  readonly share?: ShareScreen;
}

/** How large a tile's picture stands on the screen, in CSS pixels. */
export interface TileSize {
  readonly key: string;
  readonly width: number;
  readonly height: number;
}

export interface MeetingScreen extends Readable<MeetingState> {
  /** Ringing more people in; absent for guests. */
  readonly calls?: MeetingCallsScreen | undefined;
  /** One's own connection at the moment. */
  readonly connection: Readable<NowState>;
  /** Somebody who knocks may come in, or not. */
  admit(knocking: string, admit: boolean): void;
  toggleScreen(): void;
  setScreenMode(mode: ScreenMode): void;
  leave(): void;
  reconnect(): void;
  /** Call it in the click handler itself. */
  playSound(): void;
  openShare(): void;
  closeShare(): void;
  /** All tiles on the screen now, after every layout. Tiles of other pages or scrolled away are not listed. */
  reportTiles(sizes: readonly TileSize[]): void;
}

// ------------------------------------------------------------------------------------------------------------- left

export interface LeftState {
  readonly roomName: string;
  readonly viewer: 'account' | 'guest';
  /** `left`: by one's own wish. The rest: the server's word. */
  readonly reason: 'left' | RoomLeftReason;
  /** Whether there is a home page for them. */
  readonly home: boolean;
  /** How the connection was, as soon as the house knows. Accounts only. */
  readonly connection?: StayLine;
}

export interface LeftScreen extends Readable<LeftState> {
  /** To the door of the same room. */
  joinAgain(): void;
  /** Only for those who have a home page. */
  goHome(): void;
}
