//! Incidents, as far as lost mode rests on them (C5.4.3). Frozen once recorded, except towards their closing. How each was
//! declared, and how far it has come, is in [`incident_declarations`](crate::incident_declarations).

use diesel::dsl::{exists, sql};
use diesel::sql_types::Bool;
use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{IncidentId, IncidentKind, Instant, PersonId, TabletId};

use crate::column::stored_enum;
use crate::loans::befell_its_holder;
use crate::noun::{by_key, find_all, noun, read_all};
use crate::schema::{incidents, loans};
use crate::{StoreError, Tx};

stored_enum! {
    /// Whether an incident is open.
    IncidentState {
        /// Open.
        Open = "open",
        /// Closed.
        Closed = "closed",
    }
}

noun! {
    /// An incident of one tablet.
    pub struct Incident in incidents keyed by id {
        /// Its id.
        id: IncidentId,
        /// The tablet.
        tablet_id: TabletId,
        /// Its kind; loss, theft and the request of an authority can carry lost mode.
        kind: IncidentKind,
        /// Whether it is open.
        state: IncidentState,
        /// Since when.
        opened_at: Instant,
        /// When it was closed.
        closed_at: Option<Instant>,
    }
}

by_key!(incidents, Incident, id: IncidentId; insert, get);

/// The incidents of a tablet that are open, the oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn open_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Vec<Incident>, StoreError> {
    read_all!(tx.run(|connection| {
        incidents::table
            .filter(incidents::tablet_id.eq(tablet.to_string()))
            .filter(incidents::state.eq(IncidentState::Open.as_str()))
            .order(incidents::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// As [`open_of_tablet`], of many tablets: one statement, or none for no tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn open_of_tablets(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<Vec<Incident>, StoreError> {
    let mut found: Vec<Incident> = find_all!(
        tx,
        incidents,
        tablets.into_iter().map(|one| one.to_string()).collect(),
        incidents::tablet_id,
        incidents::state.eq(IncidentState::Open.as_str())
    )?;
    found.sort_by_key(|incident| incident.id);
    Ok(found)
}

/// Whether an incident is open that befell a tablet while it was with a person, whichever tablet they have now.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn open_of_holder(tx: &mut Tx<'_>, person: PersonId) -> Result<bool, StoreError> {
    tx.run(|connection| {
        let theirs = incidents::table
            .inner_join(loans::table.on(loans::tablet_id.eq(incidents::tablet_id)))
            .filter(incidents::state.eq(IncidentState::Open.as_str()))
            .filter(loans::person_id.eq(person.to_string()))
            .filter(sql::<Bool>(befell_its_holder!()));
        diesel::select(exists(theirs)).get_result(connection)
    })
}

/// Closes an incident; `false` if it is not open.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn close(tx: &mut Tx<'_>, id: IncidentId, at: Instant) -> Result<bool, StoreError> {
    let closed = tx.run(|connection| {
        diesel::update(
            incidents::table
                .filter(incidents::id.eq(id.to_string()))
                .filter(incidents::state.eq(IncidentState::Open.as_str())),
        )
        .set((incidents::state.eq(IncidentState::Closed.as_str()), incidents::closed_at.eq(at.as_millis())))
        .execute(connection)
    })?;
    Ok(closed == 1)
}

crate::declared::declares! {
    incidents kept as Orders {
        personal(Incidents: IncidentFacts) { tablet_id, kind, state, opened_at, closed_at }
        not_personal("a number of ours") { id }
    }
}
