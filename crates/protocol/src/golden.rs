//! One example per message: the golden JSON in `golden/`, shared with the TypeScript tests, and the generated TypeScript.
//! `STUBE_UPDATE=1 cargo test -p protocol` (or `cargo xtask codegen`) writes both; without it the tests compare.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ts_rs::{Config, TS};

use crate::http::account::*;
use crate::http::admin::*;
use crate::http::calls::*;
use crate::http::connections::*;
use crate::http::entry::*;
use crate::http::meetings::*;
use crate::http::people::*;
use crate::http::push::*;
use crate::http::rooms::*;
use crate::http::{House, HttpError, User};
use crate::*;

fn client_examples() -> Vec<ClientMessage> {
    let id = || IntentId::from("7");
    vec![
        ClientMessage::Hello {
            versions: vec![1],
            client: ClientInfo {
                name: "stube-web".into(),
                version: "0.1.0".into(),
            },
            features: vec![],
            browser: Some("b-1c9a41b07e4d3c8f6a1b2c3d4e5f6071".into()),
        },
        ClientMessage::Ping { id: id() },
        ClientMessage::GetSnapshot {
            channel: Channel::Room,
        },
        ClientMessage::JoinRoom {
            id: id(),
            room: "public/Frühstück? 100 % #1".into(),
            device: "d-5f2c9a41b07e4d3c8f6a1b2c3d4e5f60".into(),
        },
        ClientMessage::JoinCall {
            id: id(),
            room: "r-2".into(),
            device: "d-5f2c9a41b07e4d3c8f6a1b2c3d4e5f60".into(),
        },
        ClientMessage::LeaveRoom { id: id() },
        ClientMessage::Publish {
            id: id(),
            source: Source::Camera,
            muted: false,
        },
        ClientMessage::Unpublish {
            id: id(),
            source: Source::Camera,
        },
        ClientMessage::SetMuted {
            id: id(),
            source: Source::Microphone,
            muted: true,
        },
        ClientMessage::SetWanted {
            wanted: vec![Wanted {
                participant: "p-ben".into(),
                source: Source::Camera,
                width: 640,
                height: 360,
            }],
        },
        ClientMessage::PrepareRoom {
            id: id(),
            room: "public/Frühstück? 100 % #1".into(),
            device: "d-5f2c9a41b07e4d3c8f6a1b2c3d4e5f60".into(),
            sdp: "v=0\r\n".into(),
            uplink: uplink_mids(),
            slots: slot_mids(),
        },
        ClientMessage::Offer {
            id: id(),
            sdp: "v=0\r\n".into(),
            uplink: uplink_mids(),
            slots: slot_mids(),
            connection: Some("c-1".into()),
        },
        ClientMessage::SlotReady {
            slot: 1,
            generation: 2,
        },
        ClientMessage::NoPicture {
            slot: 1,
            generation: 2,
        },
        ClientMessage::ReportQuality {
            report: QualityReport {
                rtt_ms: Some(48),
                jitter_ms: Some(6),
                loss_up: Some(80),
                loss_down: Some(2),
                fps: Some(24),
                concealed: Some(12),
                freezes: 1,
                frozen_ms: 420,
                layers: Some(2),
                limited_cpu_ms: 0,
                limited_bandwidth_ms: 10_000,
                restarts: 0,
                problems: vec![DeviceProblem::Lost],
                network: Some(NetworkKind::Wifi),
                browser: Some(BrowserFamily::Chromium),
            },
        },
        ClientMessage::Admit {
            id: id(),
            knocking: "p-gil".into(),
            admit: true,
        },
        ClientMessage::StartCall {
            id: id(),
            person: "u-ben".into(),
            video: true,
        },
        ClientMessage::RingIn {
            id: id(),
            person: "u-ben".into(),
        },
        ClientMessage::AcceptCall {
            id: id(),
            call: "k-1".into(),
        },
        ClientMessage::DeclineCall {
            id: id(),
            call: "k-1".into(),
        },
        ClientMessage::CancelCall {
            id: id(),
            call: "k-1".into(),
        },
        ClientMessage::IgnoreCall {
            id: id(),
            call: "k-1".into(),
        },
        ClientMessage::SeeMissed { id: id() },
        ClientMessage::SetActive { active: false },
        ClientMessage::SetStatus {
            id: id(),
            status: Status::DoNotDisturb,
        },
        ClientMessage::WatchPeople {
            people: vec!["u-ben".into()],
        },
    ]
}

fn uplink_mids() -> UplinkMids {
    UplinkMids {
        microphone: "0".into(),
        camera: "1".into(),
        screen: "2".into(),
        screen_audio: "3".into(),
    }
}

fn slot_mids() -> Vec<SlotMids> {
    vec![
        SlotMids {
            kind: SlotKind::Screen,
            audio: "4".into(),
            video: "5".into(),
        },
        SlotMids {
            kind: SlotKind::Person,
            audio: "8".into(),
            video: "9".into(),
        },
    ]
}

fn server_examples() -> Vec<ServerMessage> {
    let change = |seq, change| ServerMessage::RoomDelta { seq, change };
    vec![
        ServerMessage::Welcome {
            version: 1,
            features: vec![],
            limits: Limits {
                message_bytes: limits::MESSAGE_BYTES as u32,
                offer_bytes: limits::OFFER_BYTES as u32,
                slots: limits::SLOTS as u32,
                room_people: limits::ROOM_PEOPLE as u32,
                seat_grace_ms: limits::SEAT_GRACE_MS,
            },
            me: Me {
                kind: PrincipalKind::Account,
                name: "Anna Schmidt".into(),
                user: Some("u-anna".into()),
                room: None,
            },
            app: App {
                build: "0.1.0-5f2c9a41".into(),
                minimum_version: Some("0.1.0".into()),
            },
            back: Some("tR5c0fJ8".into()),
        },
        ServerMessage::Ok { id: "7".into() },
        ServerMessage::Error {
            id: Some("7".into()),
            code: ErrorCode::GuestsNotAllowed,
            retry_after_ms: None,
            reference: None,
        },
        ServerMessage::Pong { id: "7".into() },
        ServerMessage::HomeSnapshot {
            epoch: "h-1".into(),
            seq: 0,
            home: Home {
                rooms: vec![home_room()],
                calls: vec![call()],
                missed: 1,
                status: Status::Available,
                meetings: vec![meeting()],
            },
        },
        ServerMessage::HomeDelta {
            seq: 1,
            change: HomeChange::RoomChanged {
                room: HomeRoom {
                    people: 3,
                    ..home_room()
                },
            },
        },
        ServerMessage::HomeDelta {
            seq: 2,
            change: HomeChange::RoomRemoved { room: "r-1".into() },
        },
        home_change(3, HomeChange::CallChanged { call: call() }),
        home_change(
            4,
            HomeChange::CallEnded {
                call: "k-1".into(),
                end: CallEnd::Cancelled,
            },
        ),
        home_change(5, HomeChange::MissedChanged { missed: 2 }),
        home_change(
            6,
            HomeChange::StatusChanged {
                status: Status::DoNotDisturb,
            },
        ),
        home_change(
            7,
            HomeChange::AvailabilityChanged {
                people: vec![PersonAvailability {
                    person: "u-ben".into(),
                    availability: Availability::InCall,
                }],
            },
        ),
        home_change(
            8,
            HomeChange::HistoryChanged {
                entry: history_entry(),
            },
        ),
        home_change(
            9,
            HomeChange::HistoryRemoved {
                entries: vec!["y-1".into()],
            },
        ),
        home_change(10, HomeChange::HistoryCleared),
        home_change(11, HomeChange::MeetingChanged { meeting: meeting() }),
        home_change(
            12,
            HomeChange::MeetingRemoved {
                meeting: "t-1".into(),
            },
        ),
        home_change(13, HomeChange::FavouritesChanged),
        ServerMessage::Waiting {
            reason: WaitingReason::NobodyIn,
        },
        ServerMessage::Calling {
            id: "7".into(),
            call: Call {
                direction: Direction::Outgoing,
                ..call()
            },
        },
        ServerMessage::RoomSnapshot {
            epoch: "m-1".into(),
            seq: 0,
            room: RoomView {
                id: "r-1".into(),
                name: "Frühstück".into(),
                access: Access::Guests,
                kind: RoomKind::Named,
                knock: true,
                owner: true,
                knocking: vec![knocking()],
                you: "p-anna".into(),
                participants: vec![anna()],
                speaking: vec![],
                slots: vec![],
                connection: None,
                demand: vec![],
            },
        },
        change(1, RoomChange::ParticipantJoined { participant: ben() }),
        change(
            2,
            RoomChange::ConnectionChanged {
                connection: Some("c-1".into()),
            },
        ),
        change(
            3,
            RoomChange::SlotAssignment {
                slot: Slot {
                    slot: 1,
                    generation: 1,
                    participant: Some("p-ben".into()),
                    first_rtp_timestamp: None,
                    paused: false,
                },
            },
        ),
        change(
            4,
            RoomChange::SlotAssignment {
                slot: Slot {
                    slot: 1,
                    generation: 1,
                    participant: Some("p-ben".into()),
                    first_rtp_timestamp: Some(4_294_967_000),
                    paused: false,
                },
            },
        ),
        change(
            5,
            RoomChange::ParticipantChanged {
                participant: Participant {
                    tracks: vec![Track {
                        source: Source::Microphone,
                        muted: true,
                    }],
                    presence: Presence::Reconnecting,
                    ..ben()
                },
            },
        ),
        change(
            6,
            RoomChange::SpeakingChanged {
                speaking: vec!["p-anna".into()],
            },
        ),
        change(
            7,
            RoomChange::RoomChanged {
                name: "Frühstück im Garten".into(),
                access: Access::Accounts,
                knock: true,
                owner: true,
            },
        ),
        change(
            9,
            RoomChange::KnockingChanged {
                knocking: vec![knocking()],
            },
        ),
        change(
            8,
            RoomChange::ParticipantLeft {
                participant: "p-ben".into(),
            },
        ),
        change(
            10,
            RoomChange::DemandChanged {
                demand: vec![Demand {
                    source: Source::Camera,
                    layers: vec!["q".into(), "h".into()],
                    codec: Some(VideoCodec::Vp9),
                }],
            },
        ),
        change(
            11,
            RoomChange::SlotAssignment {
                slot: Slot {
                    slot: 2,
                    generation: 3,
                    participant: Some("p-gil".into()),
                    first_rtp_timestamp: Some(4_294_967_000),
                    paused: true,
                },
            },
        ),
        ServerMessage::RoomLeft {
            reason: RoomLeftReason::Replaced,
        },
        ServerMessage::Answer {
            id: "7".into(),
            sdp: "v=0\r\n".into(),
            connection: "c-1".into(),
        },
        ServerMessage::PreparedEnded {
            connection: "c-1".into(),
        },
    ]
}

fn home_room() -> HomeRoom {
    HomeRoom {
        id: "r-1".into(),
        name: "Frühstück".into(),
        access: Access::Guests,
        kind: RoomKind::Named,
        knock: false,
        owner: true,
        member: false,
        pinned: true,
        people: 2,
        visited_at: Some(1_764_000_000_000),
    }
}

fn home_change(seq: u64, change: HomeChange) -> ServerMessage {
    ServerMessage::HomeDelta { seq, change }
}

fn call() -> Call {
    Call {
        id: "k-1".into(),
        room: "r-2".into(),
        into: None,
        direction: Direction::Incoming,
        person: CallPerson {
            id: "u-ben".into(),
            name: "Ben Weiß".into(),
            picture: None,
        },
        video: true,
        ringing: true,
        started_at: 1_764_000_000_000,
    }
}

fn knocking() -> Knocking {
    Knocking {
        id: "p-gil".into(),
        name: "Gil".into(),
        guest: true,
    }
}

fn history_entry() -> HistoryEntry {
    HistoryEntry {
        id: "y-1".into(),
        kind: HistoryKind::Missed,
        person: Some(call().person),
        room: None,
        video: true,
        end: None,
        started_at: 1_764_000_000_000,
        duration_ms: None,
        seen: false,
    }
}

fn meeting() -> Meeting {
    Meeting {
        id: "t-1".into(),
        title: "Elternabend 4b".into(),
        room: "public/elternabend-4b".into(),
        starts_at: 1_764_090_000_000,
        ends_at: 1_764_093_600_000,
        time_zone: "Europe/Berlin".into(),
        by: "Anna Schmidt".into(),
        own: true,
    }
}

fn anna() -> Participant {
    Participant {
        id: "p-anna".into(),
        name: "Anna Schmidt".into(),
        guest: false,
        presence: Presence::Connected,
        tracks: vec![
            Track {
                source: Source::Microphone,
                muted: false,
            },
            Track {
                source: Source::Camera,
                muted: false,
            },
        ],
        joined_at: 1_764_000_000_000,
    }
}

fn ben() -> Participant {
    Participant {
        id: "p-ben".into(),
        name: "Ben".into(),
        guest: true,
        joined_at: 1_764_000_005_000,
        ..anna()
    }
}

#[test]
fn every_message_has_its_golden_json() {
    let mut names = Vec::new();
    for message in client_examples() {
        names.push(check("client", &message));
    }
    for message in server_examples() {
        names.push(check("server", &message));
    }
    let on_disk: Vec<_> = std::fs::read_dir(golden_dir())
        .expect("golden folder")
        .flatten()
        .collect();
    for entry in on_disk {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            names.contains(&name),
            "golden/{name} belongs to no example: delete it"
        );
    }
}

#[test]
fn no_variant_is_without_an_example() {
    let seen = |tag: &str, values: &[Value]| {
        values.iter().filter(|value| value["type"] == tag).count() > 0
    };
    let client: Vec<Value> = client_examples()
        .iter()
        .map(|message| serde_json::to_value(message).unwrap())
        .collect();
    let server: Vec<Value> = server_examples()
        .iter()
        .map(|message| serde_json::to_value(message).unwrap())
        .collect();
    let changes: Vec<Value> = server.iter().map(|value| value["change"].clone()).collect();
    let config = Config::new().with_large_int("number");
    for (declaration, examples) in [
        (ClientMessage::inline(&config), &client),
        (ServerMessage::inline(&config), &server),
        (RoomChange::inline(&config), &changes),
        (HomeChange::inline(&config), &changes),
    ] {
        for tag in tags(&declaration) {
            assert!(seen(&tag, examples), "no example of `{tag}`");
        }
    }
}

#[test]
fn unknown_fields_are_ignored_and_unknown_types_are_an_error() {
    let extended = r#"{"type":"ping","id":"1","later":true}"#;
    assert_eq!(
        serde_json::from_str::<ClientMessage>(extended).unwrap(),
        ClientMessage::Ping { id: "1".into() }
    );
    assert!(serde_json::from_str::<ClientMessage>(r#"{"type":"juggle"}"#).is_err());
}

#[test]
fn the_typescript_is_current() {
    let config = Config::new().with_large_int("number");
    let mut text =
        String::from("// Made from crates/protocol by `cargo xtask codegen`. Do not edit.\n\n");
    macro_rules! declare {
        ($($type:ty),+ $(,)?) => {
            $(text.push_str(&format!("export {}\n\n", <$type>::decl(&config)));)+
        };
    }
    declare!(
        IntentId,
        DeviceId,
        RoomId,
        ParticipantId,
        UserId,
        MediaConnectionId,
        CallId,
        BrowserId,
        HistoryId,
        MeetingId,
        ErrorCode,
        Access,
        Source,
        Presence,
        Track,
        Participant,
        Slot,
        Demand,
        VideoCodec,
        RoomView,
        RoomChange,
        HomeRoom,
        Home,
        HomeChange,
        Channel,
        ClientInfo,
        Wanted,
        UplinkMids,
        SlotKind,
        SlotMids,
        ClientMessage,
        Limits,
        PrincipalKind,
        Me,
        App,
        Availability,
        Status,
        PersonAvailability,
        CallPerson,
        Direction,
        Call,
        CallEnd,
        HistoryKind,
        HistoryEntry,
        HistoryRoom,
        Meeting,
        RoomKind,
        Knocking,
        History,
        QualityReport,
        DeviceProblem,
        NetworkKind,
        BrowserFamily,
        PathKind,
        Strain,
        ConnectionSummary,
        ConnectionPoint,
        ConnectionRecord,
        ConnectionRecords,
        ConnectionTimeline,
        PersonsConnection,
        PersonsConnections,
        PersonsTimeline,
        WaitingReason,
        RoomLeftReason,
        ServerMessage,
        HttpError,
        House,
        User,
        Setup,
        SignIn,
        SignInStep,
        SignInCode,
        SignedOut,
        PasskeyChallenge,
        PasskeyAnswer,
        Provider,
        ApplicationName,
        OpenLink,
        AccountLink,
        AcceptLink,
        AskForRecovery,
        Door,
        RoomMembers,
        AddMember,
        PinRoom,
        CreateRoom,
        ChangeRoom,
        GuestEntry,
        GuestGrant,
        Ticket,
        CreateInvite,
        NewInvite,
        RoomInvites,
        RoomInvite,
        OpenInvite,
        Account,
        PersonSource,
        ChangeAccount,
        ChangePassword,
        WithPassword,
        TotpSecret,
        ConfirmTotp,
        BackupCodes,
        Passkey,
        AddPasskey,
        Sessions,
        Session,
        SignInMethod,
        Applications,
        Application,
        People,
        Person,
        Near,
        Language,
        PlanMeeting,
        ChangeMeeting,
        PlannedMeeting,
        MeetingPerson,
        Meetings,
        InviteByMail,
        Invited,
        PushService,
        PushSubscription,
        PushMessage,
        AdminPeople,
        AdminPerson,
        AdminPersonDetails,
        CreatePerson,
        PersonCreated,
        ChangePerson,
        CreateRecovery,
        CreateAccountInvite,
        NewLink,
        AccountInvites,
        AccountInvite,
        Groups,
        Group,
        CreateGroup,
        Clients,
        Client,
        CreateClient,
        ClientCreated,
        AdminSessions,
        AdminSession,
        Settings,
        VisibilityRule,
        ChangeSettings,
        Checklist,
        Audit,
        AuditEntry,
        Tokens,
        Token,
        TokenScope,
        CreateToken,
        TokenCreated,
        ImportReport,
        ImportProblem,
        LdapStatus,
    );
    let text = format!("{}\n", text.trim_end());
    compare(&root().join("web/src/protocol/generated.ts"), &text);
}

/// Writes or compares one example and returns its file name.
fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    side: &str,
    message: &T,
) -> String {
    let value = serde_json::to_value(message).unwrap();
    assert!(
        !has_null(&value),
        "absent means missing, never null: {value}"
    );
    let mut name = format!("{side}.{}", value["type"].as_str().unwrap());
    if let Some(change) = value["change"]["type"].as_str() {
        name = format!("{name}.{change}");
    }
    let slot = &value["change"]["slot"];
    let stage = match (slot.get("paused"), slot.get("first_rtp_timestamp")) {
        (Some(_), _) => ".paused",
        (None, Some(_)) => ".started",
        (None, None) => "",
    };
    let name = format!("{name}{stage}.json");
    let text = format!("{}\n", serde_json::to_string_pretty(message).unwrap());
    compare(&golden_dir().join(&name), &text);
    assert_eq!(
        &serde_json::from_str::<T>(&text).unwrap(),
        message,
        "{name} does not survive the round trip"
    );
    name
}

fn compare(path: &Path, text: &str) {
    if std::env::var_os("STUBE_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let current = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        current == text,
        "{} is not current: run `cargo xtask codegen`",
        path.display()
    );
}

fn tags(declaration: &str) -> Vec<String> {
    let parts = declaration.split("\"type\": \"").skip(1);
    parts
        .map(|part| part.split('"').next().unwrap().to_owned())
        .collect()
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
