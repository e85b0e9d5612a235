//! Timelines that stay small, sums that stay true, and numbers that cannot be.

use protocol::{BrowserFamily, DeviceProblem, NetworkKind, PathKind, QualityReport, Strain};

use super::{MOST_POINTS, Record, unpack};
use crate::io::Measured;

const START: u64 = 1_800_000_000_000;

fn measured() -> Measured {
    Measured {
        path: PathKind::UdpV4,
        rtt_ms: Some(40),
        loss_up: Some(0),
        loss_down: None,
        jitter_ms: Some(4),
        up_bps: 800_000,
        down_bps: 2_000_000,
        estimate_bps: None,
        layer_changes: 1,
        pauses: 0,
    }
}

fn report() -> QualityReport {
    QualityReport {
        loss_up: Some(500),
        loss_down: Some(80),
        fps: Some(24),
        concealed: Some(10),
        freezes: 1,
        frozen_ms: 400,
        network: Some(NetworkKind::Wifi),
        browser: Some(BrowserFamily::Firefox),
        ..QualityReport::default()
    }
}

fn ten_seconds(record: &mut Record, index: u64, loss_up: u16) {
    let at = START + index * 10_000 + 5_000;
    let measured = Measured {
        loss_up: Some(loss_up),
        ..measured()
    };
    record.measured(at, &measured);
    record.reported(at, &report());
}

#[test]
fn both_ends_make_one_timeline_and_the_server_knows_its_own_loss_best() {
    let mut record = Record::new(START);
    ten_seconds(&mut record, 0, 0);
    ten_seconds(&mut record, 1, 80);
    let (step, points) = unpack(&record.timeline()).expect("our own");
    assert_eq!((step, points.len()), (10, 2));
    let losses: Vec<_> = points
        .iter()
        .map(|point| (point.loss_up, point.loss_down))
        .collect();
    assert_eq!(losses, [(Some(0), Some(80)), (Some(80), Some(80))]);
    assert_eq!((points[0].rtt_ms, points[0].fps), (Some(40), Some(24)));
    let summary = record.summary();
    let strain = |mean, bad_seconds, bad_mean| {
        Some(Strain {
            mean,
            bad_seconds,
            bad_mean,
        })
    };
    assert_eq!(summary.loss_up, strain(40, 10, 80));
    assert_eq!(summary.loss_down, strain(80, 20, 80));
    assert_eq!((summary.seconds, summary.troubled_seconds), (20, 20));
    assert_eq!((summary.freezes, summary.frozen_ms), (2, 800));
    assert_eq!(summary.networks, [NetworkKind::Wifi]);
    assert_eq!(summary.browser, Some(BrowserFamily::Firefox));
    assert_eq!(summary.path, Some(PathKind::UdpV4));
}

#[test]
fn a_long_day_is_kept_in_a_few_kilobytes_and_its_sums_stay_exact() {
    let mut record = Record::new(START);
    let steps = 8 * 360;
    for index in 0..steps {
        ten_seconds(&mut record, index, if index % 100 == 0 { 200 } else { 0 });
    }
    let timeline = record.timeline();
    assert!(timeline.len() <= 12_000, "{} bytes", timeline.len());
    let (step, points) = unpack(&timeline).expect("our own");
    assert_eq!(step, 80);
    assert_eq!(points.len() as u64, steps / 8);
    let frozen: u32 = points.iter().map(|point| u32::from(point.frozen_ms)).sum();
    assert_eq!(u64::from(frozen), steps * 400);
    let summary = record.summary();
    assert_eq!(u64::from(summary.seconds), steps * 10);
    let loss = summary.loss_up.expect("measured");
    assert_eq!((loss.mean, loss.bad_seconds, loss.bad_mean), (2, 290, 200));
}

#[test]
fn no_stay_grows_beyond_its_bound() {
    let mut record = Record::new(START);
    let mut most = 0;
    for index in 0..30_000 {
        ten_seconds(&mut record, index, 0);
        if index % 97 == 0 {
            most = most.max(unpack(&record.timeline()).expect("our own").1.len());
        }
    }
    assert!(most <= MOST_POINTS, "{most} points");
}

#[test]
fn what_nobody_measured_is_a_gap_and_a_clock_that_was_set_is_no_flood() {
    let mut record = Record::new(START);
    ten_seconds(&mut record, 0, 0);
    ten_seconds(&mut record, 4, 0);
    let (_, points) = unpack(&record.timeline()).expect("our own");
    assert_eq!(points.len(), 5);
    assert_eq!(points[2], Default::default());
    assert_eq!(record.summary().seconds, 20);
    record.reported(u64::MAX, &report());
    record.reported(0, &report());
    let (_, points) = unpack(&record.timeline()).expect("our own");
    assert!(points.len() < 70, "{}", points.len());
}

#[test]
fn what_cannot_be_is_cut() {
    let mut record = Record::new(START);
    let most = u32::MAX;
    let mad = QualityReport {
        rtt_ms: Some(most),
        jitter_ms: Some(most),
        loss_up: Some(most),
        loss_down: Some(most),
        fps: Some(most),
        concealed: Some(most),
        freezes: most,
        frozen_ms: most,
        layers: Some(most),
        limited_cpu_ms: most,
        limited_bandwidth_ms: most,
        restarts: most,
        problems: vec![DeviceProblem::Denied; 10_000],
        network: Some(NetworkKind::Other),
        browser: Some(BrowserFamily::Other),
    };
    for index in 0..10_000 {
        record.reported(START + index * 5_000, &mad);
    }
    let (_, points) = unpack(&record.timeline()).expect("our own");
    for point in &points {
        let shares = [point.loss_up, point.loss_down, point.concealed];
        assert!(
            shares.iter().flatten().all(|share| *share <= 1000),
            "{point:?}"
        );
        assert!(point.rtt_ms <= Some(10_000) && point.fps <= Some(120) && point.layers <= Some(8));
    }
    let summary = record.summary();
    assert!(summary.cpu_seconds <= summary.seconds && summary.narrow_up_seconds <= summary.seconds);
    assert_eq!(summary.problems, [DeviceProblem::Denied]);
}

#[test]
fn what_is_no_timeline_is_not_read() {
    for bytes in [
        &[][..],
        &[1, 10, 0, 0],
        &[2, 10, 0, 0, 0],
        &[1, 10, 0, 0, 0, 7],
    ] {
        assert_eq!(unpack(bytes), None, "{bytes:?}");
    }
    assert_eq!(unpack(&[1, 10, 0, 0, 0]), Some((10, vec![])));
}
