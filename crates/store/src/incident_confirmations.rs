//! After a restore an incident that was open before is confirmed by somebody who knows, before anything new rests on it
//! (M5): it may have been closed since the backup was made.

use diesel::{
    ExpressionMethods as _, NullableExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, IncidentId, Instant};

use crate::noun::{find_first, noun};
use crate::schema::{incident_confirmations, incident_declarations, incidents};
use crate::within::of_colleges_within;
use crate::{StoreError, Tx, Within, restore};

noun! {
    /// That an incident still stands.
    pub struct Confirmation in incident_confirmations keyed by incident_id {
        /// The incident.
        incident_id: IncidentId,
        /// The restore that it was confirmed after.
        restored_at: Instant,
        /// Who confirmed it.
        confirmed_by: AccountId,
        /// When.
        confirmed_at: Instant,
    }
}

/// The restore after which an incident waits to be confirmed; `None` if nothing stands in its way.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn awaited(
    tx: &mut Tx<'_>,
    incident: IncidentId,
    opened_at: Instant,
) -> Result<Option<Instant>, StoreError> {
    let Some(restored_at) = restore::restored_at(tx)?.filter(|at| opened_at <= *at) else { return Ok(None) };
    let confirmed: Option<Confirmation> = find_first!(
        tx,
        incident_confirmations::table
            .filter(incident_confirmations::incident_id.eq(incident.to_string()))
            .filter(incident_confirmations::restored_at.eq(restored_at.as_millis()))
    )?;
    Ok(confirmed.is_none().then_some(restored_at))
}

/// Records that an incident still stands, after that restore.
///
/// # Errors
/// [`StoreError::Refused`] if it was confirmed, or that was not the last restore.
pub fn record(
    tx: &mut Tx<'_>,
    incident: IncidentId,
    restored_at: Instant,
    by: AccountId,
    now: Instant,
) -> Result<(), StoreError> {
    let row = Confirmation { incident_id: incident, restored_at, confirmed_by: by, confirmed_at: now };
    let stored = Stored::of(&row);
    tx.run(|connection| {
        diesel::insert_into(incident_confirmations::table).values(stored).execute(connection)
    })?;
    Ok(())
}

/// The open incidents within reach that wait to be confirmed, the oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn waiting(
    tx: &mut Tx<'_>,
    within: &Within,
    after: Option<IncidentId>,
    limit: u32,
) -> Result<Vec<IncidentId>, StoreError> {
    let Some(restored_at) = restore::restored_at(tx)? else { return Ok(Vec::new()) };
    let ids: Vec<String> = tx.run(|connection| {
        let confirmed = incident_confirmations::table
            .filter(incident_confirmations::restored_at.eq(restored_at.as_millis()))
            .select(incident_confirmations::incident_id);
        let before = incidents::table
            .filter(incidents::state.eq(crate::incidents::IncidentState::Open.as_str()))
            .filter(incidents::opened_at.le(restored_at.as_millis()))
            .filter(diesel::dsl::not(incidents::id.eq_any(confirmed)))
            .select(incidents::id);
        let mut query = incident_declarations::table
            .filter(incident_declarations::id.eq_any(before))
            .select(incident_declarations::id)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(incident_declarations::id.gt(after.to_string()));
        }
        of_colleges_within!(query, within, incident_declarations::uai.nullable())
            .order(incident_declarations::id.asc())
            .limit(i64::from(limit))
            .load(connection)
    })?;
    ids.into_iter().map(|id| crate::column::read(id.clone(), "incident_declarations", "id", &id)).collect()
}

crate::declared::declares! {
    incident_confirmations kept as Orders {
        personal(Incidents: IncidentFacts) { restored_at, confirmed_at }
        personal(AccountsAndAudit: Acts) { confirmed_by }
        not_personal("a number of ours") { incident_id }
    }
}
