//! Forgetting what was kept of tablets.

use std::collections::BTreeMap;

use diesel::dsl::{exists, min, not, sql};
use diesel::sql_types::Bool;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
};
use types::{EnrolmentKind, Instant};

use super::{Backend, first_id_at, instant, most};
use crate::enrolments::EnrolmentState;
use crate::schema::{alarms, challenges, commands, enrolments, links, observations, orphans, takeovers};
use crate::{StoreError, Tx};

diesel::allow_tables_to_appear_in_same_query!(enrolments, links);
diesel::allow_tables_to_appear_in_same_query!(enrolments, observations);

/// Ordinary commands that are over: they go.
fn ordinary_over<'q>() -> commands::BoxedQuery<'q, Backend> {
    commands::table.filter(commands::gate.eq("ordinary")).filter(not(commands::pending)).into_boxed()
}

/// Dangerous commands that are over and still hold what the tablet answered. The gate is written out, as in
/// the index: an engine that does not know a parameter's value cannot tell that the index holds these rows.
fn dangerous_answered<'q>() -> commands::BoxedQuery<'q, Backend> {
    commands::table
        .filter(sql::<Bool>("commands.gate <> 'ordinary'"))
        .filter(
            commands::result
                .is_not_null()
                .or(commands::error.is_not_null())
                .or(commands::answer_raw.is_not_null()),
        )
        .filter(not(commands::pending))
        .into_boxed()
}

/// Forgets at most `limit` commands that were queued before `before` and are over. An ordinary one is
/// deleted; one that rested on an order stays to be read, emptied of what the tablet answered. One that a
/// tablet may still get stays.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn commands(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    let limit = most(limit);
    tx.run(|connection| {
        let ordinary: Vec<String> = ordinary_over()
            .filter(commands::id.lt(first_id_at(before)))
            .filter(commands::queued_at.lt(before.as_millis()))
            .order(commands::id.asc())
            .limit(limit)
            .select(commands::id)
            .load(connection)?;
        let deleted =
            diesel::delete(commands::table.filter(commands::id.eq_any(ordinary))).execute(connection)?;

        let dangerous: Vec<String> = dangerous_answered()
            .filter(commands::queued_at.lt(before.as_millis()))
            .order(commands::queued_at.asc())
            .limit(limit.saturating_sub(i64::try_from(deleted).unwrap_or(limit)))
            .select(commands::id)
            .load(connection)?;
        if dangerous.is_empty() {
            return Ok(deleted);
        }
        let emptied = diesel::update(commands::table.filter(commands::id.eq_any(dangerous)))
            .set((
                commands::result.eq(None::<String>),
                commands::error.eq(None::<String>),
                commands::answer_raw.eq(None::<Vec<u8>>),
            ))
            .execute(connection)?;
        Ok(deleted + emptied)
    })
}

pub(super) fn oldest_command(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let oldest: [Option<i64>; 2] = tx.run(|connection| {
        Ok([
            ordinary_over()
                .order(commands::id.asc())
                .select(commands::queued_at)
                .first(connection)
                .optional()?,
            dangerous_answered().select(min(commands::queued_at)).first(connection)?,
        ])
    })?;
    Ok(instant(oldest.into_iter().flatten().min()))
}

/// Reports, but for the list of profiles of a live tablet that was taken over: only there stands which of its
/// profiles holds its management, and that one is never removed (M4).
fn observations_of_no_need<'q>() -> observations::BoxedQuery<'q, Backend> {
    let live = enrolments::state
        .eq(EnrolmentState::Active.as_str())
        .or(enrolments::state.eq(EnrolmentState::Authenticated.as_str()));
    observations::table
        .filter(
            observations::kind.ne("profile-list").or(not(exists(
                enrolments::table
                    .filter(enrolments::id.eq(observations::enrolment_id))
                    .filter(enrolments::kind.eq(EnrolmentKind::TakenOver.as_str()))
                    .filter(live),
            ))),
        )
        .into_boxed()
}

/// Deletes at most `limit` reports that tablets made before `before` and did not make again since.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn observations(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<(String, String)> = observations_of_no_need()
            .filter(observations::reported_at.lt(before.as_millis()))
            .order(observations::reported_at.asc())
            .limit(most(limit))
            .select((observations::kind, observations::enrolment_id))
            .load(connection)?;
        let mut by_kind: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (kind, enrolment) in old {
            by_kind.entry(kind).or_default().push(enrolment);
        }
        let mut removed = 0;
        for (kind, of) in by_kind {
            removed += diesel::delete(
                observations::table
                    .filter(observations::enrolment_id.eq_any(of))
                    .filter(observations::kind.eq(kind))
                    // A report that came in between is a new one.
                    .filter(observations::reported_at.lt(before.as_millis())),
            )
            .execute(connection)?;
        }
        Ok(removed)
    })
}

pub(super) fn oldest_observation(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let oldest: Option<i64> = tx.run(|connection| {
        observations_of_no_need()
            .order(observations::reported_at.asc())
            .select(observations::reported_at)
            .first(connection)
            .optional()
    })?;
    Ok(instant(oldest))
}

/// Deletes at most `limit` challenges that expired before `before`, used or not.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn challenges(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = challenges::table
            .filter(challenges::id.lt(first_id_at(before)))
            .filter(challenges::expires_at.lt(before.as_millis()))
            .order(challenges::id.asc())
            .limit(most(limit))
            .select(challenges::id)
            .load(connection)?;
        diesel::delete(challenges::table.filter(challenges::id.eq_any(old))).execute(connection)
    })
}

pub(super) fn oldest_challenge(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.run(|connection| challenges::table.select(min(challenges::expires_at)).first(connection)).map(instant)
}

/// Links that no invitation waits on: the collège that a link is for is looked at when its invitation is used.
fn links_of_no_need<'q>() -> links::BoxedQuery<'q, Backend> {
    links::table
        .filter(not(exists(
            enrolments::table
                .filter(enrolments::link_id.eq(links::id.nullable()))
                .filter(enrolments::state.eq(EnrolmentState::Invited.as_str())),
        )))
        .into_boxed()
}

/// Deletes at most `limit` links that expired before `before`; the enrolments they led to stay, and do not
/// say any more by which link. A link of an invitation that may still be used stays.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn links(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = links_of_no_need()
            .filter(links::id.lt(first_id_at(before)))
            .filter(links::expires_at.lt(before.as_millis()))
            .order(links::id.asc())
            .limit(most(limit))
            .select(links::id)
            .load(connection)?;
        diesel::update(enrolments::table.filter(enrolments::link_id.eq_any(&old)))
            .set(enrolments::link_id.eq(None::<String>))
            .execute(connection)?;
        diesel::delete(links::table.filter(links::id.eq_any(old))).execute(connection)
    })
}

pub(super) fn oldest_link(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.run(|connection| links_of_no_need().select(min(links::expires_at)).first(connection)).map(instant)
}

/// Deletes at most `limit` permissions to take a tablet over whose window closed before `before`, with the
/// secrets they hold; the enrolments they led to stay.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn takeovers(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = takeovers::table
            .filter(takeovers::id.lt(first_id_at(before)))
            .filter(takeovers::window_ends_at.lt(before.as_millis()))
            .order(takeovers::id.asc())
            .limit(most(limit))
            .select(takeovers::id)
            .load(connection)?;
        diesel::update(enrolments::table.filter(enrolments::takeover_id.eq_any(&old)))
            .set(enrolments::takeover_id.eq(None::<String>))
            .execute(connection)?;
        diesel::delete(takeovers::table.filter(takeovers::id.eq_any(old))).execute(connection)
    })
}

pub(super) fn oldest_takeover(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.run(|connection| takeovers::table.select(min(takeovers::window_ends_at)).first(connection))
        .map(instant)
}

/// Deletes at most `limit` orphans that last came before `before`.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn orphans(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = orphans::table
            .filter(orphans::last_seen_at.lt(before.as_millis()))
            .order(orphans::last_seen_at.asc())
            .limit(most(limit))
            .select(orphans::certificate_sha256)
            .load(connection)?;
        let gone = orphans::table
            .filter(orphans::certificate_sha256.eq_any(old))
            .filter(orphans::last_seen_at.lt(before.as_millis()));
        diesel::delete(gone).execute(connection)
    })
}

pub(super) fn oldest_orphan(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.run(|connection| orphans::table.select(min(orphans::last_seen_at)).first(connection)).map(instant)
}

/// Deletes at most `limit` alarms that were settled before `before`. An open one stays, however old.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn alarms(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = alarms::table
            .filter(alarms::settled_at.lt(before.as_millis()))
            .order(alarms::settled_at.asc())
            .limit(most(limit))
            .select(alarms::id)
            .load(connection)?;
        diesel::delete(alarms::table.filter(alarms::id.eq_any(old))).execute(connection)
    })
}

pub(super) fn oldest_alarm(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.run(|connection| alarms::table.select(min(alarms::settled_at)).first(connection)).map(instant)
}
