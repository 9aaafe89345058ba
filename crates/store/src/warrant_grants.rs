//! Who asked for a warrant, and which other person granted it (M1). Without such a row, a warrant lets nobody locate.

use ::incidents::{Footing, Grant, RecordedWarrant};
use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
};
use types::{AccountId, Duration, IncidentId, ValidationId, WarrantId};

use crate::noun::{by_key, noun};
use crate::schema::{warrant_grants, warrants as warrant_rows};
use crate::warrants::{OrderState, Warrant};
use crate::{StoreError, Tx, warrants};

noun! {
    /// Who granted a warrant to whom.
    pub struct Granted in warrant_grants keyed by warrant_id {
        /// The warrant.
        warrant_id: WarrantId,
        /// Who asked for it.
        author: AccountId,
        /// Who granted it.
        second: AccountId,
        /// Why.
        reason: String,
        /// The DPO's validation of geolocation that it was granted under (C3.1.6).
        validation_id: ValidationId,
        /// Whether it waits for a paper.
        footing: Footing,
        /// The warrant that it goes on from.
        extends: Option<WarrantId>,
    }
}

by_key!(warrant_grants, Granted, warrant_id: WarrantId; insert, get, get_all);

/// Records a warrant that was just granted. The one it goes on from has to have ended.
///
/// # Errors
/// [`StoreError::Refused`] if the tables say otherwise (M1).
pub fn record(tx: &mut Tx<'_>, id: WarrantId, grant: &Grant) -> Result<(), StoreError> {
    let row = Warrant {
        id,
        incident_id: grant.incident,
        tablet_id: grant.tablet,
        state: OrderState::Open,
        opens_at: grant.opens_at,
        expires_at: grant.expires_at,
        fixes: i32::try_from(grant.fixes).unwrap_or(i32::MAX),
        interval_ms: i64::try_from(grant.interval.as_millis()).unwrap_or(i64::MAX),
        ended_at: None,
    };
    warrants::insert(tx, &row)?;
    insert(
        tx,
        &Granted {
            warrant_id: id,
            author: grant.author,
            second: grant.second,
            reason: grant.reason.clone(),
            validation_id: grant.validation,
            footing: grant.footing,
            extends: grant.extends,
        },
    )
}

/// What was granted, from its two rows; `None` for a warrant that nobody granted.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn grant_of(tx: &mut Tx<'_>, id: WarrantId) -> Result<Option<(Grant, OrderState)>, StoreError> {
    let Some(warrant) = warrants::get(tx, &id)? else { return Ok(None) };
    let Some(granted) = get(tx, &id)? else { return Ok(None) };
    let corrupt = |column| StoreError::Corrupt { table: "warrants", row: id.to_string(), column };
    let grant = Grant {
        incident: warrant.incident_id,
        tablet: warrant.tablet_id,
        author: granted.author,
        second: granted.second,
        reason: granted.reason,
        validation: granted.validation_id,
        footing: granted.footing,
        extends: granted.extends,
        opens_at: warrant.opens_at,
        expires_at: warrant.expires_at,
        fixes: u32::try_from(warrant.fixes).ok().ok_or_else(|| corrupt("fixes"))?,
        interval: u64::try_from(warrant.interval_ms)
            .map(Duration::from_millis)
            .ok()
            .ok_or_else(|| corrupt("interval_ms"))?,
    };
    Ok(Some((grant, warrant.state)))
}

/// The facts of a warrant as its rows hold them, to be checked by [`::incidents::Basis`].
///
/// # Errors
/// [`StoreError::Corrupt`].
#[expect(clippy::disallowed_methods, reason = "this is where the facts come from their rows")]
pub fn recorded(tx: &mut Tx<'_>, id: WarrantId) -> Result<Option<RecordedWarrant>, StoreError> {
    let Some(row) = warrants::get(tx, &id)? else { return Ok(None) };
    Ok(grant_of(tx, id)?.map(|(grant, state)| {
        // Of one that ended before that was recorded, or by an earlier version, nobody knows when: at the latest by itself.
        let ended_at = (state == OrderState::Ended).then(|| row.ended_at.unwrap_or(grant.expires_at));
        RecordedWarrant::from_row(id, &grant, ended_at)
    }))
}

/// The warrant of an incident that was granted last.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Option<WarrantId>, StoreError> {
    let found: Option<String> = tx.run(|connection| {
        warrant_grants::table
            .inner_join(warrant_rows::table.on(warrant_rows::id.eq(warrant_grants::warrant_id)))
            .filter(warrant_rows::incident_id.eq(incident.to_string()))
            .order(warrant_grants::warrant_id.desc())
            .select(warrant_grants::warrant_id)
            .first(connection)
            .optional()
    })?;
    found.map(|id| crate::column::read(id.clone(), "warrant_grants", "warrant_id", &id)).transpose()
}

crate::declared::declares! {
    warrant_grants kept as Orders {
        personal(Geolocation: LocationMeasures) { author, second, reason, footing, extends }
        not_personal("numbers of ours") { warrant_id, validation_id }
    }
}
