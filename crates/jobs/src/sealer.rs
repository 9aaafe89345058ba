//! The sealer: chains the entries of the audit log, and says how far behind it is.

use std::sync::Arc;

use fleet::audit_log::{self, Backlog};
use fleet::{Fleet, Principal, Refusal};
use types::{Clock, Duration, Instant};

/// An entry that waited longer than this was not sealed as it should be: the log says so.
const LATE: Duration = Duration::from_secs(60);
/// Between two lines of the log about the same trouble.
const REPEAT: Duration = Duration::from_secs(60);

/// Seals what was committed, round after round.
#[derive(Debug)]
pub(crate) struct Sealer {
    fleet: Fleet,
    clock: Arc<dyn Clock>,
    failed: Option<Failing>,
    /// When the log last said how far behind it is.
    said_at: Option<Instant>,
}

/// For how long it has failed.
#[derive(Debug, Clone, Copy)]
struct Failing {
    since: Instant,
    said_at: Instant,
}

impl Sealer {
    pub(crate) fn new(fleet: Fleet, clock: Arc<dyn Clock>) -> Self {
        Self { fleet, clock, failed: None, said_at: None }
    }

    /// Seals what waits. `true` if there is more to do at once.
    pub(crate) async fn round(&mut self) -> bool {
        let now = self.clock.now();
        #[expect(clippy::disallowed_methods, reason = "the sealer is part of the calendar")]
        let calendar = Principal::calendar();
        match audit_log::seal(&self.fleet, &calendar, now).await {
            Ok(backlog) => {
                if let Some(failing) = self.failed.take() {
                    tracing::info!(since = %failing.since, "the audit log is sealed again");
                }
                self.say_how_far_behind(&backlog, now);
                backlog.more
            }
            Err(error) => {
                self.say_why_not(&error, now);
                false
            }
        }
    }

    fn say_how_far_behind(&mut self, backlog: &Backlog, now: Instant) {
        let behind = backlog.behind.as_secs();
        if backlog.behind <= LATE {
            self.said_at = None;
            tracing::debug!(sealed = backlog.sealed, behind, "sealer");
        } else if is_time(self.said_at, now) {
            self.said_at = Some(now);
            tracing::warn!(
                sealed = backlog.sealed,
                behind,
                more = backlog.more,
                "the audit log had waited for its seals for `behind` seconds; catching up"
            );
        }
    }

    fn say_why_not(&mut self, error: &Refusal, now: Instant) {
        let failing = self.failed.unwrap_or(Failing { since: now, said_at: now });
        let first = self.failed.is_none();
        if first || is_time(Some(failing.said_at), now) {
            tracing::warn!(%error, since = %failing.since, "the audit log cannot be sealed; trying again");
            self.failed = Some(Failing { said_at: now, ..failing });
        } else {
            self.failed = Some(failing);
        }
    }
}

/// Whether the same line may be written again.
fn is_time(last: Option<Instant>, now: Instant) -> bool {
    last.is_none_or(|last| now < last || now.since(last) >= REPEAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_once_a_minute() {
        let at = Instant::from_millis;
        assert!(is_time(None, at(0)));
        assert!(!is_time(Some(at(0)), at(59_999)));
        assert!(is_time(Some(at(0)), at(60_000)));
        assert!(is_time(Some(at(60_000)), at(5)), "a clock that was set back silences nothing");
    }
}
