//! The clock a simulated tablet believes in. Tests travel in time, and real tablets' clocks are wrong.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells seconds since 1970. Certificates are checked, messages dated and codes made with it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|| {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the edge at which a tablet reads its clock"
            )]
            let now = SystemTime::now();
            now.duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| i64::try_from(since.as_secs()).ok())
                .unwrap_or_default()
        }))
    }

    /// A clock that reads seconds since 1970 from `read`.
    pub fn reading(read: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// This clock, wrong by `seconds` (ahead if positive).
    #[must_use]
    pub fn wrong_by(self, seconds: i64) -> Self {
        if seconds == 0 { self } else { Self(Arc::new(move || (self.0)().saturating_add(seconds))) }
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.0)()
    }

    /// Now as RFC 3339 in UTC, to the second.
    #[must_use]
    pub fn rfc3339(&self) -> String {
        self.timestamp().to_string()
    }

    /// Now as an ASN.1 `UTCTime`.
    pub(crate) fn utc_time(&self) -> String {
        self.timestamp().strftime("%y%m%d%H%M%SZ").to_string()
    }

    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_wrong_by_what_was_said() {
        let clock = Clock::reading(|| 1_700_000_000).wrong_by(-3600);
        assert_eq!(clock.now(), 1_699_996_400);
        assert_eq!(clock.rfc3339(), "2023-11-14T21:13:20Z");
        assert_eq!(clock.utc_time(), "231114211320Z");
    }
}
