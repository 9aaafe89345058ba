//! Where lost mode stands on each tablet that ever was in it, by what it said last, and what it shows.

use ::incidents::LostModeState;
use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use types::{IncidentId, Instant, TabletId};

use crate::column::read_ids;
use crate::noun::{by_key, noun};
use crate::schema::{incidents, lost_modes};
use crate::{StoreError, Tx};

noun! {
    /// Lost mode of one tablet.
    pub struct LostMode in lost_modes keyed by tablet_id {
        /// The tablet.
        tablet_id: TabletId,
        /// The incident it rests on, or rested on last.
        incident_id: IncidentId,
        /// Where it stands.
        state: LostModeState,
        /// Since when.
        since: Instant,
        /// The message that it shows.
        message: Option<String>,
        /// The phone number that it shows.
        phone: Option<String>,
        /// The footnote that it shows.
        footnote: Option<String>,
    }
}

by_key!(lost_modes, LostMode, tablet_id: TabletId; insert, get, get_all, update);

/// Writes what stands on a tablet, in place of what stood there.
///
/// # Errors
/// [`StoreError::Refused`] if the incident is not of that tablet.
pub fn put(tx: &mut Tx<'_>, row: &LostMode) -> Result<(), StoreError> {
    if !update(tx, row)? {
        insert(tx, row)?;
    }
    Ok(())
}

/// Writes where lost mode stands by now; a tablet that never was in it stays without a row.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn set(tx: &mut Tx<'_>, tablet: TabletId, state: LostModeState, at: Instant) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(
            lost_modes::table
                .filter(lost_modes::tablet_id.eq(tablet.to_string()))
                .filter(lost_modes::state.ne(state.as_str())),
        )
        .set((lost_modes::state.eq(state.as_str()), lost_modes::since.eq(at.as_millis())))
        .execute(connection)
    })?;
    Ok(())
}

/// At most `limit` tablets on which lost mode may not be what it should: one that is on, or on its way there or back, and
/// one whose incident is open. After `after`, by their id.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn to_look_at(tx: &mut Tx<'_>, after: Option<TabletId>, limit: u32) -> Result<Vec<TabletId>, StoreError> {
    let open = crate::incidents::IncidentState::Open.as_str();
    let ids: Vec<String> = tx.run(|connection| {
        lost_modes::table
            .filter(lost_modes::tablet_id.gt(after.map(|id| id.to_string()).unwrap_or_default()))
            .filter(
                lost_modes::state.ne(LostModeState::Off.as_str()).or(lost_modes::incident_id
                    .eq_any(incidents::table.filter(incidents::state.eq(open)).select(incidents::id))),
            )
            .order(lost_modes::tablet_id.asc())
            .limit(i64::from(limit))
            .select(lost_modes::tablet_id)
            .load(connection)
    })?;
    read_ids(ids, "lost_modes", "tablet_id")
}

crate::declared::declares! {
    lost_modes kept as Orders {
        personal(Incidents: IncidentFacts) { tablet_id, incident_id, state, since }
        personal(Incidents: Reasons) { message, phone, footnote }
    }
}
