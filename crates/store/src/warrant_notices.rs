//! Whom a warrant must be told to: the holder of the loan, or the guardians of a minor, once when it opens and once when it
//! is over (M1, C7.1). To whom that goes stands with the loan's person, not here.

use ::incidents::{NoticeDue, NoticeOccasion};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, IncidentId, Instant, LoanId, TabletId, WarrantId};

use crate::column::stored_enum;
use crate::mails::{self, MailState};
use crate::noun::{find_first, noun, read_all};
use crate::schema::{warrant_notices, warrants};
use crate::{StoreError, Tx};

stored_enum! {
    /// How somebody told it, where no mail does.
    ToldHow {
        /// They handed the letter over.
        Letter = "letter",
        /// They said it to whom it is for.
        InPerson = "in-person",
    }
}

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
        /// How somebody told it; `None` while nobody did, and for what a mail server took.
        told_how: Option<ToldHow>,
        /// Who told it.
        told_by: Option<AccountId>,
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
        told_how: None,
        told_by: None,
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

/// Records that it was told, by mail or by somebody's hand; `false` if it was before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn told(
    tx: &mut Tx<'_>,
    warrant: WarrantId,
    occasion: NoticeOccasion,
    by_hand: Option<(ToldHow, AccountId)>,
    at: Instant,
) -> Result<bool, StoreError> {
    let (how, by) = by_hand.map(|(how, by)| (how.as_str().to_owned(), by.to_string())).unzip();
    let changed = tx.run(|connection| {
        diesel::update(
            warrant_notices::table
                .filter(warrant_notices::warrant_id.eq(warrant.to_string()))
                .filter(warrant_notices::occasion.eq(occasion.as_str()))
                .filter(warrant_notices::told_at.is_null()),
        )
        .set((
            warrant_notices::told_at.eq(at.as_millis()),
            warrant_notices::told_how.eq(how),
            warrant_notices::told_by.eq(by),
        ))
        .execute(connection)
    })?;
    Ok(changed == 1)
}

/// Whether somebody is still to be told of a warrant of this tablet, on a day that has come.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn are_untold(tx: &mut Tx<'_>, tablet: TabletId, now: Instant) -> Result<bool, StoreError> {
    tx.run(|connection| {
        let untold = warrant_notices::table
            .filter(warrant_notices::told_at.is_null())
            .filter(warrant_notices::due_at.le(now.as_millis()))
            .filter(warrant_notices::loan_id.is_not_null())
            .filter(warrant_notices::warrant_id.eq_any(
                warrants::table.filter(warrants::tablet_id.eq(tablet.to_string())).select(warrants::id),
            ));
        diesel::select(diesel::dsl::exists(untold)).get_result(connection)
    })
}

/// A mail of it came back. If none of its mails stands with the server any more, nobody was told; `false` if somebody was.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn came_back(tx: &mut Tx<'_>, warrant: WarrantId, occasion: NoticeOccasion) -> Result<bool, StoreError> {
    let mails = mails::of_warrant(tx, warrant)?;
    if mails.iter().any(|mail| mail.occasion == Some(occasion) && mail.state == MailState::Accepted) {
        return Ok(false);
    }
    let changed = tx.run(|connection| {
        diesel::update(
            warrant_notices::table
                .filter(warrant_notices::warrant_id.eq(warrant.to_string()))
                .filter(warrant_notices::occasion.eq(occasion.as_str()))
                .filter(warrant_notices::told_at.is_not_null())
                .filter(warrant_notices::told_by.is_null()),
        )
        .set(warrant_notices::told_at.eq(None::<i64>))
        .execute(connection)
    })?;
    Ok(changed == 1)
}

crate::declared::declares! {
    warrant_notices kept as Orders {
        personal(Notices: NoticeDelivery) { occasion, loan_id, written_at, due_at, told_at, told_how }
        personal(AccountsAndAudit: Acts) { told_by }
        not_personal("a number of ours") { warrant_id }
    }
}
