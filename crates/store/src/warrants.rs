//! Location warrants (M1). Frozen once granted, except towards their end.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{IncidentId, Instant, TabletId, WarrantId};

use crate::column::{read_ids, stored_enum};
use crate::noun::{by_key, noun, read_all};
use crate::schema::warrants;
use crate::{StoreError, Tx};

stored_enum! {
    /// Whether an order, a warrant or a recorded end may still carry a command.
    OrderState {
        /// It may, within its window.
        Open = "open",
        /// It was carried out, withdrawn, or given up by a restore.
        Ended = "ended",
    }
}

noun! {
    /// A warrant to locate one tablet.
    pub struct Warrant in warrants keyed by id {
        /// Its id.
        id: WarrantId,
        /// The open incident it rests on.
        incident_id: IncidentId,
        /// The only tablet it covers.
        tablet_id: TabletId,
        /// Whether it may still carry a command.
        state: OrderState,
        /// The first instant it covers.
        opens_at: Instant,
        /// The first instant it no longer covers.
        expires_at: Instant,
        /// How many positions it lets be asked for.
        fixes: i32,
        /// How far apart two requests lie at least, in milliseconds.
        interval_ms: i64,
        /// When it ended; `None` while it is open, and for one that ended before that was recorded.
        ended_at: Option<Instant>,
    }
}

by_key!(warrants, Warrant, id: WarrantId; insert, get);

/// Ends it now; `false` if it is not open.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn end(tx: &mut Tx<'_>, id: WarrantId, at: Instant) -> Result<bool, StoreError> {
    let ended = tx.run(|connection| {
        diesel::update(
            warrants::table
                .filter(warrants::id.eq(id.to_string()))
                .filter(warrants::state.eq(OrderState::Open.as_str())),
        )
        .set((warrants::state.eq(OrderState::Ended.as_str()), warrants::ended_at.eq(at.as_millis())))
        .execute(connection)
    })?;
    Ok(ended == 1)
}

/// At most `limit` warrants whose time is over and that were not ended, the first over first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn run_out(tx: &mut Tx<'_>, now: Instant, limit: u32) -> Result<Vec<WarrantId>, StoreError> {
    let ids: Vec<String> = tx.run(|connection| {
        warrants::table
            .filter(warrants::state.eq(OrderState::Open.as_str()))
            .filter(warrants::expires_at.le(now.as_millis()))
            .order(warrants::expires_at.asc())
            .limit(i64::from(limit))
            .select(warrants::id)
            .load(connection)
    })?;
    read_ids(ids, "warrants", "id")
}

/// The warrants of an incident, the first granted first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_incident(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<Warrant>, StoreError> {
    read_all!(tx.run(|connection| {
        warrants::table
            .filter(warrants::incident_id.eq(incident.to_string()))
            .order(warrants::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    warrants kept as Orders {
        personal(Geolocation: LocationMeasures) {
            incident_id, tablet_id, state, opens_at, expires_at, fixes, interval_ms, ended_at,
        }
        not_personal("a number of ours") { id }
    }
}
