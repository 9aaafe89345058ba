//! What the calendar does to loans by itself (C5.2.3). None of it erases a tablet: an erasure begins with a receipt.
//!
//! In batches, each a transaction of its own: whoever hands tablets over meanwhile waits for none of them.

use lending::calendar::ends_by_itself;
use serde_json::json;
use store::{Tx, loans};
use types::{Actor, Day, Instant};

use super::modes;
use super::refusals::refused;
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// Loans in one transaction.
const BATCH: u32 = 100;

/// Ends the loans whose holder's last day of attendance is over. The calendar's work; says how many ended.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn end_of_attendance(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let mut ended = 0;
    loop {
        let batch = fleet.store().write(move |tx| end_some(tx, now)).await?;
        ended += batch;
        if batch < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            return Ok(ended);
        }
    }
}

fn end_some(tx: &mut Tx<'_>, now: Instant) -> Result<usize, Refusal> {
    let left = loans::of_who_left(tx, Day::of(now), BATCH)?;
    let mut ended = 0;
    for (row, leaves_on) in left {
        let loan = row.decided()?;
        let Some((because, at)) = ends_by_itself(&loan, Some(leaves_on), now) else { continue };
        let over = loan.end(because, at).map_err(|why| refused(&why))?;
        loans::update(tx, &row.standing(&over, at))?;
        modes::refresh(tx, row.tablet_id, now)?;
        let change = Change::new("loan.end")
            .tablet(Some(row.tablet_id))
            .detail(json!({ "loan": row.id, "because": "left", "last_day": leaves_on }));
        audit::record_by(tx, Actor::Calendar, change, now)?;
        ended += 1;
    }
    Ok(ended)
}
