//! What the program counts about itself while it runs, for whoever watches it. Nothing here is about a person or a
//! tablet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts what happened.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// A counter at 0.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// It happened once more.
    pub fn one(&self) {
        self.add(1);
    }

    /// It happened so often more.
    pub fn add(&self, times: u64) {
        self.0.fetch_add(times, Ordering::Relaxed);
    }

    /// How often it has happened.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The upper bounds of the buckets of a [`Timer`], in milliseconds.
pub const BUCKETS_MS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 20_000];

/// Counts how long something took, in buckets.
#[derive(Debug, Default)]
pub struct Timer {
    buckets: [AtomicU64; BUCKETS_MS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Timer {
    /// A timer that has counted nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// It took so long.
    pub fn took(&self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        for (bound, bucket) in BUCKETS_MS.iter().zip(&self.buckets) {
            if micros <= bound.saturating_mul(1_000) {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// What was counted.
    #[must_use]
    pub fn read(&self) -> Times {
        let within = self.buckets.each_ref().map(|bucket| bucket.load(Ordering::Relaxed));
        let micros = self.micros.load(Ordering::Relaxed);
        Times { within, count: self.count.load(Ordering::Relaxed), sum: Duration::from_micros(micros) }
    }
}

/// How long something took, each time since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// How often it took at most as long as the bound of [`BUCKETS_MS`] at the same place.
    pub within: [u64; BUCKETS_MS.len()],
    /// How often it was timed.
    pub count: u64,
    /// How long it took in all.
    pub sum: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_counted_in_each_bucket_that_holds_it() {
        let timer = Timer::new();
        for millis in [0, 10, 11, 30_000] {
            timer.took(Duration::from_millis(millis));
        }
        let times = timer.read();
        assert_eq!(times.within, [1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!((times.count, times.sum), (4, Duration::from_millis(30_021)));
    }
}
