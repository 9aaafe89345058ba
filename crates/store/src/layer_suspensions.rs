//! Layers of collèges that are not given for now: they contradict what was decided jointly since (C3.1.3).

use std::collections::BTreeMap;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{Instant, ProfileVersionId, Uai};

use crate::noun::{by_key, noun, on_each_engine};
use crate::schema::layer_suspensions;
use crate::{StoreError, Tx};

noun! {
    /// A suspension. A version has one at most: suspended again, it is the same row.
    pub struct Suspension in layer_suspensions keyed by version_id {
        /// The published version of the collège's layer.
        version_id: ProfileVersionId,
        /// The collège.
        uai: Uai,
        /// What it contradicts.
        why: String,
        /// Since when.
        suspended_at: Instant,
        /// Until when, if it is over.
        lifted_at: Option<Instant>,
    }
}

by_key!(layer_suspensions, Suspension, version_id: ProfileVersionId; get);

/// Suspends a version, or says anew why.
///
/// # Errors
/// [`StoreError::Refused`] for a version that is no collège's (C3.1.1).
pub fn put(tx: &mut Tx<'_>, row: &Suspension) -> Result<(), StoreError> {
    let stored = Stored::of(row);
    let (why, suspended_at, lifted_at) = (stored.why.clone(), stored.suspended_at, stored.lifted_at);
    on_each_engine!(tx, |connection| {
        diesel::insert_into(layer_suspensions::table)
            .values(stored)
            .on_conflict(layer_suspensions::version_id)
            .do_update()
            .set((
                layer_suspensions::why.eq(&why),
                layer_suspensions::suspended_at.eq(suspended_at),
                layer_suspensions::lifted_at.eq(lifted_at),
            ))
            .execute(connection)
    })?;
    Ok(())
}

/// Lifts a suspension; `false` if none stands.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn lift(tx: &mut Tx<'_>, version: ProfileVersionId, now: Instant) -> Result<bool, StoreError> {
    let lifted = tx.run(|connection| {
        diesel::update(
            layer_suspensions::table
                .filter(layer_suspensions::version_id.eq(version.to_string()))
                .filter(layer_suspensions::lifted_at.is_null()),
        )
        .set(layer_suspensions::lifted_at.eq(now.as_millis()))
        .execute(connection)
    })?;
    Ok(lifted == 1)
}

/// The suspensions that stand, by version.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn standing(tx: &mut Tx<'_>) -> Result<BTreeMap<ProfileVersionId, Suspension>, StoreError> {
    let rows: Vec<Stored> = tx.run(|connection| {
        layer_suspensions::table
            .filter(layer_suspensions::lifted_at.is_null())
            .select(Stored::as_select())
            .load(connection)
    })?;
    rows.into_iter().map(|row| row.read().map(|row| (row.version_id, row))).collect()
}

crate::declared::declares! {
    layer_suspensions kept as Evidence {
        not_personal("which collège's layer was not given, from when to when, and why") {
            version_id, uai, why, suspended_at, lifted_at,
        }
    }
}
