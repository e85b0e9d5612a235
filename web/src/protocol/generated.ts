// Made from crates/protocol by `cargo xtask codegen`. Do not edit.

export type IntentId = string;

export type DeviceId = string;

export type RoomId = string;

export type ParticipantId = string;

export type UserId = string;

export type MediaConnectionId = string;

export type ErrorCode = "malformed" | "unknown_type" | "unsupported_version" | "sign_in_required" | "wrong_credentials" | "forbidden" | "not_owner" | "guests_not_allowed" | "not_found" | "method_not_allowed" | "name_invalid" | "name_taken" | "password_invalid" | "setup_link_invalid" | "not_in_room" | "already_in_room" | "not_admitted" | "room_full" | "sdp_invalid" | "no_media_connection" | "rate_limited" | "too_large" | "unavailable" | "internal";

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
first_rtp_timestamp?: number, };

export type RoomView = { id: RoomId, name: string, access: Access, 
/**
 * Whether the reader may open, close and rename the room.
 */
owner: boolean, you: ParticipantId, 
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
connection?: MediaConnectionId, };

export type RoomChange = { "type": "participant_joined", participant: Participant, } | { "type": "participant_changed", participant: Participant, } | { "type": "participant_left", participant: ParticipantId, } | { "type": "speaking_changed", speaking: Array<ParticipantId>, } | { "type": "slot_assignment", slot: Slot, } | { "type": "room_changed", name: string, access: Access, owner: boolean, } | { "type": "connection_changed", connection?: MediaConnectionId, };

export type HomeRoom = { id: RoomId, name: string, access: Access, owner: boolean, 
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
rooms: Array<HomeRoom>, };

export type HomeChange = { "type": "room_changed", room: HomeRoom, } | { "type": "room_removed", room: RoomId, };

export type Channel = "home" | "room";

export type ClientInfo = { name: string, version: string, };

export type Wanted = { participant: ParticipantId, source: Source, width: number, height: number, };

export type UplinkMids = { microphone: string, camera: string, screen: string, screen_audio: string, };

export type SlotKind = "person" | "screen";

export type SlotMids = { kind: SlotKind, audio: string, video: string, };

export type ClientMessage = { "type": "hello", versions: Array<number>, client: ClientInfo, features?: Array<string>, } | { "type": "ping", id: IntentId, } | { "type": "get_snapshot", channel: Channel, } | { "type": "join_room", id: IntentId, room: string, device: DeviceId, } | { "type": "leave_room", id: IntentId, } | { "type": "publish", id: IntentId, source: Source, muted: boolean, } | { "type": "unpublish", id: IntentId, source: Source, } | { "type": "set_muted", id: IntentId, source: Source, muted: boolean, } | { "type": "set_wanted", wanted: Array<Wanted>, } | { "type": "offer", id: IntentId, sdp: string, uplink: UplinkMids, slots: Array<SlotMids>, connection?: MediaConnectionId, } | { "type": "slot_ready", slot: number, generation: number, };

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

export type WaitingReason = "nobody_in";

export type RoomLeftReason = "replaced" | "guests_not_allowed" | "grace_expired" | "session_ended" | "internal";

export type ServerMessage = { "type": "welcome", version: number, features: Array<string>, limits: Limits, me: Me, } | { "type": "ok", id: IntentId, } | { "type": "error", id?: IntentId, code: ErrorCode, retry_after_ms?: number, 
/**
 * Find this in the server's log.
 */
reference?: string, } | { "type": "pong", id: IntentId, } | { "type": "home_snapshot", epoch: string, seq: number, home: Home, } | { "type": "home_delta", seq: number, change: HomeChange, } | { "type": "waiting", reason: WaitingReason, } | { "type": "room_snapshot", epoch: string, seq: number, room: RoomView, } | { "type": "room_delta", seq: number, change: RoomChange, } | { "type": "room_left", reason: RoomLeftReason, } | { "type": "answer", id: IntentId, sdp: string, connection: MediaConnectionId, };

export type HttpError = { code: ErrorCode, retry_after_ms?: number, reference?: string, };

export type User = { id: UserId, username: string, name: string, admin: boolean, };

export type House = { 
/**
 * The organisation's own name.
 */
name: string, 
/**
 * Nobody has an account yet: the set-up link is the way in.
 */
setup_needed: boolean, 
/**
 * Whether rooms can be opened to guests at all.
 */
guests: boolean, 
/**
 * Links that stand at the sign-in and at the door.
 */
imprint_url?: string, privacy_url?: string, 
/**
 * Absent for somebody who is not signed in.
 */
user?: User, };

export type Setup = { token: string, username: string, name: string, password: string, };

export type SignIn = { username: string, password: string, };

export type Door = { 
/**
 * As its owner wrote it, without `public/`.
 */
name: string, access: Access, 
/**
 * False while nobody has entered or shared it; entering creates it.
 */
exists: boolean, 
/**
 * Whether the reader owns it, or would by creating it.
 */
owner: boolean, 
/**
 * Accounts only: how many people are inside now.
 */
people?: number, };

export type CreateRoom = { name: string, };

export type ChangeRoom = { name: string, access?: Access, 
/**
 * The room's old address stops leading to it.
 */
new_name?: string, };

export type GuestEntry = { room: string, name: string, };

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
