//! One yes or no for each year of loan: was the tablet managed responsibly? Nothing of what happened is kept (C5.1.2).

use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, Instant, LoanId, PersonId};

use crate::noun::{noun, read_all};
use crate::schema::{loan_years, loans};
use crate::{StoreError, Tx};

noun! {
    /// A word about a year.
    pub struct LoanYear in loan_years keyed by loan_id {
        /// The loan.
        loan_id: LoanId,
        /// The year.
        school_year: String,
        /// Whether the tablet was managed responsibly.
        responsible: bool,
        /// When that was last said.
        recorded_at: Instant,
        /// By whom.
        recorded_by: AccountId,
    }
}

/// Says it, or says it anew.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn put(tx: &mut Tx<'_>, row: &LoanYear) -> Result<(), StoreError> {
    let (loan, year) = (row.loan_id.to_string(), row.school_year.clone());
    let changed = tx.run(|connection| {
        diesel::update(loan_years::table.find((loan, year)))
            .set((
                loan_years::responsible.eq(row.responsible),
                loan_years::recorded_at.eq(row.recorded_at.as_millis()),
                loan_years::recorded_by.eq(row.recorded_by.to_string()),
            ))
            .execute(connection)
    })?;
    if changed == 0 {
        let stored = Stored::of(row);
        tx.run(|connection| diesel::insert_into(loan_years::table).values(stored).execute(connection))?;
    }
    Ok(())
}

/// What was said of every loan of a person, year by year: whoever swapped their tablet, or got another for one that broke, has
/// several, and was lent a tablet throughout.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_person(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<LoanYear>, StoreError> {
    read_all!(tx.run(|connection| {
        loan_years::table
            .inner_join(loans::table.on(loans::id.eq(loan_years::loan_id)))
            .filter(loans::person_id.eq(person.to_string()))
            .order((loan_years::school_year.asc(), loan_years::loan_id.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    loan_years kept as Loans {
        personal(Lending: Loans) { loan_id, school_year, responsible }
        personal(AccountsAndAudit: Acts) { recorded_at, recorded_by }
    }
}
