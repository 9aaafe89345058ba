//! Tablets at their supplier's, and what came back (C5.4.5). What was sent is frozen; how it ended is written once.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::Reference;
use lending::repair::{Outcome, Repair as Decided};
use types::{AccountId, Instant, LoanId, RepairId, TabletId, Uai};

use crate::column::stored_enum;
use crate::noun::{by_key, find_all, find_first, noun, read_all};
use crate::schema::repairs;
use crate::within::of_colleges_within;
use crate::{StoreError, Tx, Within};

stored_enum! {
    /// Where a tablet in repair is.
    RepairState {
        /// The supplier has it.
        AtSupplier = "at-supplier",
        /// It came back.
        Back = "back",
        /// The supplier kept it, and another came in its place.
        Exchanged = "exchanged",
    }
}

noun! {
    /// A repair.
    pub struct Repair in repairs keyed by id {
        /// Its id.
        id: RepairId,
        /// The tablet.
        tablet_id: TabletId,
        /// The loan that rests meanwhile, if it was lent.
        loan_id: Option<LoanId>,
        /// The loan of the tablet that its holder got instead, in the same act.
        loaner_loan_id: Option<LoanId>,
        /// The collège.
        uai: Uai,
        /// How the supplier names it.
        reference: Reference,
        /// Where it is.
        state: RepairState,
        /// When it was sent.
        sent_at: Instant,
        /// By whom.
        sent_by: AccountId,
        /// When it ended.
        closed_at: Option<Instant>,
        /// Who said so.
        closed_by: Option<AccountId>,
        /// The tablet that came in its place.
        exchanged_tablet_id: Option<TabletId>,
        /// Whether the loan rested already when the tablet was sent, for its incident.
        loan_rested: bool,
    }
}

by_key!(repairs, Repair, id: RepairId; insert, get, update);

impl Repair {
    /// The repair that the rules look at.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for an exchange that names no tablet.
    #[expect(clippy::disallowed_methods, reason = "this is where the facts come from their row")]
    pub fn decided(&self) -> Result<Decided, StoreError> {
        let outcome = match (self.state, self.exchanged_tablet_id) {
            (RepairState::AtSupplier, _) => None,
            (RepairState::Back, _) => Some(Outcome::Back),
            (RepairState::Exchanged, Some(by)) => Some(Outcome::Exchanged { by }),
            (RepairState::Exchanged, None) => {
                return Err(StoreError::Corrupt {
                    table: "repairs",
                    row: self.id.to_string(),
                    column: "exchanged_tablet_id",
                });
            }
        };
        Ok(Decided::from_row(self.id, self.tablet_id, (self.loan_id, self.loan_rested), outcome))
    }

    /// The row, once the rules let it end.
    #[must_use]
    pub fn ended(&self, decided: &Decided, by: AccountId, at: Instant) -> Self {
        let (state, exchanged_tablet_id) = match decided.outcome() {
            None => return self.clone(),
            Some(Outcome::Back) => (RepairState::Back, None),
            Some(Outcome::Exchanged { by }) => (RepairState::Exchanged, Some(by)),
        };
        Self { state, exchanged_tablet_id, closed_at: Some(at), closed_by: Some(by), ..self.clone() }
    }
}

/// The repair that a tablet is in, or that it never comes back from.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn standing_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Repair>, StoreError> {
    find_first!(
        tx,
        repairs::table
            .filter(repairs::tablet_id.eq(tablet.to_string()))
            .filter(repairs::state.ne(RepairState::Back.as_str()))
    )
}

/// As [`standing_of_tablet`], for many, in no order: one statement, or none for no tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn standing_of_tablets(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<Vec<Repair>, StoreError> {
    find_all!(
        tx,
        repairs,
        tablets.into_iter().map(|one| one.to_string()).collect(),
        repairs::tablet_id,
        repairs::state.ne(RepairState::Back.as_str())
    )
}

/// At most `limit` repairs of collèges within reach, in the order of their ids, after `after`: those that go on, or all.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    over_too: bool,
    after: Option<RepairId>,
    limit: u32,
) -> Result<Vec<Repair>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let mut query = repairs::table.filter(repairs::id.gt(after)).into_boxed();
        if !over_too {
            query = query.filter(repairs::state.eq(RepairState::AtSupplier.as_str()));
        }
        let uai = diesel::NullableExpressionMethods::nullable(repairs::uai);
        of_colleges_within!(query, within, uai)
            .order(repairs::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    repairs kept as Orders {
        personal(Lending: Loans) {
            tablet_id, loan_id, loaner_loan_id, uai, state, sent_at, closed_at, exchanged_tablet_id, loan_rested,
        }
        personal(AccountsAndAudit: Acts) { sent_by, closed_by }
        not_personal("a number of ours, and what the supplier calls a repair") { id, reference }
    }
}
