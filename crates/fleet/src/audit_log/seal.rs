//! The sealer: chains what was committed, a second later, in batches that are small enough to look through by eye.

use store::{StoreError, audit};
use types::{Duration, Instant};

use crate::{Fleet, Principal, Refusal};

/// How many entries share a seal at most. A finding names the seal: the fewer entries it binds, the closer it points.
const BATCH: u32 = 64;
/// How many batches one round seals at most; then others get their turn, and the next round goes on at once.
const ROUND: u32 = 64;

/// What one round of the sealer found and did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many entries it sealed.
    pub sealed: u64,
    /// Whether more wait.
    pub more: bool,
    /// For how long the first of them had waited.
    pub behind: Duration,
}

/// Seals what was committed. Any number of nodes may do it at once: one of them is faster, and the other finds less
/// to do.
///
/// # Errors
/// [`Refusal::Store`]; what was sealed before the failure stays sealed.
pub async fn seal(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Backlog, Refusal> {
    principal.must_be_calendar()?;
    // A night without work takes no writer's turn.
    let waiting = fleet.store().read(|tx| Ok::<_, Refusal>(audit::unsealed(tx, i64::MIN, 1)?)).await?;
    let Some(first) = waiting.first() else { return Ok(Backlog::default()) };
    let mut backlog = Backlog { behind: now.since(first.at), ..Backlog::default() };
    let mut after = i64::MIN;
    for _batch in 0..ROUND {
        let sealed = fleet.store().write(move |tx| audit::seal_batch(tx, after, now, BATCH)).await;
        match sealed {
            Ok(Some(seal)) => {
                after = seal.last_seq;
                backlog.sealed += u64::from(seal.row_count);
                if seal.row_count < BATCH {
                    return Ok(backlog);
                }
            }
            Ok(None) => return Ok(backlog),
            // Another node seals.
            Err(StoreError::Contended { .. }) => return Ok(backlog),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Backlog { more: true, ..backlog })
}
