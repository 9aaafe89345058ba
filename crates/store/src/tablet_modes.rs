//! Where each lent tablet stands, as its configuration follows it (C5.2.1). Made anew from the loan whenever something
//! changes and once a day; a row that is gone says that the tablet is lent to nobody.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use types::{Day, Instant, LoanId, LoanMode, TabletId, Uai, UserKind};

use crate::column::{Column as _, read_ids};
use crate::noun::{by_key, noun, on_each_engine};
use crate::schema::tablet_modes;
use crate::{StoreError, Tx};

noun! {
    /// Where a tablet stands.
    pub struct TabletMode in tablet_modes keyed by tablet_id {
        /// The tablet.
        tablet_id: TabletId,
        /// The loan it follows from.
        loan_id: LoanId,
        /// The collège of that loan.
        uai: Uai,
        /// Who its holder is to the programme.
        holder_kind: UserKind,
        /// Where it stands.
        mode: LoanMode,
        /// Since when.
        since: Instant,
        /// The day it was last made anew; `None`: it is to be made anew now.
        looked_on: Option<Day>,
    }
}

by_key!(tablet_modes, TabletMode, tablet_id: TabletId; get, get_all);

/// Writes where a tablet stands.
///
/// # Errors
/// [`StoreError::Dangling`] for a tablet or a loan that is not there.
pub fn put(tx: &mut Tx<'_>, row: &TabletMode) -> Result<(), StoreError> {
    let stored = Stored::of(row);
    on_each_engine!(tx, |connection| {
        diesel::insert_into(tablet_modes::table)
            .values(&stored)
            .on_conflict(tablet_modes::tablet_id)
            .do_update()
            .set((
                tablet_modes::loan_id.eq(&stored.loan_id),
                tablet_modes::uai.eq(&stored.uai),
                tablet_modes::holder_kind.eq(&stored.holder_kind),
                tablet_modes::mode.eq(&stored.mode),
                tablet_modes::since.eq(stored.since),
                tablet_modes::looked_on.eq(&stored.looked_on),
            ))
            .execute(connection)
    })?;
    Ok(())
}

/// The tablet is lent to nobody; `false` if it was not.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn remove(tx: &mut Tx<'_>, tablet: TabletId) -> Result<bool, StoreError> {
    let gone = tx
        .run(|connection| diesel::delete(tablet_modes::table.find(tablet.to_string())).execute(connection))?;
    Ok(gone == 1)
}

/// As [`remove`], for many: those that were lent; one statement, or none for no tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn remove_all(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<Vec<TabletId>, StoreError> {
    let tablets: Vec<String> = tablets.into_iter().map(|one| one.to_string()).collect();
    if tablets.is_empty() {
        return Ok(Vec::new());
    }
    let gone: Vec<String> = on_each_engine!(tx, |connection| {
        diesel::delete(tablet_modes::table.filter(tablet_modes::tablet_id.eq_any(tablets)))
            .returning(tablet_modes::tablet_id)
            .get_results(connection)
    })?;
    read_ids(gone, "tablet_modes", "tablet_id")
}

/// Every lent tablet, or those of one collège, is looked at again: what their modes follow from has changed.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn look_again(tx: &mut Tx<'_>, uai: Option<&Uai>) -> Result<usize, StoreError> {
    let never = tablet_modes::looked_on.eq(None::<String>);
    tx.run(|connection| match uai {
        None => diesel::update(tablet_modes::table).set(never).execute(connection),
        Some(uai) => diesel::update(tablet_modes::table.filter(tablet_modes::uai.eq(uai.to_string())))
            .set(never)
            .execute(connection),
    })
}

/// At most `limit` tablets that were not looked at on this day, in the order of their ids, from the first one after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn to_look_at(
    tx: &mut Tx<'_>,
    today: Day,
    after: Option<TabletId>,
    limit: u32,
) -> Result<Vec<TabletId>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<String> = tx.run(|connection| {
        tablet_modes::table
            .filter(tablet_modes::looked_on.is_null().or(tablet_modes::looked_on.ne(today.stored())))
            .filter(tablet_modes::tablet_id.gt(after))
            .order(tablet_modes::tablet_id.asc())
            .limit(i64::from(limit))
            .select(tablet_modes::tablet_id)
            .load(connection)
    })?;
    read_ids(rows, "tablet_modes", "tablet_id")
}

crate::declared::declares! {
    tablet_modes kept as Loans {
        personal(Lending: Loans) { tablet_id, loan_id, uai, holder_kind, mode, since }
        not_personal("when we looked") { looked_on }
    }
}
