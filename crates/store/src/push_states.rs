//! Which tablets are to be woken: one push for a tablet, however many commands wait for it.
//!
//! A row whose `due_at` has come is claimed by one node, with a lease: a node that dies gives it back. Tablets that
//! did not come when they were last pushed stand in a queue of their own, so that they never delay those that do.
//!
//! Whatever is done with many rows is a few statements, however many rows.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
    TextExpressionMethods as _,
};
use serde_json::json;
use types::{EnrolmentId, Instant};

use crate::column::{Column as _, read_ids};
use crate::connection::AnyConnection;
use crate::many::{Many, many};
use crate::noun::{by_key, hold_all, noun};
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
        /// How many pushes Apple took since the tablet last came for them. Above 0 it counts as silent.
        unanswered: i32,
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
            unanswered: 0,
        }
    }
}

/// Which tablets are claimed. Each kind has a share of its own of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Those that came when they were last pushed.
    Answering,
    /// Those that did not.
    Silent,
}

/// As [`get`], and holds the row until the end of the transaction: the messenger neither gives it up nor records
/// anything between this look and what follows from it.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<PushState>, StoreError> {
    let row = push_states::table.find(enrolment.to_string());
    tx.run(|connection| match connection {
        AnyConnection::Postgresql(connection) => {
            row.select(Stored::as_select()).for_no_key_update().first(connection).optional()
        }
        AnyConnection::Sqlite(connection) => row.select(Stored::as_select()).first(connection).optional(),
    })?
    .map(Stored::read)
    .transpose()
}

/// The rows of these enrolments, held in the order of their ids until the end of the transaction. It is what a
/// transaction of [`Store::write_held`](crate::Store::write_held) about pushes holds.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_all(tx: &mut Tx<'_>, enrolments: &[EnrolmentId]) -> Result<Vec<PushState>, StoreError> {
    hold_all!(tx, push_states by enrolment_id, ids(enrolments), push_states::enrolment_id)
}

fn ids(enrolments: &[EnrolmentId]) -> Vec<String> {
    enrolments.iter().map(ToString::to_string).collect()
}

/// What waits to be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Tablets that came when they were last pushed, and are due.
    pub answering: u64,
    /// Those that did not come, and are due again.
    pub silent: u64,
    /// Since when the first of those that answer has been due.
    pub oldest_answering: Option<Instant>,
    /// Tablets whose token Apple refuses.
    pub tokens_invalid: u64,
}

/// Counts what waits to be pushed. Each count is of an index that holds no other row.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn backlog(tx: &mut Tx<'_>, now: Instant) -> Result<Backlog, StoreError> {
    type Counts = (BigInt, BigInt, Nullable<BigInt>, BigInt);
    let values = vec![now.as_millis().into(), now.as_millis().into()];
    let (answering, silent, oldest, invalid): (i64, i64, Option<i64>, i64) =
        tx.run(|connection| Prepared::<Counts>::new(BACKLOG, values).get_result(connection))?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Backlog {
        answering: count(answering),
        silent: count(silent),
        oldest_answering: oldest.map(Instant::from_millis).filter(|oldest| *oldest <= now),
        tokens_invalid: count(invalid),
    })
}

const BACKLOG: &str = "SELECT \
    (SELECT count(*) FROM push_states WHERE due_at <= ? AND token_invalid_since IS NULL AND unanswered = 0), \
    (SELECT count(*) FROM push_states WHERE due_at <= ? AND token_invalid_since IS NULL AND unanswered > 0), \
    (SELECT min(due_at) FROM push_states WHERE due_at IS NOT NULL AND token_invalid_since IS NULL AND unanswered = 0), \
    (SELECT count(*) FROM push_states WHERE token_invalid_since IS NOT NULL)";

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
    want_all(tx, [(enrolment, due_at, now)])
}

/// As [`want`], for many tablets in one statement: when each is due, and when that was wanted.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn want_all(
    tx: &mut Tx<'_>,
    wanted: impl IntoIterator<Item = (EnrolmentId, Option<Instant>, Instant)>,
) -> Result<(), StoreError> {
    let notes = wanted
        .into_iter()
        .map(|(enrolment, due, now)| json!({ "id": enrolment, "at": now.as_millis(), "due": due.stored() }));
    WANT_ALL.run(tx, notes)
}

/// Always the latest: a connect settles only what was wanted before it looked, see `report`.
const WANT_ALL: Many = many!(
    "UPDATE push_states SET wanted_at = note.at, due_at = coalesce(note.due, due_at) FROM";
    id text, at bigint, due bigint;
    "WHERE push_states.enrolment_id = note.id"
);

/// The statement of a claim: the lane is written out, so that its index serves.
macro_rules! claim_on {
    ("answering", $engine:ident) => {
        claim_on!(@ "unanswered = 0", $engine)
    };
    ("silent", $engine:ident) => {
        claim_on!(@ "unanswered > 0", $engine)
    };
    (@ $lane:literal, postgresql) => {
        concat!(
            "UPDATE push_states SET lease_until = ? WHERE enrolment_id = ANY(ARRAY(SELECT enrolment_id FROM push_states \
             WHERE due_at <= ? AND token_invalid_since IS NULL AND ",
            $lane,
            " AND (lease_until IS NULL OR lease_until <= ?) ORDER BY due_at LIMIT ? FOR NO KEY UPDATE SKIP LOCKED)) \
             RETURNING enrolment_id"
        )
    };
    (@ $lane:literal, sqlite) => {
        concat!(
            "UPDATE push_states SET lease_until = ? WHERE enrolment_id IN (SELECT enrolment_id FROM push_states \
             WHERE due_at <= ? AND token_invalid_since IS NULL AND ",
            $lane,
            " AND (lease_until IS NULL OR lease_until <= ?) ORDER BY due_at LIMIT ?) RETURNING enrolment_id"
        )
    };
}

/// Claims at most `limit` due tablets of a lane until `lease_until`, the longest due ones. Two nodes never claim the
/// same one. What is claimed is held until the end of the transaction.
///
/// # Errors
/// [`StoreError::Contended`], after which the next round claims.
pub fn claim(
    tx: &mut Tx<'_>,
    lane: Lane,
    now: Instant,
    lease_until: Instant,
    limit: u32,
) -> Result<Vec<EnrolmentId>, StoreError> {
    tx.holds();
    let (now, lease, limit) = (now.as_millis(), lease_until.as_millis(), i64::from(limit));
    let claimed: Vec<String> = tx.run(|connection| {
        let text = match (&*connection, lane) {
            (AnyConnection::Postgresql(_), Lane::Answering) => claim_on!("answering", postgresql),
            (AnyConnection::Postgresql(_), Lane::Silent) => claim_on!("silent", postgresql),
            (AnyConnection::Sqlite(_), Lane::Answering) => claim_on!("answering", sqlite),
            (AnyConnection::Sqlite(_), Lane::Silent) => claim_on!("silent", sqlite),
        };
        let values = [lease, now, now, limit];
        Prepared::<Text>::new(text, values.into_iter().map(Value::from).collect()).load(connection)
    })?;
    read_ids(claimed, "push_states", "enrolment_id")
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
    /// How many of these pushes Apple took.
    pub unanswered: i32,
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
    record_all(tx, std::slice::from_ref(attempt))
}

/// Records how pushes went, in one statement, and gives the rows back.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn record_all(tx: &mut Tx<'_>, attempts: &[PushAttempt]) -> Result<(), StoreError> {
    let rows = attempts.iter().map(|attempt| {
        json!({
            "id": attempt.enrolment.to_string(),
            "at": attempt.at.as_millis(),
            "attempts": attempt.attempts,
            "unanswered": attempt.unanswered,
            "outcome": attempt.outcome,
            "due": attempt.next_due_at.stored(),
            "invalid": i32::from(attempt.token_invalid),
        })
    });
    NOTE.run(tx, rows)
}

const NOTE: Many = many!(
    "UPDATE push_states SET pushed_at = note.at, attempts = note.attempts, unanswered = note.unanswered, \
        outcome = note.outcome, due_at = note.due, lease_until = NULL, \
        token_invalid_since = CASE WHEN note.invalid = 1 THEN note.at ELSE token_invalid_since END FROM";
    id text, at bigint, attempts int, unanswered int, outcome text, due bigint, invalid int;
    "WHERE push_states.enrolment_id = note.id"
);

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
    tokens_renewed(tx, [(enrolment, replaced, now)])
}

/// As [`token_renewed`], for many tablets in one statement.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn tokens_renewed(
    tx: &mut Tx<'_>,
    renewed: impl IntoIterator<Item = (EnrolmentId, bool, Instant)>,
) -> Result<(), StoreError> {
    let notes = renewed
        .into_iter()
        .map(|(id, replaced, now)| json!({ "id": id, "replaced": replaced, "at": now.as_millis() }));
    RENEWED.run(tx, notes)
}

/// Every expression sees the row as it was.
const RENEWED: Many = many!(
    "UPDATE push_states SET \
    due_at = CASE WHEN wanted_at IS NOT NULL AND (token_invalid_since IS NOT NULL OR due_at IS NULL OR note.replaced) \
        THEN note.at ELSE due_at END, \
    attempts = CASE WHEN wanted_at IS NOT NULL AND (token_invalid_since IS NOT NULL OR due_at IS NULL OR note.replaced) \
        THEN 0 ELSE attempts END, \
    lease_until = CASE WHEN wanted_at IS NOT NULL AND (token_invalid_since IS NOT NULL OR due_at IS NULL OR note.replaced) \
        THEN NULL ELSE lease_until END, \
    unanswered = 0, token_invalid_since = NULL FROM";
    id text, replaced boolean, at bigint;
    "WHERE push_states.enrolment_id = note.id"
);

/// A claimed row that is given back without a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutOff {
    /// Whose tablet.
    pub enrolment: EnrolmentId,
    /// When it is to be pushed.
    pub due_at: Instant,
}

/// Gives claimed rows back, in one statement: nothing is due for them before their `due_at`.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn put_off_all(tx: &mut Tx<'_>, rows: &[PutOff]) -> Result<(), StoreError> {
    let rows =
        rows.iter().map(|row| json!({ "id": row.enrolment.to_string(), "due": row.due_at.as_millis() }));
    PUT_OFF.run(tx, rows)
}

const PUT_OFF: Many = many!(
    "UPDATE push_states SET due_at = note.due, lease_until = NULL, attempts = 0 FROM";
    id text, due bigint;
    "WHERE push_states.enrolment_id = note.id"
);

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
    forget_all(tx, &[enrolment])
}

/// As [`forget`], for many, in one statement.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn forget_all(tx: &mut Tx<'_>, enrolments: &[EnrolmentId]) -> Result<(), StoreError> {
    if enrolments.is_empty() {
        return Ok(());
    }
    tx.run(|connection| {
        diesel::update(push_states::table.filter(push_states::enrolment_id.eq_any(ids(enrolments))))
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
            unanswered,
        }
    }
}
