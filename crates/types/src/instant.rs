//! Instants as unix milliseconds, and the clock that the top floor passes in.
//!
//! Rules take an [`Instant`]; only edges hold a [`Clock`]. Tests and the demo move time through
//! [`ManualClock`], an in-process handle: there is no other way to move it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};

/// A span of elapsed time.
pub type Duration = std::time::Duration;

/// A point in time, to the millisecond; stored as unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(i64);

impl Instant {
    /// The instant `millis` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant plus `span`; stays at the far end instead of overflowing.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// This instant minus `span`.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// The time elapsed from `earlier` to this instant, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC, for people and logs.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_out_of_range) => write!(f, "{} ms", self.0),
        }
    }
}

/// Not an instant as RFC 3339 writes one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an instant in RFC 3339, such as 2026-11-23T22:00:00Z")]
pub struct InvalidInstant;

/// As RFC 3339 writes it, with its offset.
impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        let read: jiff::Timestamp = text.parse().map_err(|_not_an_instant| InvalidInstant)?;
        Ok(Self(read.as_millisecond()))
    }
}

/// Where the time comes from. Held by edges only; rules take an [`Instant`].
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> Instant;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Instant {
        Instant(jiff::Timestamp::now().as_millisecond())
    }
}

/// A clock that runs with the machine's and can be pushed forwards: tests and the demo travel with it.
///
/// Clones share the same offset.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    offset_millis: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that starts at the machine's present.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves every clone of this clock forwards by `span`.
    pub fn advance(&self, span: Duration) {
        self.offset_millis.fetch_add(millis(span), Ordering::SeqCst);
    }

    /// Moves every clone of this clock backwards by `span`, as a wrongly set machine would.
    pub fn set_back(&self, span: Duration) {
        self.offset_millis.fetch_sub(millis(span), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        Instant(SystemClock.now().0.saturating_add(self.offset_millis.load(Ordering::SeqCst)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_in_utc() {
        assert_eq!(Instant::from_millis(1_795_471_200_000).to_string(), "2026-11-23T22:00:00Z");
    }

    #[test]
    fn an_instant_is_read_with_its_offset() {
        for text in ["2026-11-23T22:00:00Z", "2026-11-23T23:00:00+01:00", "2026-11-23T22:00:00.000Z"] {
            assert_eq!(text.parse(), Ok(Instant::from_millis(1_795_471_200_000)), "{text}");
        }
        for text in ["", "2026-11-23", "2026-11-23T22:00:00", "tomorrow", "2026-13-23T22:00:00Z"] {
            assert_eq!(text.parse::<Instant>(), Err(InvalidInstant), "{text}");
        }
    }

    #[test]
    fn elapsed_time_is_never_negative() {
        let (early, late) = (Instant::from_millis(5), Instant::from_millis(9));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn clones_of_a_manual_clock_travel_together() {
        let clock = ManualClock::new();
        let twin = clock.clone();
        clock.advance(Duration::from_secs(86_400));
        assert!(twin.now().since(SystemClock.now()) > Duration::from_secs(86_000));
    }
}
