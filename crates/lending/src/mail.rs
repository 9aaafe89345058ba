//! What becomes of a mail after an attempt to send it: tried again, or not, and what counts (M3).
//!
//! Between the server's word that it took a mail and our row that says so, the machine may die. Then nobody knows whether it
//! went. It is sent once more, with the same Message-ID, and never a third time: at most one mail too many, and a notice of
//! which we do not know that it was taken counts for nothing.

use types::{Duration, Instant};

/// A mail is tried for so long after it was written (RFC 5321 §4.5.4.1 asks for four to five days).
pub const TRIED_FOR: Duration = Duration::from_secs(5 * 86_400);
/// So often nobody knows whether it went; then it is left.
pub const MOST_DOUBTS: u32 = 2;
/// The first pause, and the longest.
const FIRST_PAUSE: u64 = 60;
const LONGEST_PAUSE: u64 = 4 * 3_600;

/// What was learnt from an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The server took it.
    Taken,
    /// The server refuses it for good: the address, or the mail. Its code.
    Never(u16),
    /// Not now: the server said so, or could not be reached. Why, in words that name nobody.
    NotNow(String),
    /// It was handed to the server, and no word came back.
    Unknown,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It counts from now on.
    Counts,
    /// It is tried again then.
    Again(Instant),
    /// It is never tried again: the server refused it. Why.
    Refused(String),
    /// It is never tried again: its time is over, or nobody knows whether it went. Why.
    GivenUp(String),
}

/// Decides. `attempts` counts this one, and `doubts` how often nobody knew, this time included.
#[must_use]
pub fn next(said: &Said, attempts: u32, doubts: u32, written: Instant, now: Instant) -> Next {
    match said {
        Said::Taken => Next::Counts,
        Said::Never(code) => Next::Refused(code.to_string()),
        Said::Unknown if doubts >= MOST_DOUBTS => Next::GivenUp("unknown".to_owned()),
        Said::NotNow(why) if now >= written.plus(TRIED_FOR) => Next::GivenUp(why.clone()),
        Said::Unknown | Said::NotNow(_) => Next::Again(now.plus(pause(attempts))),
    }
}

/// The pause after so many attempts: a minute, then twice as long each time, and never more than four hours.
#[must_use]
pub fn pause(attempts: u32) -> Duration {
    let doubled = 1_u64.checked_shl(attempts.saturating_sub(1)).unwrap_or(u64::MAX);
    Duration::from_secs(FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_mail_is_tried_again_after_longer_and_longer_pauses_for_five_days() {
        let later = Said::NotNow("451".into());
        let pauses: Vec<u64> = [1, 2, 3, 8, 9, 40, u32::MAX].map(|tries| pause(tries).as_secs()).into();
        assert_eq!(pauses, [60, 120, 240, 7_680, 14_400, 14_400, 14_400]);
        assert_eq!(next(&later, 1, 0, at(0), at(10)), Next::Again(at(70)));
        assert_eq!(next(&later, 30, 0, at(0), at(5 * 86_400 - 1)), Next::Again(at(5 * 86_400 - 1 + 14_400)));
        assert_eq!(next(&later, 31, 0, at(0), at(5 * 86_400)), Next::GivenUp("451".into()));
    }

    #[test]
    fn m3_what_a_server_refuses_for_good_is_not_tried_again_and_counts_for_nothing() {
        assert_eq!(next(&Said::Never(550), 1, 0, at(0), at(0)), Next::Refused("550".into()));
    }

    #[test]
    fn a_mail_of_which_nobody_knows_whether_it_went_is_sent_once_more_and_never_a_third_time() {
        assert_eq!(next(&Said::Unknown, 1, 1, at(0), at(0)), Next::Again(at(60)));
        assert_eq!(next(&Said::Unknown, 2, 2, at(0), at(60)), Next::GivenUp("unknown".into()));
    }

    proptest! {
        #[test]
        fn only_a_servers_word_makes_a_notice_count(
            code in 500_u16..600, attempts in 1_u32..100, doubts in 0_u32..5, later in 0_i64..1_000_000,
        ) {
            for said in [Said::Never(code), Said::NotNow(String::new()), Said::Unknown] {
                prop_assert_ne!(next(&said, attempts, doubts, at(0), at(later)), Next::Counts);
            }
        }
    }
}
