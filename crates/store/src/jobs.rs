//! Work that is due. A use case leaves a row in its own transaction; one node claims it, with a lease.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use types::{Instant, JobId, JobKind};

use crate::connection::AnyConnection;
use crate::noun::{by_key, noun, on_each_engine, read_all};
use crate::schema::jobs;
use crate::{StoreError, Tx};

noun! {
    /// A due piece of work.
    pub struct Job in jobs keyed by id {
        /// Its id.
        id: JobId,
        /// Its kind, which has one handler.
        kind: JobKind,
        /// At most one job has this key.
        key: Option<String>,
        /// When it is due.
        due_at: Instant,
        /// Until when a node is at it.
        lease_until: Option<Instant>,
        /// How often it was claimed.
        attempts: i32,
        /// What the handler needs.
        body: serde_json::Value,
        /// Why the last attempt failed.
        last_error: Option<String>,
    }
}

by_key!(jobs, Job, id: JobId; get);

/// Leaves a job; `false` if one with the same key is there already, which then stays as it is.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn leave(tx: &mut Tx<'_>, job: &Job) -> Result<bool, StoreError> {
    let stored = Stored::of(job);
    let inserted = on_each_engine!(tx, |connection| {
        diesel::insert_into(jobs::table).values(stored).on_conflict_do_nothing().execute(connection)
    })?;
    Ok(inserted == 1)
}

/// Claims at most `limit` due jobs until `lease_until`, the longest due first. Two nodes never claim the same
/// one; a job whose node died is claimed again when its lease has passed.
///
/// # Errors
/// [`StoreError::Contended`], after which the next round claims.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Instant,
    lease_until: Instant,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    let now = now.as_millis();
    let due = jobs::table
        .filter(jobs::due_at.le(now))
        .filter(jobs::lease_until.is_null().or(jobs::lease_until.le(now)))
        .order((jobs::due_at.asc(), jobs::id.asc()))
        .limit(i64::from(limit))
        .select(jobs::id);
    read_all!(tx.run(|connection| {
        let ids: Vec<String> = match connection {
            AnyConnection::Postgresql(connection) => due.for_update().skip_locked().load(connection)?,
            AnyConnection::Sqlite(connection) => due.load(connection)?,
        };
        diesel::update(jobs::table.filter(jobs::id.eq_any(&ids)))
            .set((jobs::lease_until.eq(lease_until.as_millis()), jobs::attempts.eq(jobs::attempts + 1)))
            .execute(connection)?;
        jobs::table
            .filter(jobs::id.eq_any(&ids))
            .order((jobs::due_at.asc(), jobs::id.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The job is done.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn done(tx: &mut Tx<'_>, id: JobId) -> Result<(), StoreError> {
    tx.run(|connection| diesel::delete(jobs::table.find(id.to_string())).execute(connection))?;
    Ok(())
}

/// The job is to be done again at `due_at`; `error` says why the last attempt failed, if it did.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn again(tx: &mut Tx<'_>, id: JobId, due_at: Instant, error: Option<&str>) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(jobs::table.find(id.to_string()))
            .set((
                jobs::due_at.eq(due_at.as_millis()),
                jobs::lease_until.eq(None::<i64>),
                jobs::last_error.eq(error),
            ))
            .execute(connection)
    })?;
    Ok(())
}

crate::declared::declares! {
    jobs kept as Work {
        not_personal("what is to be done, for which of our rows; whoever lets a job say more declares it here") {
            id, kind, key, due_at, lease_until, attempts, body, last_error,
        }
    }
}
