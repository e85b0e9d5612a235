// Made from crates/protocol by `cargo xtask codegen`. Do not edit.

export type IntentId = string;

export type DeviceId = string;

export type RoomId = string;

export type ParticipantId = string;

export type UserId = string;

export type MediaConnectionId = string;

export type CallId = string;

export type BrowserId = string;

export type HistoryId = string;

export type MeetingId = string;

export type ErrorCode = "malformed" | "unknown_type" | "unsupported_version" | "sign_in_required" | "wrong_credentials" | "forbidden" | "not_owner" | "guests_not_allowed" | "not_found" | "method_not_allowed" | "name_invalid" | "name_taken" | "password_invalid" | "setup_link_invalid" | "link_invalid" | "wrong_code" | "passkey_invalid" | "mail_invalid" | "image_invalid" | "address_invalid" | "time_invalid" | "managed_elsewhere" | "last_admin" | "not_in_room" | "already_in_room" | "not_admitted" | "cannot_be_called" | "in_call" | "call_over" | "room_full" | "too_many" | "sdp_invalid" | "no_media_connection" | "rate_limited" | "too_large" | "restarting" | "unavailable" | "internal";

export type Access = "accounts" | "guests";

export type Source = "microphone" | "camera" | "screen" | "screen_audio";

export type Presence = "connected" | "reconnecting";

export type Track = { source: Source, muted: boolean, };

export type Participant = { id: ParticipantId, 
/**
 * Stamped by the server.
 */
name: string, 
/**
 * Stamped by the server: came in by a link, without an account.
 */
guest: boolean, presence: Presence, tracks: Array<Track>, 
/**
 * Unix milliseconds.
 */
joined_at: number, };

export type Slot = { 
/**
 * Index into the `slots` of the offer.
 */
slot: number, generation: number, 
/**
 * Absent while the slot is empty.
 */
participant?: ParticipantId, 
/**
 * RTP timestamp of this generation's first video frame; absent until it was sent. Older frames show somebody else.
 */
first_rtp_timestamp?: number, 
/**
 * The reader's line is too thin for this picture: it comes again when there is room for it.
 */
paused?: boolean, };

export type Demand = { source: Source, 
/**
 * The `rid`s to send, from the smallest to the largest; empty for a source that is sent in one encoding.
 */
layers: Array<string>, 
/**
 * The codec to send them in if the sender can; absent is VP8.
 */
codec?: VideoCodec, };

export type VideoCodec = "vp9" | "av1";

export type RoomView = { id: RoomId, name: string, access: Access, kind: RoomKind, 
/**
 * Who is neither owner nor member knocks.
 */
knock: boolean, 
/**
 * Whether the reader may open, close and rename the room.
 */
owner: boolean, 
/**
 * Who waits to be let in, the longest waiting first. Accounts only.
 */
knocking: Array<Knocking>, you: ParticipantId, 
/**
 * In the order of their joining, the reader included.
 */
participants: Array<Participant>, 
/**
 * Who speaks now, the loudest first.
 */
speaking: Array<ParticipantId>, 
/**
 * The slots of the reader's own media connection that carry somebody.
 */
slots: Array<Slot>, 
/**
 * The seat's media connection, absent when the server has none: the client then offers a new one.
 */
connection?: MediaConnectionId, 
/**
 * What of the reader's own video is to be sent over this connection. A source that is not listed is looked at by
 * nobody.
 */
demand: Array<Demand>, };

export type RoomChange = { "type": "participant_joined", participant: Participant, } | { "type": "participant_changed", participant: Participant, } | { "type": "participant_left", participant: ParticipantId, } | { "type": "speaking_changed", speaking: Array<ParticipantId>, } | { "type": "slot_assignment", slot: Slot, } | { "type": "room_changed", name: string, access: Access, knock: boolean, owner: boolean, } | { "type": "knocking_changed", knocking: Array<Knocking>, } | { "type": "demand_changed", demand: Array<Demand>, } | { "type": "connection_changed", connection?: MediaConnectionId, };

export type HomeRoom = { id: RoomId, name: string, access: Access, kind: RoomKind, knock: boolean, owner: boolean, 
/**
 * Whether the reader comes in without knocking, though not the owner.
 */
member: boolean, pinned: boolean, 
/**
 * How many people are inside now.
 */
people: number, 
/**
 * When the reader was last inside, Unix milliseconds.
 */
visited_at?: number, };

export type Home = { 
/**
 * The reader's own and recently visited rooms, the most recent first.
 */
rooms: Array<HomeRoom>, 
/**
 * What rings now, in and out.
 */
calls: Array<Call>, 
/**
 * Missed calls that were not looked at.
 */
missed: number, status: Status, 
/**
 * Planned meetings that are not over, the next first; at most 50.
 */
meetings: Array<Meeting>, };

export type HomeChange = { "type": "room_changed", room: HomeRoom, } | { "type": "room_removed", room: RoomId, } | { "type": "call_changed", call: Call, } | { "type": "call_ended", call: CallId, end: CallEnd, } | { "type": "missed_changed", missed: number, } | { "type": "status_changed", status: Status, } | { "type": "availability_changed", people: Array<PersonAvailability>, } | { "type": "history_changed", entry: HistoryEntry, } | { "type": "history_removed", entries: Array<HistoryId>, } | { "type": "history_cleared" } | { "type": "meeting_changed", meeting: Meeting, } | { "type": "meeting_removed", meeting: MeetingId, } | { "type": "favourites_changed" };

export type Channel = "home" | "room";

export type ClientInfo = { name: string, version: string, };

export type Wanted = { participant: ParticipantId, source: Source, width: number, height: number, };

export type UplinkMids = { microphone: string, camera: string, screen: string, screen_audio: string, };

export type SlotKind = "person" | "screen";

export type SlotMids = { kind: SlotKind, audio: string, video: string, };

export type ClientMessage = { "type": "hello", versions: Array<number>, client: ClientInfo, features?: Array<string>, 
/**
 * Without it, this socket counts as a device of its own.
 */
browser?: BrowserId, } | { "type": "ping", id: IntentId, } | { "type": "get_snapshot", channel: Channel, } | { "type": "join_room", id: IntentId, room: string, device: DeviceId, } | { "type": "join_call", id: IntentId, room: RoomId, device: DeviceId, } | { "type": "prepare_room", id: IntentId, room: string, device: DeviceId, sdp: string, uplink: UplinkMids, slots: Array<SlotMids>, } | { "type": "leave_room", id: IntentId, } | { "type": "publish", id: IntentId, source: Source, muted: boolean, } | { "type": "unpublish", id: IntentId, source: Source, } | { "type": "set_muted", id: IntentId, source: Source, muted: boolean, } | { "type": "set_wanted", wanted: Array<Wanted>, } | { "type": "offer", id: IntentId, sdp: string, uplink: UplinkMids, slots: Array<SlotMids>, connection?: MediaConnectionId, } | { "type": "slot_ready", slot: number, generation: number, } | { "type": "no_picture", slot: number, generation: number, } | { "type": "report_quality", report: QualityReport, } | { "type": "admit", id: IntentId, knocking: ParticipantId, admit: boolean, } | { "type": "start_call", id: IntentId, person: UserId, video: boolean, } | { "type": "ring_in", id: IntentId, person: UserId, } | { "type": "accept_call", id: IntentId, call: CallId, } | { "type": "decline_call", id: IntentId, call: CallId, } | { "type": "cancel_call", id: IntentId, call: CallId, } | { "type": "ignore_call", id: IntentId, call: CallId, } | { "type": "see_missed", id: IntentId, } | { "type": "set_active", active: boolean, } | { "type": "set_status", id: IntentId, status: Status, } | { "type": "watch_people", people: Array<UserId>, };

export type Limits = { message_bytes: number, offer_bytes: number, slots: number, room_people: number, seat_grace_ms: number, };

export type PrincipalKind = "account" | "guest";

export type Me = { kind: PrincipalKind, name: string, 
/**
 * Accounts only.
 */
user?: UserId, 
/**
 * Guests only: the one room that the grant opens.
 */
room?: RoomId, };

export type App = { build: string, 
/**
 * Builds of an older version update by themselves, as soon as they are out of a call: `0.2.0`.
 */
minimum_version?: string, };

export type Availability = "available" | "in_call" | "away" | "do_not_disturb" | "offline";

export type Status = "available" | "away" | "do_not_disturb";

export type PersonAvailability = { person: UserId, availability: Availability, };

export type CallPerson = { id: UserId, name: string, 
/**
 * As in `Person`: there is a picture at `/api/v1/people/{id}/picture`.
 */
picture?: string, };

export type Direction = "incoming" | "outgoing";

export type Call = { id: CallId, room: RoomId, 
/**
 * Name of the named room that somebody is rung into, with `public/` where guests may enter: `join_room` leads there.
 */
into?: string, direction: Direction, person: CallPerson, 
/**
 * Whether the caller calls with the camera on. Each side decides for its own.
 */
video: boolean, 
/**
 * Whether a device of theirs rings. False: only a push message was sent.
 */
ringing: boolean, 
/**
 * Unix milliseconds.
 */
started_at: number, };

export type CallEnd = "answered" | "answered_elsewhere" | "declined" | "cancelled" | "no_answer" | "busy" | "do_not_disturb" | "not_reachable" | "ignored";

export type HistoryKind = "outgoing" | "incoming" | "missed" | "room";

export type HistoryEntry = { id: HistoryId, kind: HistoryKind, 
/**
 * Calls only.
 */
person?: CallPerson, 
/**
 * Rooms only.
 */
room?: HistoryRoom, video: boolean, 
/**
 * Calls that were declined, and outgoing ones that were not answered: why.
 */
end?: CallEnd, 
/**
 * Unix milliseconds.
 */
started_at: number, 
/**
 * How long they talked or were inside; absent while they still are, or if nobody answered.
 */
duration_ms?: number, 
/**
 * Only missed calls are ever unseen.
 */
seen: boolean, };

export type HistoryRoom = { id: RoomId, 
/**
 * With `public/` where guests may enter.
 */
address: string, name: string, };

export type Meeting = { id: MeetingId, title: string, 
/**
 * Address of its room, with `public/` where guests may enter.
 */
room: string, 
/**
 * Unix milliseconds.
 */
starts_at: number, ends_at: number, 
/**
 * IANA name of the time zone in which it was planned: `Europe/Berlin`.
 */
time_zone: string, 
/**
 * Name of who planned it.
 */
by: string, 
/**
 * Whether the reader planned it, and may change or cancel it.
 */
own: boolean, };

export type RoomKind = "named" | "personal" | "call";

export type Knocking = { 
/**
 * Their seat's id, if they get one.
 */
id: ParticipantId, name: string, guest: boolean, };

export type History = { entries: Array<HistoryEntry>, 
/**
 * There are older ones.
 */
more: boolean, };

export type QualityReport = { rtt_ms?: number, jitter_ms?: number, 
/**
 * Packets that were lost on the way to the server, and from it.
 */
loss_up?: number, loss_down?: number, 
/**
 * Frames per second of the largest picture that comes down.
 */
fps?: number, 
/**
 * Sound that had to be made up.
 */
concealed?: number, 
/**
 * Pictures that stood still, and for how long in all.
 */
freezes: number, frozen_ms: number, 
/**
 * Encodings of the camera that are sent.
 */
layers?: number, 
/**
 * How long one's own picture was smaller because of the device, and because of the way up.
 */
limited_cpu_ms: number, limited_bandwidth_ms: number, 
/**
 * How often the transport was started anew.
 */
restarts: number, problems?: Array<DeviceProblem>, network?: NetworkKind, browser?: BrowserFamily, };

export type DeviceProblem = "denied" | "not_found" | "in_use" | "lost" | "other";

export type NetworkKind = "wifi" | "ethernet" | "cellular" | "other";

export type BrowserFamily = "chromium" | "firefox" | "safari" | "other";

export type PathKind = "udp_v4" | "udp_v6" | "tcp_v4" | "tcp_v6";

export type Strain = { mean: number, 
/**
 * How long it was noticeable, and its mean then.
 */
bad_seconds: number, bad_mean: number, };

export type ConnectionSummary = { 
/**
 * How long was measured.
 */
seconds: number, 
/**
 * How long something was noticeably wrong.
 */
troubled_seconds: number, rtt_ms?: Strain, loss_up?: Strain, loss_down?: Strain, 
/**
 * Sound that had to be made up at the listener.
 */
concealed?: Strain, jitter_ms?: number, up_kbps?: number, down_kbps?: number, fps?: number, freezes: number, frozen_ms: number, 
/**
 * How long one's own picture was smaller: because of the device, because of the way up.
 */
cpu_seconds: number, narrow_up_seconds: number, 
/**
 * How long pictures were missing because the way down was too thin.
 */
narrow_down_seconds: number, layer_changes: number, restarts: number, problems?: Array<DeviceProblem>, 
/**
 * All that there was.
 */
networks?: Array<NetworkKind>, browser?: BrowserFamily, path?: PathKind, };

export type ConnectionPoint = { rtt_ms?: number, jitter_ms?: number, loss_up?: number, loss_down?: number, up_kbps?: number, down_kbps?: number, 
/**
 * What the server takes the way down for.
 */
estimate_kbps?: number, fps?: number, concealed?: number, layers?: number, freezes?: number, frozen_ms?: number, layer_changes?: number, pauses?: number, cpu_ms?: number, narrow_up_ms?: number, };

export type ConnectionRecord = { id: string, 
/**
 * All records of one meeting have the same.
 */
meeting: string, kind: RoomKind, 
/**
 * Name of the room, if it is still there; calls have none.
 */
room?: string, 
/**
 * Unix milliseconds.
 */
started_ms: number, 
/**
 * When it was heard of last, if it is not over.
 */
ended_ms: number, over: boolean, summary: ConnectionSummary, 
/**
 * How many others were in the meeting, and how many of them lost packets noticeably as well: if most did, it was not
 * one's own line.
 */
others: number, others_losing: number, };

export type ConnectionRecords = { 
/**
 * By the server's clock, in Unix milliseconds.
 */
now_ms: number, records: Array<ConnectionRecord>, };

export type ConnectionTimeline = { record: ConnectionRecord, 
/**
 * Seconds from one point to the next. The first begins with the stay.
 */
step: number, points: Array<ConnectionPoint>, };

export type PersonsConnection = { 
/**
 * Absent for guests.
 */
user?: UserId, name: string, record: ConnectionRecord, };

export type PersonsConnections = { connections: Array<PersonsConnection>, 
/**
 * There are older ones.
 */
more: boolean, };

export type PersonsTimeline = { 
/**
 * Absent for guests.
 */
user?: UserId, name: string, timeline: ConnectionTimeline, };

export type WaitingReason = "nobody_in" | "knocking";

export type RoomLeftReason = "replaced" | "guests_not_allowed" | "session_ended" | "call_ended" | "room_deleted" | "not_admitted" | "internal";

export type ServerMessage = { "type": "welcome", version: number, features: Array<string>, limits: Limits, me: Me, app: App, 
/**
 * Opens the next socket: once, while this one lives and for `limits::RETURN_MS` longer.
 */
back?: string, } | { "type": "ok", id: IntentId, } | { "type": "error", id?: IntentId, code: ErrorCode, retry_after_ms?: number, 
/**
 * Find this in the server's log.
 */
reference?: string, } | { "type": "pong", id: IntentId, } | { "type": "calling", id: IntentId, call: Call, } | { "type": "home_snapshot", epoch: string, seq: number, home: Home, } | { "type": "home_delta", seq: number, change: HomeChange, } | { "type": "waiting", reason: WaitingReason, } | { "type": "room_snapshot", epoch: string, seq: number, room: RoomView, } | { "type": "room_delta", seq: number, change: RoomChange, } | { "type": "room_left", reason: RoomLeftReason, } | { "type": "answer", id: IntentId, sdp: string, connection: MediaConnectionId, } | { "type": "prepared_ended", connection: MediaConnectionId, };

export type HttpError = { code: ErrorCode, retry_after_ms?: number, reference?: string, };

export type House = { 
/**
 * The organisation's own name.
 */
name: string, 
/**
 * Whether there is a logo at `/api/v1/logo`; another value when it changes.
 */
logo?: string, 
/**
 * Nobody administers the house yet: the set-up link is the way in.
 */
setup_needed: boolean, 
/**
 * Whether rooms can be opened to guests at all.
 */
guests: boolean, 
/**
 * Everybody may make and enter rooms, account or not.
 */
open_house: boolean, 
/**
 * Whether there is a form for username and password (house or LDAP).
 */
local_sign_in: boolean, 
/**
 * Outside providers, in the order of the settings. With exactly one and no `local_sign_in`, the app goes there
 * without asking.
 */
providers: Array<Provider>, 
/**
 * Whether a forgotten password can be recovered by mail.
 */
recovery_mail: boolean, 
/**
 * Whether the house sends mail: invitations go out from here.
 */
mail: boolean, 
/**
 * Links that stand at the sign-in and at the door.
 */
imprint_url?: string, privacy_url?: string, 
/**
 * The web app that this server holds.
 */
app: App, 
/**
 * Absent for somebody who is not signed in.
 */
user?: User, };

export type User = { id: UserId, username: string, name: string, admin: boolean, 
/**
 * Whether there is a picture at `/api/v1/people/{id}/picture`; another value when it changes.
 */
picture?: string, };

export type Setup = { token: string, username: string, name: string, password: string, };

export type SignIn = { username: string, password: string, };

export type SignInStep = { "step": "done", user: User, } | { "step": "code", 
/**
 * Good for five minutes and five codes.
 */
token: string, };

export type SignInCode = { token: string, code: string, };

export type SignedOut = { 
/**
 * Whoever signed in with an outside provider is sent there to end that sign-in too.
 */
go_to?: string, };

export type PasskeyChallenge = { 
/**
 * Good once, for five minutes.
 */
token: string, options: Record<string, unknown>, };

export type PasskeyAnswer = { token: string, 
/**
 * `PublicKeyCredential.toJSON()`.
 */
credential: Record<string, unknown>, };

export type Provider = { id: string, 
/**
 * What stands on its button.
 */
name: string, };

export type ApplicationName = { name: string, };

export type OpenLink = { token: string, };

export type AccountLink = { "kind": "invite", name: string, username: string, } | { "kind": "recovery", name: string, username: string, };

export type AcceptLink = { token: string, 
/**
 * Only for invites.
 */
username?: string, name?: string, password: string, };

export type AskForRecovery = { 
/**
 * Username or mail address.
 */
who: string, };

export type Door = { 
/**
 * As its owner wrote it, without `public/`.
 */
name: string, access: Access, kind: RoomKind, 
/**
 * Who is neither owner nor member knocks, and somebody inside lets them in.
 */
knock: boolean, 
/**
 * False while nobody has entered or shared it; entering creates it.
 */
exists: boolean, 
/**
 * Whether the reader owns it, or would by creating it.
 */
owner: boolean, 
/**
 * Whether the reader comes in without knocking, though not the owner.
 */
member: boolean, 
/**
 * The reader has an account and has been inside, or owns it: only then may an address make them join without a click.
 */
known: boolean, 
/**
 * Accounts only: how many people are inside now.
 */
people?: number, };

export type RoomMembers = { members: Array<Person>, };

export type AddMember = { room: string, person: UserId, };

export type PinRoom = { room: string, };

export type CreateRoom = { name: string, };

export type ChangeRoom = { name: string, access?: Access, knock?: boolean, 
/**
 * The room's old address stops leading to it.
 */
new_name?: string, };

export type GuestEntry = { room: string, 
/**
 * The secret of an invite link.
 */
invite?: string, name: string, };

export type GuestGrant = { 
/**
 * Goes into `Authorization: Bearer …` of `POST /api/v1/tickets`.
 */
grant: string, 
/**
 * The name as it was taken.
 */
name: string, expires_in_ms: number, };

export type Ticket = { ticket: string, };

export type CreateInvite = { room: string, 
/**
 * How long it is good, 5 minutes to 90 days.
 */
life_ms: number, };

export type NewInvite = { 
/**
 * Goes into the fragment of `/join#<token>`.
 */
token: string, invite: RoomInvite, };

export type RoomInvites = { invites: Array<RoomInvite>, };

export type RoomInvite = { id: string, 
/**
 * Name of who made it.
 */
by: string, created_ms: number, expires_ms: number, };

export type OpenInvite = { token: string, };

export type Account = { id: UserId, username: string, name: string, mail?: string, admin: boolean, 
/**
 * Whether there is a picture at `/api/v1/people/{id}/picture`; another value when it changes.
 */
picture?: string, groups: Array<string>, 
/**
 * Who looks after name, mail and picture; only `house` lets the person change them here.
 */
source: PersonSource, 
/**
 * Absent when signing in with a password is not possible for this account.
 */
password_changed_ms?: number, totp: boolean, 
/**
 * How many are left; absent without `totp`.
 */
backup_codes?: number, passkeys: Array<Passkey>, 
/**
 * Sign-ins at outside providers that lead to this account.
 */
providers: Array<string>, };

export type PersonSource = "house" | "ldap" | "scim" | "provider";

export type ChangeAccount = { name?: string, mail?: string, 
/**
 * Only with another `mail`, and only for accounts that have one.
 */
password?: string, };

export type ChangePassword = { current: string, new: string, };

export type WithPassword = { password: string, };

export type TotpSecret = { 
/**
 * `otpauth://totp/…`, for the QR code.
 */
url: string, 
/**
 * The same for typing, in base32.
 */
secret: string, };

export type ConfirmTotp = { code: string, };

export type BackupCodes = { codes: Array<string>, };

export type Passkey = { id: string, name: string, created_ms: number, used_ms?: number, };

export type AddPasskey = { token: string, name: string, credential: Record<string, unknown>, };

export type Sessions = { sessions: Array<Session>, };

export type Session = { id: string, 
/**
 * As its browser calls itself: "Firefox on Linux".
 */
device: string, 
/**
 * How it was begun.
 */
method: SignInMethod, created_ms: number, used_ms: number, 
/**
 * The one that asks.
 */
current: boolean, };

export type SignInMethod = "password" | "password_and_code" | "passkey" | "provider" | "link" | "ldap";

export type Applications = { applications: Array<Application>, };

export type Application = { id: string, name: string, scopes: Array<string>, given_ms: number, };

export type People = { people: Array<Person>, 
/**
 * There are more than were listed.
 */
more: boolean, 
/**
 * Nobody is listed until three letters are there.
 */
type_more: boolean, };

export type Person = { id: UserId, name: string, username: string, mail?: string, 
/**
 * Whether there is a picture at `/api/v1/people/{id}/picture`; another value when it changes.
 */
picture?: string, 
/**
 * One of the reader's favourites.
 */
favourite: boolean, };

export type Near = { 
/**
 * By name. `PUT|DELETE /api/v1/people/{id}/favourite` makes somebody one or not; at most 100.
 */
favourites: Array<Person>, 
/**
 * Who had a call with the reader of late, the last one first; at most 20.
 */
recent: Array<Person>, };

export type Language = "de" | "en";

export type PlanMeeting = { title: string, 
/**
 * Address of the room, with `public/` or not, found or made. Absent: a fresh one with a name that nobody guesses.
 */
room?: string, 
/**
 * Whether a fresh room is open to guests.
 */
guests: boolean, starts_at: number, ends_at: number, 
/**
 * IANA name of the time zone that the times were chosen in.
 */
time_zone: string, 
/**
 * People of the house.
 */
people: Array<UserId>, 
/**
 * Mail addresses of others.
 */
mails: Array<string>, language: Language, };

export type ChangeMeeting = { title?: string, room?: string, starts_at?: number, ends_at?: number, time_zone?: string, people?: Array<UserId>, mails?: Array<string>, };

export type PlannedMeeting = { meeting: Meeting, 
/**
 * The whole address of the room.
 */
link: string, 
/**
 * Who may enter by it.
 */
access: Access, 
/**
 * Counts changes, as calendars do.
 */
sequence: number, cancelled: boolean, 
/**
 * Who is asked to it; for others than who planned it, empty.
 */
people: Array<MeetingPerson>, 
/**
 * Letters that went out by this request.
 */
mailed: number, 
/**
 * People that this request concerns and that got none: no mail address is known, or they got too many of late.
 */
not_mailed: number, };

export type MeetingPerson = { user?: UserId, name?: string, mail?: string, };

export type Meetings = { meetings: Array<Meeting>, };

export type InviteByMail = { 
/**
 * The room's name.
 */
room: string, 
/**
 * The secret of an invite link to this room: then it stands in the letters instead of the room's own link.
 */
invite?: string, people: Array<UserId>, mails: Array<string>, language: Language, };

export type Invited = { mailed: number, not_mailed: number, };

export type PushService = { on: boolean, 
/**
 * What a browser subscribes with (VAPID, base64url); absent where it is off. A subscription with another key is worth
 * nothing any more.
 */
key?: string, };

export type PushSubscription = { 
/**
 * These three as the browser tells them.
 */
endpoint: string, p256dh: string, auth: string, 
/**
 * As in `hello`.
 */
browser: BrowserId, language: Language, };

export type PushMessage = { "type": "ringing", call: CallId, 
/**
 * `/call/<room>#accept` is where it is answered.
 */
room: RoomId, person: CallPerson, video: boolean, 
/**
 * Name of the room that one is rung into.
 */
into?: string, language: Language, } | { "type": "over", call: CallId, person: CallPerson, end: CallEnd, missed: boolean, language: Language, };

export type AdminPeople = { people: Array<AdminPerson>, 
/**
 * All that match, on this page or not.
 */
total: number, 
/**
 * Goes into `after`.
 */
next?: string, };

export type AdminPerson = { id: UserId, username: string, name: string, mail?: string, admin: boolean, 
/**
 * Cannot sign in.
 */
locked: boolean, source: PersonSource, groups: Array<string>, picture?: string, created_ms: number, 
/**
 * The latest use of any session that is still there.
 */
used_ms?: number, totp: boolean, passkeys: number, };

export type AdminPersonDetails = { person: AdminPerson, sessions: Array<Session>, passkeys: Array<Passkey>, providers: Array<string>, };

export type CreatePerson = { username: string, name: string, mail?: string, admin: boolean, groups: Array<string>, 
/**
 * Whether the link is sent by mail as well.
 */
send_mail: boolean, };

export type PersonCreated = { person: AdminPerson, link: NewLink, };

export type ChangePerson = { name?: string, mail?: string, admin?: boolean, locked?: boolean, groups?: Array<string>, 
/**
 * Takes second factors away, for somebody who lost their phone.
 */
remove_second_factors: boolean, };

export type CreateRecovery = { send_mail: boolean, };

export type CreateAccountInvite = { name: string, username: string, mail?: string, admin: boolean, groups: Array<string>, 
/**
 * How long it is good, 5 minutes to 90 days.
 */
life_ms: number, 
/**
 * How many accounts it may make, 1 to 1000: a class takes one link.
 */
uses: number, send_mail: boolean, };

export type NewLink = { url: string, expires_ms: number, 
/**
 * It went out by mail.
 */
mailed: boolean, };

export type AccountInvites = { invites: Array<AccountInvite>, };

export type AccountInvite = { id: string, name: string, mail?: string, admin: boolean, groups: Array<string>, uses_left: number, by: string, created_ms: number, expires_ms: number, };

export type Groups = { groups: Array<Group>, };

export type Group = { id: string, name: string, people: number, };

export type CreateGroup = { name: string, };

export type Clients = { clients: Array<Client>, };

export type Client = { id: string, name: string, public: boolean, trusted: boolean, redirect_uris: Array<string>, post_logout_uris: Array<string>, created_ms: number, };

export type CreateClient = { name: string, redirect_uris: Array<string>, post_logout_uris: Array<string>, 
/**
 * Has no secret: runs in browsers and on phones.
 */
public: boolean, 
/**
 * Nobody is asked before it gets what it wants.
 */
trusted: boolean, };

export type ClientCreated = { client: Client, 
/**
 * Told this once.
 */
secret?: string, };

export type AdminSessions = { sessions: Array<AdminSession>, };

export type AdminSession = { session: Session, user: UserId, name: string, };

export type Settings = { name: string, imprint_url?: string, privacy_url?: string, 
/**
 * Whether there is a logo at `/api/v1/logo`; another value when it changes.
 */
logo?: string, guests: boolean, open_house: boolean, local_sign_in: boolean, 
/**
 * Apps of an older version update by themselves, as soon as they are out of a call: `0.2.0`.
 */
minimum_version?: string, 
/**
 * Whether browsers are woken through the push services of their makers.
 */
push: boolean, 
/**
 * How long people's history is kept. With 0, what is over is forgotten within the hour.
 */
history_days: number, 
/**
 * Who may see whom. People of no group that is named here see everybody.
 */
visibility: Array<VisibilityRule>, 
/**
 * Keys as in the file: `house.name`.
 */
fixed: Array<string>, 
/**
 * Where the house sends mail from; absent if it sends none. Only the file can set it.
 */
mail_from?: string, providers: Array<Provider>, ldap: boolean, };

export type VisibilityRule = { group: string, sees: Array<string>, };

export type ChangeSettings = { name?: string, imprint_url?: string, privacy_url?: string, guests?: boolean, open_house?: boolean, local_sign_in?: boolean, minimum_version?: string, push?: boolean, history_days?: number, visibility?: Array<VisibilityRule>, };

export type Checklist = { dismissed: boolean, name: boolean, logo: boolean, legal_links: boolean, 
/**
 * Somebody else has an account, an invite, or comes by LDAP, SCIM or a provider.
 */
people: boolean, 
/**
 * Whether guests may come was decided: set, one way or the other.
 */
guests: boolean, mail: boolean, };

export type Audit = { entries: Array<AuditEntry>, };

export type AuditEntry = { 
/**
 * Goes into `before`.
 */
id: string, at_ms: number, 
/**
 * Name of a person or a token; `stube` for the command line and for the server itself; empty for a person who was deleted.
 */
by: string, 
/**
 * Stable: `person.created`, `settings.changed`, …
 */
action: string, 
/**
 * What it was done to: a name as it is now, else an id.
 */
subject: string, 
/**
 * What changed, never a secret: keys and values in words.
 */
details: string, };

export type Tokens = { tokens: Array<Token>, };

export type Token = { id: string, name: string, scopes: Array<TokenScope>, by: string, created_ms: number, expires_ms?: number, used_ms?: number, };

export type TokenScope = "read" | "write" | "scim";

export type CreateToken = { name: string, scopes: Array<TokenScope>, 
/**
 * Without, it is good until it is taken back.
 */
life_ms?: number, };

export type TokenCreated = { token: Token, 
/**
 * Goes into `Authorization: Bearer …`; told this once.
 */
secret: string, };

export type ImportReport = { created: number, updated: number, unchanged: number, problems: Array<ImportProblem>, };

export type ImportProblem = { 
/**
 * Counted from 1, the header included.
 */
line: number, column: string, 
/**
 * As the codes of errors: `name_invalid`, `name_taken`, …
 */
code: ErrorCode, };

export type LdapStatus = { url: string, last_run_ms?: number, 
/**
 * Of the last run.
 */
people: number, created: number, updated: number, removed: number, 
/**
 * What went wrong at the last run, for administrators to read.
 */
problem?: string, };
