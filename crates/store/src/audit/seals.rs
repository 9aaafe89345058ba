//! Seals: batches of entries, chained. One node seals at a time, because a seal's number is taken once; entries
//! are sealed by having no seal yet, never by their places, since a transaction may end late.

use diesel::dsl::max;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use governance::chain::{Body, Row, Seal};
use types::Instant;

use super::SaltedBody;
use crate::column::{Column as _, read};
use crate::noun::{noun, on_each_engine};
use crate::schema::{audit, audit_seals};
use crate::{Digest, StoreError, Tx};

noun! {
    /// A seal over a batch of entries and the seal before it, column by column.
    pub(crate) struct SealRow in audit_seals keyed by number {
        /// Its number: the first is 1, and none is missing.
        number: i64,
        /// How many entries it is over.
        row_count: i32,
        /// The place of the first of them in the log. Others in between may be under another seal.
        first_seq: i64,
        /// The place of the last of them.
        last_seq: i64,
        /// The digest of their digests.
        root: Digest,
        /// The digest of the seal before it; of the first one, zeros.
        previous: Digest,
        /// Its own digest, which the next one names.
        digest: Digest,
        /// When it was put on.
        at: Instant,
    }
}

impl TryFrom<SealRow> for Seal {
    type Error = StoreError;

    fn try_from(row: SealRow) -> Result<Self, StoreError> {
        let row_count = u32::try_from(row.row_count).map_err(|_negative| StoreError::Corrupt {
            table: "audit_seals",
            row: row.number.to_string(),
            column: "row_count",
        })?;
        Ok(Self {
            number: row.number,
            row_count,
            first_seq: row.first_seq,
            last_seq: row.last_seq,
            root: row.root,
            previous: row.previous,
            digest: row.digest,
            at: row.at,
        })
    }
}

/// A seal as it is stored; its arithmetic is [`governance::chain`]'s.
fn stored(seal: &Seal) -> Stored {
    Stored::of(&SealRow {
        number: seal.number,
        row_count: i32::try_from(seal.row_count).unwrap_or(i32::MAX),
        first_seq: seal.first_seq,
        last_seq: seal.last_seq,
        root: seal.root,
        previous: seal.previous,
        digest: seal.digest,
        at: seal.at,
    })
}

/// A seal and the entries under it, in the order of their places.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The seal.
    pub seal: Seal,
    /// The entries.
    pub rows: Vec<Row>,
}

/// Seals at most `limit` entries that have no seal yet and stand after `after`, the earliest first; `None` if there are
/// none. Two nodes that seal at once give one chain: the later of them is run again on what the other left.
///
/// Whoever goes on from where the batch before ended does not walk again past what it has just sealed, which the index
/// still holds; an entry before it whose transaction ended late is found by whoever begins anew, from the first place.
///
/// # Errors
/// [`StoreError::Contended`], after which the next round seals.
pub fn seal_batch(tx: &mut Tx<'_>, after: i64, now: Instant, limit: u32) -> Result<Option<Seal>, StoreError> {
    let last = last_seal(tx)?;
    let mut rows = unsealed(tx, after, limit)?;
    for row in rows.iter_mut().filter(|row| row.body_digest.is_none()) {
        date(tx, row)?;
    }
    let Some(seal) = Seal::next(last.as_ref(), &rows, now)? else { return Ok(None) };
    let stored = stored(&seal);
    let inserted = on_each_engine!(tx, |connection| {
        diesel::insert_into(audit_seals::table).values(stored).on_conflict_do_nothing().execute(connection)
    })?;
    let places: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let sealed = tx.run(|connection| {
        diesel::update(audit::table.filter(audit::seq.eq_any(&places).and(audit::seal_number.is_null())))
            .set(audit::seal_number.eq(seal.number))
            .execute(connection)
    })?;
    // Another node was faster: this transaction saves nothing.
    if inserted != 1 || sealed != places.len() {
        return Err(StoreError::Contended { attempts: 1 });
    }
    Ok(Some(seal))
}

/// Gives its digest to an entry that was appended by a program that knew none.
fn date(tx: &mut Tx<'_>, row: &mut Row) -> Result<(), StoreError> {
    let (reason, detail): (Option<String>, Option<String>) = tx.run(|connection| {
        audit::table.find(row.seq).select((audit::reason, audit::detail)).first(connection)
    })?;
    let body = SaltedBody::of(reason.as_deref(), detail.as_deref());
    tx.run(|connection| {
        diesel::update(audit::table.find(row.seq))
            .set((audit::salt.eq(body.salt.as_slice()), audit::body_digest.eq(body.digest.stored())))
            .execute(connection)
    })?;
    row.body = Body::Kept { salt: body.salt.to_vec(), reason, detail };
    row.body_digest = Some(body.digest);
    Ok(())
}

/// The latest seal: what an anchor kept elsewhere names.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last_seal(tx: &mut Tx<'_>) -> Result<Option<Seal>, StoreError> {
    tx.run(|connection| {
        audit_seals::table
            .order(audit_seals::number.desc())
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(|stored| stored.read()?.try_into())
    .transpose()
}

/// At most `limit` seals in order, from the first one after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn seals(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<Seal>, StoreError> {
    let rows = tx.run(|connection| {
        audit_seals::table
            .filter(audit_seals::number.gt(after))
            .order(audit_seals::number.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    })?;
    rows.into_iter().map(|stored| stored.read()?.try_into()).collect()
}

/// At most `limit` seals in order, from the first one after `after`, each with its entries. A log of any length is
/// verified or exported so, each part in a transaction of its own: what is sealed changes no more.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn links(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<Link>, StoreError> {
    let seals = seals(tx, after, limit)?;
    let (Some(first), Some(last)) = (seals.first(), seals.last()) else { return Ok(Vec::new()) };
    let mut rows = rows_of_seals(tx, first.number, last.number)?.into_iter().peekable();
    let mut links = Vec::with_capacity(seals.len());
    for seal in seals {
        // Entries that name a seal in between which there is not belong to none.
        while rows.next_if(|row| row.seal_number < Some(seal.number)).is_some() {}
        let mut own = Vec::new();
        while let Some(row) = rows.next_if(|row| row.seal_number == Some(seal.number)) {
            own.push(row);
        }
        links.push(Link { seal, rows: own });
    }
    Ok(links)
}

type Columns = (
    (i64, String, i64, String, String),
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>),
    (Option<Vec<u8>>, Option<String>, Option<i64>),
);

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        (
            (audit::seq, audit::id, audit::at, audit::actor, audit::action),
            (audit::tablet_id, audit::enrolment_id, audit::order_ref, audit::reason, audit::detail),
            (audit::salt, audit::body_digest, audit::seal_number),
        )
    };
}

/// The entries under some seals, by seal and in the order of their places.
fn rows_of_seals(tx: &mut Tx<'_>, first: i64, last: i64) -> Result<Vec<Row>, StoreError> {
    let rows: Vec<Columns> = tx.run(|connection| {
        audit::table
            .filter(audit::seal_number.between(first, last))
            .order((audit::seal_number.asc(), audit::seq.asc()))
            .select(columns!())
            .load(connection)
    })?;
    rows.into_iter().map(typed).collect()
}

/// At most `limit` entries that have no seal yet, in order, from the first one after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn unsealed(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
    let rows: Vec<Columns> = tx.run(|connection| {
        audit::table
            .filter(audit::seal_number.is_null())
            .filter(audit::seq.gt(after))
            // They all have none; said so, it is the order of the index. Ordered by their places alone, PostgreSQL would
            // sort all that wait for each batch of 64: after a morning with 100,000 enrolments that is a minute.
            .order((audit::seal_number.asc(), audit::seq.asc()))
            .limit(i64::from(limit))
            .select(columns!())
            .load(connection)
    })?;
    rows.into_iter().map(typed).collect()
}

/// At most `limit` entries that no seal binds, in order, from the first one after `after`: those that have none yet,
/// and those that name one which there is not.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn without_a_seal(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
    let seals = audit_seals::table.select(audit_seals::number.nullable());
    let rows: Vec<Columns> = tx.run(|connection| {
        audit::table
            .filter(audit::seq.gt(after))
            .filter(audit::seal_number.is_null().or(audit::seal_number.ne_all(seals)))
            .order(audit::seq.asc())
            .limit(i64::from(limit))
            .select(columns!())
            .load(connection)
    })?;
    rows.into_iter().map(typed).collect()
}

/// How many seals there are, by the number of the last.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn count_seals(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let last: Option<i64> =
        tx.run(|connection| audit_seals::table.select(max(audit_seals::number)).first(connection))?;
    Ok(last.map_or(0, |last| u64::try_from(last).unwrap_or(0)))
}

fn typed(columns: Columns) -> Result<Row, StoreError> {
    let (
        (seq, id, at, actor, action),
        (tablet, enrolment, order, reason, detail),
        (salt, body_digest, seal_number),
    ) = columns;
    Ok(Row {
        seq,
        id,
        at: Instant::from_millis(at),
        actor,
        action,
        tablet,
        enrolment,
        order,
        body: Body::from_columns(salt, reason, detail),
        body_digest: read(body_digest, "audit", "body_digest", &seq)?,
        seal_number,
    })
}

crate::declared::declares! {
    audit_seals kept as Evidence {
        not_personal("digests of the log, from which nothing can be read") {
            number, row_count, first_seq, last_seq, root, previous, digest, at,
        }
    }
}
