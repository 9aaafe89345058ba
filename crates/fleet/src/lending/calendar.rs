//! What the calendar does to loans by itself (C5.2.3). None of it erases a tablet: an erasure begins with a receipt.
//!
//! In batches, each a transaction of its own: whoever hands tablets over meanwhile waits for none of them.

use lending::calendar::ends_by_itself;
use serde_json::json;
use store::{Tx, loans};
use types::{Actor, Day, Instant, LoanId};

use super::modes;
use super::refusals::refused;
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal, watch};

/// Loans in one transaction.
const BATCH: u32 = 100;

/// Ends the loans whose holder's last day of attendance is over. The calendar's work; says how many ended.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn end_of_attendance(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let (mut ended, mut after) = (0, None);
    loop {
        let left = fleet.store().read(move |tx| loans::of_who_left(tx, Day::of(now), after, BATCH)).await?;
        let Some(last) = left.last().copied() else { return Ok(ended) };
        ended += watch::each_of(fleet, left, move |tx, id| end_one(tx, id, now), now).await?;
        after = Some(last);
    }
}

fn end_one(tx: &mut Tx<'_>, id: LoanId, now: Instant) -> Result<bool, Refusal> {
    let Some((row, leaves_on)) = loans::with_last_day(tx, id)? else { return Ok(false) };
    let loan = row.decided()?;
    let Some((because, at)) = ends_by_itself(&loan, leaves_on, now) else { return Ok(false) };
    let over = loan.end(because, at).map_err(|why| refused(&why))?;
    loans::update(tx, &row.standing(&over, at))?;
    modes::refresh(tx, row.tablet_id, now)?;
    let change = Change::new("loan.end")
        .tablet(Some(row.tablet_id))
        .detail(json!({ "loan": row.id, "because": "left", "last_day": leaves_on }));
    audit::record_by(tx, Actor::Calendar, change, now)?;
    Ok(true)
}
