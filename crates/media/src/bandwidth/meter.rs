//! Bytes per time over a short window that moves with the newest packet. A fixed array, no allocation.

const BUCKET_US: i64 = 20_000;
const BUCKETS: usize = 50;
/// With less time than this a rate means nothing.
const LEAST_US: i64 = 100_000;

#[derive(Debug)]
pub(crate) struct Meter {
    buckets: [u32; BUCKETS],
    /// The newest bucket, and the first that ever had something in it.
    span: Option<(i64, i64)>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            span: None,
        }
    }
}

impl Meter {
    pub fn add(&mut self, at_us: i64, bytes: u32) {
        let bucket = at_us.div_euclid(BUCKET_US);
        self.move_to(bucket);
        let Some((newest, _)) = self.span else {
            return;
        };
        if newest - bucket < BUCKETS as i64
            && let Some(sum) = self.buckets.get_mut(place(bucket))
        {
            *sum = sum.saturating_add(bytes);
        }
    }

    /// Time passed without anything.
    pub fn pass(&mut self, at_us: i64) {
        if self.span.is_some() {
            self.move_to(at_us.div_euclid(BUCKET_US));
        }
    }

    /// Over the last `window_us` (at most a second) before the newest bucket, which is not complete yet.
    pub fn bps(&self, window_us: i64) -> Option<f64> {
        let (newest, first) = self.span?;
        let buckets = (window_us / BUCKET_US)
            .min(BUCKETS as i64 - 1)
            .min(newest - first);
        if buckets * BUCKET_US < LEAST_US {
            return None;
        }
        let bytes: u64 = (newest - buckets..newest)
            .filter_map(|bucket| self.buckets.get(place(bucket)))
            .map(|sum| u64::from(*sum))
            .sum();
        Some(bytes as f64 * 8.0 * 1e6 / (buckets * BUCKET_US) as f64)
    }

    fn move_to(&mut self, bucket: i64) {
        let Some((newest, first)) = self.span else {
            self.span = Some((bucket, bucket));
            return;
        };
        if bucket <= newest {
            return;
        }
        for passed in (newest + 1..=bucket).take(BUCKETS) {
            if let Some(sum) = self.buckets.get_mut(place(passed)) {
                *sum = 0;
            }
        }
        self.span = Some((bucket, first));
    }
}

fn place(bucket: i64) -> usize {
    bucket.rem_euclid(BUCKETS as i64) as usize
}
