//! Whom a warrant must be told to: the holder of the loan, or the guardians of a minor, once when it opens and once when it
//! is over (M1, C7.1). To whom that goes stands with the loan's person, not here.

use ::incidents::{NoticeDue, NoticeOccasion};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{IncidentId, Instant, LoanId, WarrantId};

use crate::noun::{find_first, noun, read_all};
use crate::schema::{warrant_notices, warrants};
use crate::{StoreError, Tx};

noun! {
    /// A notice of a warrant.
    pub struct WarrantNotice in warrant_notices keyed by warrant_id {
        /// The warrant.
        warrant_id: WarrantId,
        /// What it tells.
        occasion: NoticeOccasion,
        /// The loan that the tablet was lent by; `None` if nobody had it.
        loan_id: Option<LoanId>,
        /// When it was written.
        written_at: Instant,
        /// From when on it is sent.
        due_at: Instant,
        /// When it was told.
        told_at: Option<Instant>,
    }
}

/// Writes a notice; `false` if it was written before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn write(
    tx: &mut Tx<'_>,
    warrant: WarrantId,
    loan: Option<LoanId>,
    due: NoticeDue,
    now: Instant,
) -> Result<bool, StoreError> {
    if of(tx, warrant, due.occasion)?.is_some() {
        return Ok(false);
    }
    let stored = Stored::of(&WarrantNotice {
        warrant_id: warrant,
        occasion: due.occasion,
        loan_id: loan,
        written_at: now,
        due_at: due.due_at,
        told_at: None,
    });
    tx.run(|connection| diesel::insert_into(warrant_notices::table).values(stored).execute(connection))?;
    Ok(true)
}

/// The notice of a warrant on that occasion.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of(
    tx: &mut Tx<'_>,
    warrant: WarrantId,
    occasion: NoticeOccasion,
) -> Result<Option<WarrantNotice>, StoreError> {
    find_first!(
        tx,
        warrant_notices::table
            .filter(warrant_notices::warrant_id.eq(warrant.to_string()))
            .filter(warrant_notices::occasion.eq(occasion.as_str()))
    )
}

/// Puts off what was not told yet of an incident's warrants, until an authority's day; how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn put_off(tx: &mut Tx<'_>, incident: IncidentId, until: Instant) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            warrant_notices::table
                .filter(warrant_notices::told_at.is_null())
                .filter(warrant_notices::due_at.lt(until.as_millis()))
                .filter(
                    warrant_notices::warrant_id.eq_any(
                        warrants::table
                            .filter(warrants::incident_id.eq(incident.to_string()))
                            .select(warrants::id),
                    ),
                ),
        )
        .set(warrant_notices::due_at.eq(until.as_millis()))
        .execute(connection)
    })
}

/// The notices of an incident's warrants, the first written first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_incident(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<WarrantNotice>, StoreError> {
    read_all!(tx.run(|connection| {
        warrant_notices::table
            .filter(warrant_notices::warrant_id.eq_any(
                warrants::table.filter(warrants::incident_id.eq(incident.to_string())).select(warrants::id),
            ))
            .order((warrant_notices::written_at.asc(), warrant_notices::warrant_id.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Records that it was told; `false` if it was before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn told(
    tx: &mut Tx<'_>,
    warrant: WarrantId,
    occasion: NoticeOccasion,
    at: Instant,
) -> Result<bool, StoreError> {
    let changed = tx.run(|connection| {
        diesel::update(
            warrant_notices::table
                .filter(warrant_notices::warrant_id.eq(warrant.to_string()))
                .filter(warrant_notices::occasion.eq(occasion.as_str()))
                .filter(warrant_notices::told_at.is_null()),
        )
        .set(warrant_notices::told_at.eq(at.as_millis()))
        .execute(connection)
    })?;
    Ok(changed == 1)
}

crate::declared::declares! {
    warrant_notices kept as Orders {
        personal(Notices: NoticeDelivery) { occasion, loan_id, written_at, due_at, told_at }
        not_personal("a number of ours") { warrant_id }
    }
}
