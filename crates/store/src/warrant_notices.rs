//! Whom a warrant must be told to: the holder of the loan, or the guardians of a minor, once when it opens and once when it
//! is over (M1, C7.1). To whom that goes stands with the loan's person, not here.

use std::collections::BTreeSet;

use ::incidents::{NoticeDue, NoticeOccasion};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, IncidentId, Instant, LoanId, TabletId, WarrantId};

use crate::column::{read_ids, stored_enum};
use crate::mails::{self, MailState};
use crate::noun::{find_all, find_first, hold_first, noun, read_all};
use crate::schema::{loans, persons, warrant_notices, warrants};
use crate::{StoreError, Tx, notice_delays};

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

/// The notices of these warrants, on every occasion, in no order: one statement.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_all(
    tx: &mut Tx<'_>,
    warrants: impl IntoIterator<Item = WarrantId>,
) -> Result<Vec<WarrantNotice>, StoreError> {
    let warrants: Vec<String> = warrants.into_iter().map(|id| id.to_string()).collect();
    find_all!(tx, warrant_notices, warrants, warrant_notices::warrant_id)
}

/// The notice of a warrant on that occasion, held until the end of the transaction: its mails end one after the other, and each
/// sees how the others ended.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold(
    tx: &mut Tx<'_>,
    warrant: WarrantId,
    occasion: NoticeOccasion,
) -> Result<Option<WarrantNotice>, StoreError> {
    hold_first!(
        tx,
        warrant_notices,
        warrant_notices::warrant_id
            .eq(warrant.to_string())
            .and(warrant_notices::occasion.eq(occasion.as_str()))
    )
}

/// From when on it may be told: its day, or a later one that an authority asked for since. A mail that went before moved no
/// day, and those that did not go wait all the same (M1).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn due_at(tx: &mut Tx<'_>, notice: &WarrantNotice) -> Result<Instant, StoreError> {
    let Some(warrant) = crate::warrants::get(tx, &notice.warrant_id)? else { return Ok(notice.due_at) };
    let delay = notice_delays::last(tx, warrant.incident_id)?;
    Ok(delay.map_or(notice.due_at, |delay| delay.due(notice.occasion, notice.due_at).due_at))
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

/// Those of these tablets of whose warrants somebody is still to be told, on a day that has come. Who was forgotten is told
/// nothing.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn untold_among(
    tx: &mut Tx<'_>,
    tablets: &[TabletId],
    now: Instant,
) -> Result<BTreeSet<TabletId>, StoreError> {
    let tablets: Vec<String> = tablets.iter().map(ToString::to_string).collect();
    let untold: Vec<String> = tx.run(|connection| {
        warrant_notices::table
            .inner_join(loans::table.on(loans::id.nullable().eq(warrant_notices::loan_id)))
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(persons::name_sealed.is_not_null())
            .filter(warrant_notices::told_at.is_null())
            .filter(warrant_notices::due_at.le(now.as_millis()))
            .filter(loans::tablet_id.eq_any(tablets))
            .select(loans::tablet_id)
            .distinct()
            .load(connection)
    })?;
    Ok(read_ids(untold, "loans", "tablet_id")?.into_iter().collect())
}

/// A mail of it came back. If none of its mails stands with the server any more, nobody was told, and nobody is before the
/// day that an authority asked for meanwhile; `false` if somebody was.
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
    if let Some(notice) = of(tx, warrant, occasion)?.filter(|_untold| changed == 1) {
        let due_at = due_at(tx, &notice)?;
        tx.run(|connection| {
            diesel::update(
                warrant_notices::table
                    .filter(warrant_notices::warrant_id.eq(warrant.to_string()))
                    .filter(warrant_notices::occasion.eq(occasion.as_str()))
                    .filter(warrant_notices::due_at.lt(due_at.as_millis())),
            )
            .set(warrant_notices::due_at.eq(due_at.as_millis()))
            .execute(connection)
        })?;
    }
    Ok(changed == 1)
}

crate::declared::declares! {
    warrant_notices kept as Orders {
        personal(Notices: NoticeDelivery) { occasion, loan_id, written_at, due_at, told_at, told_how }
        personal(AccountsAndAudit: Acts) { told_by }
        not_personal("a number of ours") { warrant_id }
    }
}
