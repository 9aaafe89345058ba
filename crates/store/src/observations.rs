//! What each tablet last reported about itself: one row a kind, the newest replaces the one before.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use serde_json::json;
use types::{EnrolmentId, Instant};

use crate::column::{Column as _, read};
use crate::many::{Many, many};
use crate::schema::observations;
use crate::{StoreError, Tx};

/// What a tablet reported of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The kind: the request type it answers, or a status item.
    pub kind: String,
    /// When it was reported.
    pub reported_at: Instant,
    /// What was reported.
    pub body: serde_json::Value,
}

/// Keeps what was reported, in place of an earlier report of the same kind.
///
/// # Errors
/// [`StoreError::Dangling`] if there is no such enrolment.
pub fn put(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    kind: &str,
    body: &serde_json::Value,
    at: Instant,
) -> Result<(), StoreError> {
    put_all(tx, [(enrolment, kind, body, at)])
}

/// As [`put`], for many; of two of one kind the later counts.
///
/// # Errors
/// [`StoreError::Dangling`] if one is of no enrolment; nothing is kept then.
pub(crate) fn put_all<'o>(
    tx: &mut Tx<'_>,
    reported: impl IntoIterator<Item = (EnrolmentId, &'o str, &'o serde_json::Value, Instant)>,
) -> Result<(), StoreError> {
    let latest: BTreeMap<_, _> =
        reported.into_iter().map(|(enrolment, kind, body, at)| ((enrolment, kind), (body, at))).collect();
    let notes = latest.into_iter().map(|((enrolment, kind), (body, at))| {
        json!({ "owner": enrolment, "about": kind, "at": at.as_millis(), "told": body.stored() })
    });
    PUT.run(tx, notes)
}

const PUT: Many = many!(
    "INSERT INTO observations (enrolment_id, kind, reported_at, body) \
        SELECT note.owner, note.about, note.at, note.told FROM";
    owner text, about text, at bigint, told text;
    // SQLite would take ON for the condition of a join.
    "WHERE true ON CONFLICT (enrolment_id, kind) DO UPDATE SET reported_at = excluded.reported_at, body = excluded.body"
);

/// Everything the tablet of an enrolment reported, by kind.
///
/// # Errors
/// [`StoreError::Corrupt`] if a body is not JSON.
pub fn of_enrolment(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Vec<Observation>, StoreError> {
    let rows: Vec<(String, i64, String)> = tx.run(|connection| {
        observations::table
            .filter(observations::enrolment_id.eq(enrolment.to_string()))
            .order(observations::kind.asc())
            .select((observations::kind, observations::reported_at, observations::body))
            .load(connection)
    })?;
    rows.into_iter()
        .map(|(kind, reported_at, body)| {
            Ok(Observation {
                body: read(body, "observations", "body", &format_args!("{enrolment} {kind}"))?,
                kind,
                reported_at: Instant::from_millis(reported_at),
            })
        })
        .collect()
}

/// Forgets at most `limit` reports of these kinds, whatever their age. Says how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn forget(tx: &mut Tx<'_>, kinds: &[&str], limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let some: Vec<String> = observations::table
            .filter(observations::kind.eq_any(kinds))
            .limit(i64::from(limit.min(crate::purge::MOST)))
            .select(observations::enrolment_id)
            .load(connection)?;
        diesel::delete(
            observations::table
                .filter(observations::enrolment_id.eq_any(some))
                .filter(observations::kind.eq_any(kinds)),
        )
        .execute(connection)
    })
}

crate::declared::declares! {
    observations kept as Observations {
        personal(DeviceManagement: DeviceState, AppInventory: ManagedApps) { body }
        personal(DeviceManagement: ContactTimes) { reported_at }
        not_personal("whose report, and of what kind") { enrolment_id, kind }
    }
}
