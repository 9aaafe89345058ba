//! Recorded restrictions of use, until their last day (C5.2.5). They say nothing of what happened.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{AccountId, Day, Instant, LoanId, RestrictionId};

use crate::noun::{by_key, find_all, noun, read_all};
use crate::schema::restrictions;
use crate::{StoreError, Tx};

noun! {
    /// A restriction.
    pub struct Restriction in restrictions keyed by id {
        /// Its id.
        id: RestrictionId,
        /// The loan whose tablet it is about.
        loan_id: LoanId,
        /// Its first day.
        from_day: Day,
        /// Its last day.
        until_day: Day,
        /// Who recorded it.
        recorded_by: AccountId,
        /// When.
        recorded_at: Instant,
        /// When it was lifted before its end.
        lifted_at: Option<Instant>,
    }
}

by_key!(restrictions, Restriction, id: RestrictionId; insert);

/// The restrictions of a loan, the first recorded first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_loan(tx: &mut Tx<'_>, loan: LoanId) -> Result<Vec<Restriction>, StoreError> {
    read_all!(tx.run(|connection| {
        restrictions::table
            .filter(restrictions::loan_id.eq(loan.to_string()))
            .order(restrictions::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// As [`of_loan`], of many loans: one statement, or none for no loan.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_loans(
    tx: &mut Tx<'_>,
    loans: impl IntoIterator<Item = LoanId>,
) -> Result<Vec<Restriction>, StoreError> {
    let loans = loans.into_iter().map(|one| one.to_string()).collect();
    let mut found: Vec<Restriction> = find_all!(tx, restrictions, loans, restrictions::loan_id)?;
    found.sort_by_key(|row| row.id);
    Ok(found)
}

/// Lifts a restriction before its end; `false` if it was lifted, or is not there.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn lift(tx: &mut Tx<'_>, id: RestrictionId, at: Instant) -> Result<bool, StoreError> {
    let changed = tx.run(|connection| {
        let standing = restrictions::table
            .filter(restrictions::id.eq(id.to_string()))
            .filter(restrictions::lifted_at.is_null());
        diesel::update(standing).set(restrictions::lifted_at.eq(at.as_millis())).execute(connection)
    })?;
    Ok(changed == 1)
}

crate::declared::declares! {
    restrictions kept as Loans {
        personal(Lending: Loans) { loan_id, from_day, until_day, lifted_at }
        personal(AccountsAndAudit: Acts) { recorded_by, recorded_at }
        not_personal("a number of ours") { id }
    }
}
