//! A timeline as bytes: a version, the step, and 32 bytes for each point, the lowest byte of a number first.

use protocol::ConnectionPoint;

const VERSION: u8 = 1;
const HEADER: usize = 5;
const FIELDS: usize = 16;
/// Where nobody measured.
const ABSENT: u16 = u16::MAX;

pub(super) fn pack(step: u32, points: &[ConnectionPoint]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + points.len() * FIELDS * 2);
    bytes.push(VERSION);
    bytes.extend(step.to_le_bytes());
    for point in points {
        for field in fields(point) {
            bytes.extend(field.to_le_bytes());
        }
    }
    bytes
}

/// Seconds from one point to the next, and the points; `None` for what this version did not write.
pub fn unpack(bytes: &[u8]) -> Option<(u32, Vec<ConnectionPoint>)> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let [version, step @ ..] = *header;
    if version != VERSION || !rest.len().is_multiple_of(FIELDS * 2) {
        return None;
    }
    let points = rest.chunks_exact(FIELDS * 2).map(|bytes| {
        let mut fields = [0; FIELDS];
        for (field, pair) in fields.iter_mut().zip(bytes.chunks_exact(2)) {
            *field = pair.try_into().map(u16::from_le_bytes).unwrap_or(ABSENT);
        }
        point(fields)
    });
    Some((u32::from_le_bytes(step), points.collect()))
}

fn fields(point: &ConnectionPoint) -> [u16; FIELDS] {
    let maybe = |value: Option<u16>| value.map_or(ABSENT, |value| value.min(ABSENT - 1));
    [
        maybe(point.rtt_ms),
        maybe(point.jitter_ms),
        maybe(point.loss_up),
        maybe(point.loss_down),
        maybe(point.up_kbps),
        maybe(point.down_kbps),
        maybe(point.estimate_kbps),
        maybe(point.fps),
        maybe(point.concealed),
        maybe(point.layers),
        point.freezes,
        point.frozen_ms,
        point.layer_changes,
        point.pauses,
        point.cpu_ms,
        point.narrow_up_ms,
    ]
}

fn point(fields: [u16; FIELDS]) -> ConnectionPoint {
    let maybe = |value: u16| (value != ABSENT).then_some(value);
    let [
        rtt_ms,
        jitter_ms,
        loss_up,
        loss_down,
        up_kbps,
        down_kbps,
        estimate_kbps,
        fps,
        concealed,
        layers,
        freezes,
        frozen_ms,
        layer_changes,
        pauses,
        cpu_ms,
        narrow_up_ms,
    ] = fields;
    ConnectionPoint {
        rtt_ms: maybe(rtt_ms),
        jitter_ms: maybe(jitter_ms),
        loss_up: maybe(loss_up),
        loss_down: maybe(loss_down),
        up_kbps: maybe(up_kbps),
        down_kbps: maybe(down_kbps),
        estimate_kbps: maybe(estimate_kbps),
        fps: maybe(fps),
        concealed: maybe(concealed),
        layers: maybe(layers),
        freezes,
        frozen_ms,
        layer_changes,
        pauses,
        cpu_ms,
        narrow_up_ms,
    }
}
