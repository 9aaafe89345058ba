//! Latencies in fixed buckets: each at most 1/128 wider than its lower end, so that a percentile is right to
//! within one percent. Threads add without waiting for each other, and memory does not grow with the load.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many buckets double a latency, as a power of two.
const PRECISION: u32 = 7;
const STEPS: u64 = 1 << PRECISION;
/// Latencies of up to 2⁴⁰ µs, twelve days, have their own buckets.
const DOUBLINGS: u64 = 40;
/// Below [`STEPS`] µs each microsecond has its bucket; from there, each doubling has [`STEPS`] of them.
const BUCKETS: u64 = STEPS * (DOUBLINGS + 1 - 7);

/// Latencies seen so far.
#[derive(Debug)]
pub(super) struct Histogram {
    buckets: Vec<AtomicU64>,
    count: AtomicU64,
    longest: AtomicU64,
}

/// What a histogram says, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Latencies {
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        let buckets = (0..BUCKETS).map(|_bucket| AtomicU64::new(0)).collect();
        Self { buckets, count: AtomicU64::new(0), longest: AtomicU64::new(0) }
    }

    /// Adds a latency.
    pub(super) fn add(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let place = usize::try_from(place_of(micros).min(BUCKETS - 1)).unwrap_or_default();
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.longest.fetch_max(micros, Ordering::Relaxed);
    }

    /// What it says; zeros when it is empty.
    pub(super) fn latencies(&self) -> Latencies {
        let longest = self.longest.load(Ordering::Relaxed);
        Latencies {
            p50_ms: in_millis(self.percentile(50).min(longest)),
            p90_ms: in_millis(self.percentile(90).min(longest)),
            p99_ms: in_millis(self.percentile(99).min(longest)),
            max_ms: in_millis(longest),
        }
    }

    /// The latency, in microseconds, that so many of a hundred do not exceed; rounded up to its bucket's end.
    fn percentile(&self, percent: u64) -> u64 {
        let wanted = (self.count.load(Ordering::Relaxed) * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (place, bucket) in (0..).zip(&self.buckets) {
            seen += bucket.load(Ordering::Relaxed);
            if seen >= wanted {
                return end_of(place);
            }
        }
        0
    }
}

/// The bucket of a latency.
fn place_of(micros: u64) -> u64 {
    if micros < STEPS {
        return micros;
    }
    // The highest bit says which doubling it is, the next PRECISION bits the step in it.
    let doubling = u64::from(micros.ilog2() - PRECISION);
    let step = (micros >> doubling) - STEPS;
    STEPS + doubling * STEPS + step
}

/// The longest latency of a bucket.
fn end_of(place: u64) -> u64 {
    if place < STEPS {
        return place;
    }
    let (doubling, step) = ((place - STEPS) / STEPS, (place - STEPS) % STEPS);
    ((STEPS + step + 1) << doubling) - 1
}

fn in_millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_are_those_of_the_latencies_added() {
        let histogram = Histogram::new();
        (1..=1_000).for_each(|millis| histogram.add(Duration::from_millis(millis)));
        let latencies = histogram.latencies();
        for (seen, expected) in [
            (latencies.p50_ms, 500.0),
            (latencies.p90_ms, 900.0),
            (latencies.p99_ms, 990.0),
            (latencies.max_ms, 1_000.0),
        ] {
            assert!((seen - expected).abs() <= expected / 100.0, "{seen} instead of {expected}");
        }
    }

    #[test]
    fn a_single_latency_is_every_percentile() {
        let histogram = Histogram::new();
        assert!(histogram.latencies().p99_ms.abs() < f64::EPSILON);
        histogram.add(Duration::from_micros(1_234));
        let latencies = histogram.latencies();
        assert!((latencies.p50_ms - 1.234).abs() < 0.000_1 && (latencies.max_ms - 1.234).abs() < 0.000_1);
    }

    #[test]
    fn one_in_a_hundred_is_not_the_99th_percentile_and_two_are() {
        for (slow, expected) in [(1, 1.0), (2, 5_000.0)] {
            let histogram = Histogram::new();
            (0..100 - slow).for_each(|_fast| histogram.add(Duration::from_millis(1)));
            (0..slow).for_each(|_slow| histogram.add(Duration::from_secs(5)));
            let p99 = histogram.latencies().p99_ms;
            assert!((p99 - expected).abs() <= expected / 100.0, "{p99}");
        }
    }

    proptest! {
        #[test]
        fn every_latency_is_in_its_bucket_to_within_a_percent(micros in 0_u64..1 << 40) {
            let end = end_of(place_of(micros));
            prop_assert!(end >= micros);
            prop_assert!(end - micros <= micros / 128 + 1, "{} {}", micros, end);
            prop_assert!(place_of(micros) < BUCKETS);
        }
    }
}
