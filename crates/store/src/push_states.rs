//! Which tablets are to be woken: one push for a tablet, however many commands wait for it.
//!
//! A row whose `due_at` has come is claimed by one node, with a lease: a node that dies gives it back.

use diesel::sql_types::Untyped;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
    TextExpressionMethods as _,
};
use types::{EnrolmentId, Instant};

use crate::column::{Column as _, read};
use crate::connection::AnyConnection;
use crate::noun::{by_key, noun};
use crate::prepared::{Prepared, Value};
use crate::schema::push_states;
use crate::{StoreError, Tx};

noun! {
    /// Whether a tablet is to be woken, and how the last attempt went.
    pub struct PushState in push_states keyed by enrolment_id {
        /// Whose tablet.
        enrolment_id: EnrolmentId,
        /// When something was last queued for it; `None` once it came for all of it.
        wanted_at: Option<Instant>,
        /// When it is to be pushed next.
        due_at: Option<Instant>,
        /// When it was last pushed.
        pushed_at: Option<Instant>,
        /// How often it was pushed since it last came.
        attempts: i32,
        /// What Apple said to the last push.
        outcome: Option<String>,
        /// Since when Apple says that its token is no good; it is not pushed until its next TokenUpdate.
        token_invalid_since: Option<Instant>,
        /// Until when a node is at it.
        lease_until: Option<Instant>,
    }
}

by_key!(push_states, PushState, enrolment_id: EnrolmentId; insert, get);

impl PushState {
    /// The state of a tablet that has just been invited: nothing waits for it.
    #[must_use]
    pub fn new(enrolment: EnrolmentId) -> Self {
        Self {
            enrolment_id: enrolment,
            wanted_at: None,
            due_at: None,
            pushed_at: None,
            attempts: 0,
            outcome: None,
            token_invalid_since: None,
            lease_until: None,
        }
    }
}

/// Wants a push. `due_at` is when; `None` leaves what is due as it is.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn want(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    due_at: Option<Instant>,
    now: Instant,
) -> Result<(), StoreError> {
    let values = vec![now.as_millis().into(), due_at.stored().into(), enrolment.to_string().into()];
    tx.run(|connection| Prepared::<Untyped>::new(WANT, values).execute(connection))?;
    Ok(())
}

/// Always the latest: a connect settles only what was wanted before it looked, see `report`.
const WANT: &str =
    "UPDATE push_states SET wanted_at = ?, due_at = coalesce(?, due_at) WHERE enrolment_id = ?";

/// Claims at most `limit` due tablets until `lease_until`, the longest due first. Two nodes never claim the
/// same one.
///
/// # Errors
/// [`StoreError::Contended`], after which the next round claims.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Instant,
    lease_until: Instant,
    limit: u32,
) -> Result<Vec<EnrolmentId>, StoreError> {
    let now = now.as_millis();
    let due = push_states::table
        .filter(push_states::due_at.le(now))
        .filter(push_states::token_invalid_since.is_null())
        .filter(push_states::lease_until.is_null().or(push_states::lease_until.le(now)))
        .order(push_states::due_at.asc())
        .limit(i64::from(limit))
        .select(push_states::enrolment_id);
    let ids: Vec<String> = tx.run(|connection| {
        let ids: Vec<String> = match connection {
            AnyConnection::Postgresql(connection) => due.for_update().skip_locked().load(connection)?,
            AnyConnection::Sqlite(connection) => due.load(connection)?,
        };
        diesel::update(push_states::table.filter(push_states::enrolment_id.eq_any(&ids)))
            .set(push_states::lease_until.eq(lease_until.as_millis()))
            .execute(connection)?;
        Ok(ids)
    })?;
    ids.into_iter().map(|id| read(id.clone(), "push_states", "enrolment_id", &id)).collect()
}

/// How a push went, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushAttempt {
    /// Whose tablet.
    pub enrolment: EnrolmentId,
    /// When it was pushed.
    pub at: Instant,
    /// What Apple said: `sent`, or its reason.
    pub outcome: String,
    /// How often it was pushed since it last came.
    pub attempts: i32,
    /// When to push again if the tablet does not come; `None`: not by itself.
    pub next_due_at: Option<Instant>,
    /// Whether Apple says that the token is no good.
    pub token_invalid: bool,
}

/// Records how a push went, and gives the row back.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn record(tx: &mut Tx<'_>, attempt: &PushAttempt) -> Result<(), StoreError> {
    let at = attempt.at.as_millis();
    tx.run(|connection| {
        let enrolment = attempt.enrolment.to_string();
        let row = push_states::table.filter(push_states::enrolment_id.eq(&enrolment));
        diesel::update(row)
            .set((
                push_states::pushed_at.eq(at),
                push_states::attempts.eq(attempt.attempts),
                push_states::outcome.eq(&attempt.outcome),
                push_states::due_at.eq(attempt.next_due_at.stored()),
                push_states::lease_until.eq(None::<i64>),
            ))
            .execute(connection)?;
        if attempt.token_invalid {
            diesel::update(row).set(push_states::token_invalid_since.eq(at)).execute(connection)?;
        }
        Ok(())
    })
}

/// A TokenUpdate brought a token: it is good until Apple says otherwise. If it is another one than before
/// (`replaced`), or the one before was no good, then what waits for the tablet is pushed to it now.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn token_renewed(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    replaced: bool,
    now: Instant,
) -> Result<(), StoreError> {
    let flag = |flag: bool| Value::from(flag);
    let values = vec![
        flag(replaced),
        now.as_millis().into(),
        flag(replaced),
        flag(replaced),
        enrolment.to_string().into(),
    ];
    tx.run(|connection| Prepared::<Untyped>::new(RENEWED, values).execute(connection))?;
    Ok(())
}

/// Every expression sees the row as it was.
const RENEWED: &str = "UPDATE push_states SET \
    due_at = CASE WHEN wanted_at IS NOT NULL AND (token_invalid_since IS NOT NULL OR due_at IS NULL OR ?) \
        THEN ? ELSE due_at END, \
    attempts = CASE WHEN wanted_at IS NOT NULL AND (token_invalid_since IS NOT NULL OR due_at IS NULL OR ?) \
        THEN 0 ELSE attempts END, \
    lease_until = CASE WHEN wanted_at IS NOT NULL AND (token_invalid_since IS NOT NULL OR due_at IS NULL OR ?) \
        THEN NULL ELSE lease_until END, \
    token_invalid_since = NULL WHERE enrolment_id = ?";

/// Gives a claimed row back: it is not to be pushed before `due_at`.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn put_off(tx: &mut Tx<'_>, enrolment: EnrolmentId, due_at: Instant) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(push_states::table.find(enrolment.to_string()))
            .set((
                push_states::due_at.eq(due_at.as_millis()),
                push_states::lease_until.eq(None::<i64>),
                push_states::attempts.eq(0),
            ))
            .execute(connection)
    })?;
    Ok(())
}

/// Tries again now what failed with this outcome (`outcome` is how it begins): the reason is gone.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn retry(tx: &mut Tx<'_>, outcome: &str, now: Instant) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(
            push_states::table
                .filter(push_states::wanted_at.is_not_null())
                .filter(push_states::attempts.gt(0))
                .filter(push_states::outcome.like(format!("{outcome}%"))),
        )
        .set((
            push_states::due_at.eq(now.as_millis()),
            push_states::attempts.eq(0),
            push_states::lease_until.eq(None::<i64>),
        ))
        .execute(connection)
    })?;
    Ok(())
}

/// Wakes a tablet no more: it left, or nothing can reach it.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn forget(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(push_states::table.find(enrolment.to_string()))
            .set((
                push_states::wanted_at.eq(None::<i64>),
                push_states::due_at.eq(None::<i64>),
                push_states::lease_until.eq(None::<i64>),
                push_states::attempts.eq(0),
            ))
            .execute(connection)
    })?;
    Ok(())
}

crate::declared::declares! {
    push_states kept as Equipment {
        not_personal("when we want to reach a tablet and what Apple said, not when it came") {
            enrolment_id, wanted_at, due_at, pushed_at, attempts, outcome, token_invalid_since, lease_until,
        }
    }
}
