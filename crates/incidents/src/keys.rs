//! How long an incident's key lives: positions are readable as long, and no longer (M2).

use types::{Duration, Instant};

/// How long after its incident was closed a key dies.
pub const AFTER_CLOSING: Duration = Duration::from_secs(30 * 86_400);

/// How long after the last position a key dies at the latest, whether the incident is closed or not.
pub const AFTER_THE_LAST_FIX: Duration = Duration::from_secs(90 * 86_400);

/// When the key of an incident is destroyed: 30 days after closing, and at the latest 90 days after the last fix.
/// `None` while neither has happened: there is nothing that it could show.
#[must_use]
pub fn key_dies_at(closed_at: Option<Instant>, last_fix_at: Option<Instant>) -> Option<Instant> {
    let after_closing = closed_at.map(|at| at.plus(AFTER_CLOSING));
    let after_the_last_fix = last_fix_at.map(|at| at.plus(AFTER_THE_LAST_FIX));
    match (after_closing, after_the_last_fix) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
