//! How often one may try (T-C3): per account, whatever address the attempts come from.
//!
//! An attempt is counted *before* the password is looked at, and forgotten when it was right: a thousand
//! attempts at once are a thousand attempts. A lock is short enough that nobody can keep a person out of
//! their account for long by failing in their name.

use types::{Duration, Instant};

/// How many attempts may fail before each further one waits.
const FREE: u32 = 5;
/// The first wait; each further failure doubles it.
const FIRST_LOCK: Duration = Duration::from_secs(30);
/// The longest wait.
pub const LONGEST_LOCK: Duration = Duration::from_secs(15 * 60);

/// The attempts on one account since the last right one, as its row holds them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many failed, or are still being checked.
    pub failed: u32,
    /// Until when nothing is tried.
    pub locked_until: Option<Instant>,
}

/// Nothing is tried for a while. The person is told what everyone is told whose password is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts on this account; nothing is tried until {until}")]
pub struct Locked {
    /// Until when.
    pub until: Instant,
}

impl Attempts {
    /// Counts an attempt; what is returned is stored before the password is looked at.
    ///
    /// # Errors
    /// [`Locked`]. Such an attempt does not lengthen the wait.
    pub fn begin(self, now: Instant) -> Result<Self, Locked> {
        // A lock of longer than the longest was set before the clock was: it does not count.
        let lock = self.locked_until.filter(|until| now < *until && *until <= now.plus(LONGEST_LOCK));
        if let Some(until) = lock {
            return Err(Locked { until });
        }
        let failed = self.failed.saturating_add(1);
        let locked_until = failed.checked_sub(FREE).map(|beyond| {
            let doubled = 2_u32.checked_pow(beyond).and_then(|times| FIRST_LOCK.checked_mul(times));
            now.plus(doubled.unwrap_or(LONGEST_LOCK).min(LONGEST_LOCK))
        });
        Ok(Self { failed, locked_until })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(1_795_000_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn t_c12_each_further_failure_waits_twice_as_long_up_to_a_quarter_of_an_hour() {
        let mut attempts = Attempts::default();
        let (mut now, mut waits) = (at(0), Vec::new());
        for _attempt in 0..12 {
            attempts = attempts.begin(now).unwrap();
            let until = attempts.locked_until.unwrap_or(now);
            waits.push(until.since(now).as_secs());
            if now < until {
                assert_eq!(attempts.begin(until.minus(Duration::from_millis(1))), Err(Locked { until }));
            }
            now = until;
        }
        assert_eq!(waits, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn a_clock_set_back_keeps_nobody_out_for_longer_than_a_lock_lasts() {
        let locked = Attempts { failed: 9, locked_until: Some(at(900)) };
        assert!(locked.begin(at(0)).is_err());
        assert!(locked.begin(at(0).minus(Duration::from_secs(86_400))).is_ok());
    }

    proptest! {
        /// However the attempts are spread, a day has room for a hundred or so: no guessing.
        #[test]
        fn t_c3_no_rhythm_of_attempts_passes_more_than_a_hundred_a_day(
            pauses in prop::collection::vec(0_u64..1_200, 1..2_000)
        ) {
            let (mut now, mut attempts, mut tried) = (at(0), Attempts::default(), 0);
            for pause in pauses {
                now = now.plus(Duration::from_secs(pause));
                if now >= at(86_400) {
                    break;
                }
                if let Ok(counted) = attempts.begin(now) {
                    (attempts, tried) = (counted, tried + 1);
                }
            }
            prop_assert!(tried <= 106, "{} attempts", tried);
        }
    }
}
