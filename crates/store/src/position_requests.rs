//! Each request for a position: who asked, why, and what became of it; and the positions that were kept, sealed with the
//! key of their incident, which stands outside the database (M1, M2).

use ::incidents::{Asking, Kept};
use diesel::dsl::{count_star, max};
use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use types::{AccountId, CommandId, IncidentId, Instant, TabletId, WarrantId};

use crate::column::stored_enum;
use crate::noun::{by_key, noun, read_all};
use crate::schema::{commands, position_requests, positions, warrants};
use crate::{StoreError, Tx};

stored_enum! {
    /// What became of a request for a position.
    Outcome {
        /// No tablet has answered it.
        Awaited = "awaited",
        /// Its answer was sealed and kept.
        Kept = "kept",
        /// Its answer was dropped before it was stored.
        Dropped = "dropped",
        /// It was called off, or the tablet could not.
        Cancelled = "cancelled",
    }
}

noun! {
    /// A request for a position.
    pub struct PositionRequest in position_requests keyed by command_id {
        /// The command that asks the tablet.
        command_id: CommandId,
        /// The warrant it rests on.
        warrant_id: WarrantId,
        /// Who asked.
        asked_by: AccountId,
        /// Why.
        reason: String,
        /// When.
        asked_at: Instant,
        /// What became of it.
        outcome: Outcome,
        /// Why it was dropped or called off; never where the tablet was.
        why: Option<String>,
        /// When it was over.
        outcome_at: Option<Instant>,
    }
}

by_key!(position_requests, PositionRequest, command_id: CommandId; insert, get);

/// The requests under the warrants of an incident, the oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_incident(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<PositionRequest>, StoreError> {
    read_all!(tx.run(|connection| {
        position_requests::table
            .filter(position_requests::warrant_id.eq_any(
                warrants::table.filter(warrants::incident_id.eq(incident.to_string())).select(warrants::id),
            ))
            .order(position_requests::command_id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// What was asked for before: under this warrant, and of this tablet under any.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn asked(tx: &mut Tx<'_>, warrant: WarrantId, tablet: TabletId) -> Result<Asking, StoreError> {
    let under: i64 = tx.run(|connection| {
        commands::table
            .filter(commands::warrant_id.eq(warrant.to_string()))
            .select(count_star())
            .first(connection)
    })?;
    let last: Option<i64> = tx.run(|connection| {
        commands::table
            .filter(
                commands::warrant_id.eq_any(
                    warrants::table
                        .filter(warrants::tablet_id.eq(tablet.to_string()))
                        .select(diesel::NullableExpressionMethods::nullable(warrants::id)),
                ),
            )
            .select(max(commands::queued_at))
            .first(connection)
    })?;
    let under_this_warrant = u32::try_from(under).unwrap_or(u32::MAX);
    Ok(Asking { under_this_warrant, last_at: last.map(Instant::from_millis) })
}

/// What was kept before: under this warrant, and of this tablet under any.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn kept(tx: &mut Tx<'_>, warrant: WarrantId, tablet: TabletId) -> Result<Kept, StoreError> {
    let joined = || {
        positions::table
            .inner_join(position_requests::table.on(position_requests::command_id.eq(positions::command_id)))
    };
    let under: i64 = tx.run(|connection| {
        joined()
            .filter(position_requests::warrant_id.eq(warrant.to_string()))
            .select(count_star())
            .first(connection)
    })?;
    let last: Option<i64> = tx.run(|connection| {
        joined()
            .filter(position_requests::warrant_id.eq_any(
                warrants::table.filter(warrants::tablet_id.eq(tablet.to_string())).select(warrants::id),
            ))
            .select(max(positions::kept_at))
            .first(connection)
    })?;
    let under_this_warrant = u32::try_from(under).unwrap_or(u32::MAX);
    Ok(Kept { under_this_warrant, last_at: last.map(Instant::from_millis) })
}

/// Records what became of a request that was awaited; `false` if it is over.
///
/// # Errors
/// [`StoreError::Refused`].
pub fn settle(
    tx: &mut Tx<'_>,
    command: CommandId,
    outcome: Outcome,
    why: Option<&str>,
    at: Instant,
) -> Result<bool, StoreError> {
    let changed = tx.run(|connection| {
        diesel::update(
            position_requests::table
                .filter(position_requests::command_id.eq(command.to_string()))
                .filter(position_requests::outcome.eq(Outcome::Awaited.as_str())),
        )
        .set((
            position_requests::outcome.eq(outcome.as_str()),
            position_requests::why.eq(why),
            position_requests::outcome_at.eq(at.as_millis()),
        ))
        .execute(connection)
    })?;
    Ok(changed == 1)
}

/// Calls off every request that is awaited; how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn give_up(tx: &mut Tx<'_>, why: &str, at: Instant) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            position_requests::table.filter(position_requests::outcome.eq(Outcome::Awaited.as_str())),
        )
        .set((
            position_requests::outcome.eq(Outcome::Cancelled.as_str()),
            position_requests::why.eq(why),
            position_requests::outcome_at.eq(at.as_millis()),
        ))
        .execute(connection)
    })
}

/// Keeps a sealed position, and records that it was.
///
/// # Errors
/// [`StoreError::Refused`] if its request is not awaited, its warrant is not in force, or it is one too many (M1).
pub fn keep(
    tx: &mut Tx<'_>,
    command: CommandId,
    incident: IncidentId,
    sealed: &[u8],
    at: Instant,
) -> Result<(), StoreError> {
    let row = (
        positions::command_id.eq(command.to_string()),
        positions::incident_id.eq(incident.to_string()),
        positions::sealed.eq(sealed),
        positions::kept_at.eq(at.as_millis()),
    );
    tx.run(|connection| diesel::insert_into(positions::table).values(row).execute(connection))?;
    settle(tx, command, Outcome::Kept, None, at)?;
    Ok(())
}

/// A position that was kept, sealed with the key of its incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPosition {
    /// Its incident, whose key opens it.
    pub incident: IncidentId,
    /// What [`IncidentKey::open`](crate::incident_keys::IncidentKey::open) takes.
    pub sealed: Vec<u8>,
    /// When it was kept.
    pub kept_at: Instant,
}

/// The position that answered a request, if one was kept.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn kept_for(tx: &mut Tx<'_>, command: CommandId) -> Result<Option<SealedPosition>, StoreError> {
    let row: Option<(String, Vec<u8>, i64)> = tx.run(|connection| {
        positions::table
            .find(command.to_string())
            .select((positions::incident_id, positions::sealed, positions::kept_at))
            .first(connection)
            .optional()
    })?;
    let Some((incident, sealed, kept_at)) = row else { return Ok(None) };
    let incident = crate::column::read(incident, "positions", "incident_id", &command)?;
    Ok(Some(SealedPosition { incident, sealed, kept_at: Instant::from_millis(kept_at) }))
}

/// At most `limit` positions that were kept, by the id of their request, after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn sealed_after(
    tx: &mut Tx<'_>,
    after: Option<CommandId>,
    limit: u32,
) -> Result<Vec<(CommandId, SealedPosition)>, StoreError> {
    let rows: Vec<(String, String, Vec<u8>, i64)> = tx.run(|connection| {
        positions::table
            .filter(positions::command_id.gt(after.map(|id| id.to_string()).unwrap_or_default()))
            .order(positions::command_id.asc())
            .limit(i64::from(limit))
            .select((positions::command_id, positions::incident_id, positions::sealed, positions::kept_at))
            .load(connection)
    })?;
    rows.into_iter()
        .map(|(command, incident, sealed, kept_at)| {
            let incident = crate::column::read(incident, "positions", "incident_id", &command)?;
            let kept_at = Instant::from_millis(kept_at);
            let id = crate::column::read(command.clone(), "positions", "command_id", &command)?;
            Ok((id, SealedPosition { incident, sealed, kept_at }))
        })
        .collect()
}

/// When the last position of an incident was kept: the clock of its key (M2).
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn last_kept(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Option<Instant>, StoreError> {
    let last: Option<i64> = tx.run(|connection| {
        positions::table
            .filter(positions::incident_id.eq(incident.to_string()))
            .select(max(positions::kept_at))
            .first(connection)
    })?;
    Ok(last.map(Instant::from_millis))
}

/// The requests under one warrant that no tablet has answered, the oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn awaited(tx: &mut Tx<'_>, warrant: WarrantId) -> Result<Vec<PositionRequest>, StoreError> {
    read_all!(tx.run(|connection| {
        position_requests::table
            .filter(position_requests::warrant_id.eq(warrant.to_string()))
            .filter(position_requests::outcome.eq(Outcome::Awaited.as_str()))
            .order(position_requests::command_id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    position_requests kept as Orders {
        personal(Geolocation: LocationMeasures) {
            warrant_id, asked_by, reason, asked_at, outcome, why, outcome_at,
        }
        not_personal("a number of ours") { command_id }
    }
    positions kept as Orders {
        personal(Geolocation: Positions) { sealed, kept_at }
        not_personal("numbers of ours") { command_id, incident_id }
    }
}
