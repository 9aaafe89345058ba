//! When a waiting tablet is told to fetch its configuration.
//!
//! Nothing is kept for a tablet and handed out once: an answer may be lost on its way, and the agent asks no second time. What
//! it fetched is compared with what it should have, whenever it polls, and it is told as long as the two differ: at once, then
//! ever less often, so that a tablet that cannot take what it is given is not told every five seconds (T-A21).

use std::time::Duration;

use types::{Digest, Instant};

/// What is known of a tablet that polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// What it should have.
    pub wanted: Digest,
    /// What it fetched last.
    pub fetched: Option<Digest>,
    /// What it was last told to fetch.
    pub told: Option<ToldToFetch>,
}

/// That a tablet was told to fetch something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldToFetch {
    /// What.
    pub wanted: Digest,
    /// When, the last time.
    pub at: Instant,
    /// How often.
    pub times: u8,
}

/// When it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Now.
    Now(ToldToFetch),
    /// Not before then, if it still differs.
    NotBefore(Instant),
    /// It has what it should have.
    Never,
}

/// How long after the first, second … time it is told again; then always as long as the last.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];

impl Waiting {
    /// Whether it is told now.
    #[must_use]
    pub fn wake(&self, now: Instant) -> Wake {
        if self.fetched == Some(self.wanted) {
            return Wake::Never;
        }
        let told = self.told.filter(|told| told.wanted == self.wanted);
        let Some(told) = told else {
            return Wake::Now(ToldToFetch { wanted: self.wanted, at: now, times: 1 });
        };
        let [first, .., last] = PAUSES;
        let after = usize::from(told.times)
            .checked_sub(1)
            .map_or(first, |nth| PAUSES.get(nth).copied().unwrap_or(last));
        let again = told.at.plus(after);
        if now < again {
            return Wake::NotBefore(again);
        }
        Wake::Now(ToldToFetch { at: now, times: told.times.saturating_add(1), ..told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_millis(1_795_500_000_000);

    fn waiting(fetched: Option<&[u8]>) -> Waiting {
        Waiting { wanted: Digest::of(b"new"), fetched: fetched.map(Digest::of), told: None }
    }

    #[test]
    fn a_tablet_is_told_as_long_as_it_has_not_what_it_should() {
        assert_eq!(waiting(Some(b"new")).wake(START), Wake::Never);
        let first = ToldToFetch { wanted: Digest::of(b"new"), at: START, times: 1 };
        assert_eq!(waiting(Some(b"old")).wake(START), Wake::Now(first));
        assert_eq!(waiting(None).wake(START), Wake::Now(first));
        // What it was told of an older configuration does not delay a newer one.
        let older = ToldToFetch { wanted: Digest::of(b"older"), at: START, times: 9 };
        assert_eq!(Waiting { told: Some(older), ..waiting(None) }.wake(START), Wake::Now(first));
        // It fetched meanwhile: nothing more is said.
        assert_eq!(Waiting { told: Some(first), ..waiting(Some(b"new")) }.wake(START), Wake::Never);
    }

    #[test]
    fn t_a21_a_tablet_that_takes_nothing_is_told_ever_less_often() {
        let mut waiting = waiting(None);
        let mut minutes = Vec::new();
        // It polls every five seconds, for six hours.
        for tick in 0..(6 * 60 * 12) {
            let now = START.plus(Duration::from_secs(5 * tick));
            match waiting.wake(now) {
                Wake::Now(told) => {
                    minutes.push(tick / 12);
                    waiting.told = Some(told);
                }
                Wake::NotBefore(again) => {
                    assert!(again > now && again <= now.plus(Duration::from_secs(3_600)))
                }
                Wake::Never => panic!("it has nothing"),
            }
        }
        assert_eq!(minutes, [0, 1, 6, 21, 81, 141, 201, 261, 321]);
    }

    #[test]
    fn a_clock_that_was_set_back_delays_by_no_more_than_what_it_was_set_back() {
        let told = ToldToFetch { wanted: Digest::of(b"new"), at: START, times: 200 };
        let earlier = START.minus(Duration::from_secs(60));
        let waiting = Waiting { told: Some(told), ..waiting(None) };
        assert_eq!(waiting.wake(earlier), Wake::NotBefore(START.plus(Duration::from_secs(3_600))));
        assert!(matches!(waiting.wake(START.plus(Duration::from_secs(3_600))), Wake::Now(_)));
    }
}
