//! How a connection does: what a client reports of its own, and what the house keeps of a stay. Types only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a client measured of its own connection since its last report, about all that came down and went up. Shares are in
/// thousandths. What the browser does not tell is missing. The server takes one report in five seconds and cuts what
/// cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct QualityReport {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u32>,
    /// Packets that were lost on the way to the server, and from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_up: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_down: Option<u32>,
    /// Frames per second of the largest picture that comes down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<u32>,
    /// Sound that had to be made up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concealed: Option<u32>,
    /// Pictures that stood still, and for how long in all.
    #[serde(default)]
    pub freezes: u32,
    #[serde(default)]
    pub frozen_ms: u32,
    /// Encodings of the camera that are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<u32>,
    /// How long one's own picture was smaller because of the device, and because of the way up.
    #[serde(default)]
    pub limited_cpu_ms: u32,
    #[serde(default)]
    pub limited_bandwidth_ms: u32,
    /// How often the transport was started anew.
    #[serde(default)]
    pub restarts: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<DeviceProblem>>", optional))]
    pub problems: Vec<DeviceProblem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<BrowserFamily>,
}

/// What kept a microphone, a camera or a screen from being sent.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum DeviceProblem {
    /// The browser or the system does not allow it.
    Denied,
    NotFound,
    /// Another program has it.
    InUse,
    /// It went away in the middle.
    Lost,
    #[serde(other)]
    Other,
}

/// As the browser tells, if it does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NetworkKind {
    Wifi,
    Ethernet,
    Cellular,
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BrowserFamily {
    Chromium,
    Firefox,
    Safari,
    #[serde(other)]
    Other,
}

/// The way of sound and pictures between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    UdpV4,
    UdpV6,
    TcpV4,
    TcpV6,
}

/// A number over a whole stay, and how bad it was while it was bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Strain {
    pub mean: u32,
    /// How long it was noticeable, and its mean then.
    pub bad_seconds: u32,
    pub bad_mean: u32,
}

/// A stay in numbers, from both ends. Shares are in thousandths; what nobody measured is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(default)]
pub struct ConnectionSummary {
    /// How long was measured.
    pub seconds: u32,
    /// How long something was noticeably wrong.
    pub troubled_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<Strain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_up: Option<Strain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_down: Option<Strain>,
    /// Sound that had to be made up at the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concealed: Option<Strain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_kbps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_kbps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fps: Option<u32>,
    pub freezes: u32,
    pub frozen_ms: u32,
    /// How long one's own picture was smaller: because of the device, because of the way up.
    pub cpu_seconds: u32,
    pub narrow_up_seconds: u32,
    /// How long pictures were missing because the way down was too thin.
    pub narrow_down_seconds: u32,
    pub layer_changes: u32,
    pub restarts: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<DeviceProblem>>", optional))]
    pub problems: Vec<DeviceProblem>,
    /// All that there was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<NetworkKind>>", optional))]
    pub networks: Vec<NetworkKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<BrowserFamily>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathKind>,
}

/// One step of a stay's timeline. Shares are in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(default)]
pub struct ConnectionPoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_up: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_down: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_kbps: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_kbps: Option<u16>,
    /// What the server takes the way down for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_kbps: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fps: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concealed: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<u16>,
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(as = "Option<u16>", optional))]
    pub freezes: u16,
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(as = "Option<u16>", optional))]
    pub frozen_ms: u16,
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(as = "Option<u16>", optional))]
    pub layer_changes: u16,
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(as = "Option<u16>", optional))]
    pub pauses: u16,
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(as = "Option<u16>", optional))]
    pub cpu_ms: u16,
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(as = "Option<u16>", optional))]
    pub narrow_up_ms: u16,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}
