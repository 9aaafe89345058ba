//! Tablets that go from one collège to another. Frozen, but for the consents and the end.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::Reason;
use lending::list::Signed;
use lending::transfer::Transfer as Decided;
use types::{AccountId, Instant, TabletId, TransferId, Uai};

use crate::column::stored_enum;
use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::{organisations, transfers};
use crate::{StoreError, Tx, Within};

stored_enum! {
    /// How far a transfer has come.
    TransferState {
        /// A consent is missing.
        Proposed = "proposed",
        /// The tablet is of the other collège.
        Done = "done",
        /// It was taken back, or refused.
        Withdrawn = "withdrawn",
    }
}

noun! {
    /// A transfer.
    pub struct Transfer in transfers keyed by id {
        /// Its id.
        id: TransferId,
        /// The tablet.
        tablet_id: TabletId,
        /// The collège that gives it.
        from_uai: Uai,
        /// The collège that takes it.
        to_uai: Uai,
        /// Why.
        reason: Reason,
        /// How far it has come.
        state: TransferState,
        /// When it was proposed.
        proposed_at: Instant,
        /// By whom.
        proposed_by: AccountId,
        /// When the one collège consented.
        given_at: Option<Instant>,
        /// Who consented for it.
        given_by: Option<AccountId>,
        /// When the other did.
        taken_at: Option<Instant>,
        /// Who consented for it.
        taken_by: Option<AccountId>,
        /// When it was done, or taken back.
        ended_at: Option<Instant>,
    }
}

by_key!(transfers, Transfer, id: TransferId; insert, get, update);

impl Transfer {
    /// The transfer that the rules look at.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where the facts come from their row")]
    pub fn decided(&self) -> Decided {
        let signed =
            |by: Option<AccountId>, at: Option<Instant>| by.zip(at).map(|(by, at)| Signed { by, at });
        let consents = (signed(self.given_by, self.given_at), signed(self.taken_by, self.taken_at));
        let over = self.state != TransferState::Proposed;
        Decided::from_row(self.id, (self.from_uai.clone(), self.to_uai.clone()), consents, over)
    }

    /// The row, once the rules took a consent.
    #[must_use]
    pub fn consented(&self, decided: &Decided, at: Instant) -> Self {
        let (given, taken) = decided.consents();
        let done = decided.is_agreed();
        Self {
            given_at: given.map(|signed| signed.at),
            given_by: given.map(|signed| signed.by),
            taken_at: taken.map(|signed| signed.at),
            taken_by: taken.map(|signed| signed.by),
            state: if done { TransferState::Done } else { self.state },
            ended_at: if done { Some(at) } else { self.ended_at },
            ..self.clone()
        }
    }
}

/// The transfer that waits for a consent, of a tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn proposed_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Transfer>, StoreError> {
    find_first!(
        tx,
        transfers::table
            .filter(transfers::tablet_id.eq(tablet.to_string()))
            .filter(transfers::state.eq(TransferState::Proposed.as_str()))
    )
}

/// At most `limit` transfers from or to collèges within reach, in the order of their ids, after `after`: those that wait, or
/// all.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    over_too: bool,
    after: Option<TransferId>,
    limit: u32,
) -> Result<Vec<Transfer>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let mut query = transfers::table.filter(transfers::id.gt(after)).into_boxed();
        if !over_too {
            query = query.filter(transfers::state.eq(TransferState::Proposed.as_str()));
        }
        // Either side sees it.
        query = match within {
            Within::Everything => query,
            Within::Organisation(id) => {
                let its = || organisations::table.find(id.to_string()).select(organisations::uai);
                let from = transfers::from_uai.nullable().eq_any(its());
                query.filter(from.or(transfers::to_uai.nullable().eq_any(its())))
            }
            Within::Colleges(colleges) => {
                let from = transfers::from_uai.eq_any(Within::codes(colleges));
                query.filter(from.or(transfers::to_uai.eq_any(Within::codes(colleges))))
            }
        };
        query
            .order(transfers::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    transfers kept as Orders {
        personal(Lending: Reasons) { reason }
        personal(AccountsAndAudit: Acts) {
            proposed_by, proposed_at, given_by, given_at, taken_by, taken_at, ended_at,
        }
        not_personal("a number of ours, a tablet and two collèges") { id, tablet_id, from_uai, to_uai, state }
    }
}
