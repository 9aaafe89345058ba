//! School years, as the département dates them, each with its summer break (C5.2.2, C9.1).

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use types::Day;

use crate::column::Column as _;
use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::school_years;
use crate::{StoreError, Tx};

noun! {
    /// A school year. No two share a day.
    pub struct SchoolYear in school_years keyed by label {
        /// The years it begins and ends in, such as `2026-2027`.
        label: String,
        /// Its first day.
        starts_on: Day,
        /// Its last day, its summer break aside if that follows.
        ends_on: Day,
        /// The first day of its summer break.
        summer_starts_on: Day,
        /// The last day of its summer break.
        summer_ends_on: Day,
    }
}

by_key!(school_years, SchoolYear, label: String; insert, get, update);

/// The school year that a day belongs to, the summer break that follows its end included (C5.2.2); `None` between two years, or
/// where none was dated.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn on(tx: &mut Tx<'_>, day: Day) -> Result<Option<SchoolYear>, StoreError> {
    find_first!(
        tx,
        school_years::table
            .filter(school_years::starts_on.le(day.stored()))
            .filter(school_years::ends_on.ge(day.stored()).or(school_years::summer_ends_on.ge(day.stored())))
            // A new year may begin before the break is over: then it is that one.
            .order(school_years::starts_on.desc())
    )
}

/// At most `limit` school years, the latest first, from the first one before `before`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(tx: &mut Tx<'_>, before: Option<&str>, limit: u32) -> Result<Vec<SchoolYear>, StoreError> {
    // `g` sorts after every digit.
    let before = before.unwrap_or("g");
    read_all!(tx.run(|connection| {
        school_years::table
            .filter(school_years::label.lt(before))
            .order(school_years::label.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    school_years kept as Organisations {
        not_personal("dates of the calendar") {
            label, starts_on, ends_on, summer_starts_on, summer_ends_on,
        }
    }
}
