//! The way out of tablets that are given away or retired (C5.1.2). What was done stays done.

use std::collections::HashSet;

use diesel::dsl::exists;
use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::departure::{Departure as Decided, Way};
use lending::restitution::Proof;
use lending::{Reason, Reference};
use types::{AccountId, CountersignatureId, EraseOrderId, Instant, LastDecisionId, TabletId};

use crate::column::read_ids;
use crate::noun::{by_key, find_first, noun};
use crate::restitutions::{ProofKind, StageName};
use crate::schema::{departures, last_decisions, restitutions};
use crate::{StoreError, Tx};

noun! {
    /// A departure.
    pub struct Departure in departures keyed by decision_id {
        /// The decision that it carries out.
        decision_id: LastDecisionId,
        /// The number of its first order, which the brake counts (M5).
        counted_order_id: EraseOrderId,
        /// The order that it stands under.
        order_id: Option<EraseOrderId>,
        /// When it was proven empty.
        erased_at: Option<Instant>,
        /// How that is known.
        proof: Option<ProofKind>,
        /// Who attested it, or which enrolment proves it.
        proof_ref: Option<String>,
        /// The second person's signature.
        countersignature_id: Option<CountersignatureId>,
        /// When it was used: from then on nothing is taken back.
        let_go_at: Option<Instant>,
        /// What shows that the tablet was released from the owner's accounts.
        release_reference: Option<Reference>,
        /// What shows that its activation lock is off.
        lock_reference: Option<Reference>,
        /// When both were attested.
        released_at: Option<Instant>,
        /// By whom.
        released_by: Option<AccountId>,
        /// When whoever gets it said that their data is saved.
        saved_at: Option<Instant>,
        /// Who recorded that.
        saved_by: Option<AccountId>,
        /// When it was taken into the inventory again.
        taken_in_at: Option<Instant>,
        /// By whom.
        taken_in_by: Option<AccountId>,
        /// Why.
        taken_in_because: Option<Reason>,
    }
}

by_key!(departures, Departure, decision_id: LastDecisionId; insert, get, get_all, update);

impl Departure {
    /// A departure in which nothing was done.
    #[must_use]
    pub const fn begun(decision: LastDecisionId, counted_order: EraseOrderId) -> Self {
        Self {
            decision_id: decision,
            counted_order_id: counted_order,
            order_id: None,
            erased_at: None,
            proof: None,
            proof_ref: None,
            countersignature_id: None,
            let_go_at: None,
            release_reference: None,
            lock_reference: None,
            released_at: None,
            released_by: None,
            saved_at: None,
            saved_by: None,
            taken_in_at: None,
            taken_in_by: None,
            taken_in_because: None,
        }
    }

    /// The departure that the rules look at.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a proof that is none.
    #[expect(clippy::disallowed_methods, reason = "this is where the facts come from their row")]
    pub fn decided(&self) -> Result<Decided, StoreError> {
        let corrupt = || StoreError::Corrupt {
            table: "departures",
            row: self.decision_id.to_string(),
            column: "proof",
        };
        let way = if self.taken_in_at.is_some() {
            Way::TakenIn
        } else if self.released_at.is_some() {
            Way::Released
        } else if self.let_go_at.is_some() {
            Way::LetGo
        } else {
            match (self.order_id, self.proof, &self.proof_ref) {
                (Some(order), Some(name), Some(by)) => {
                    let proof = match name {
                        ProofKind::Attested => by.parse().map(Proof::Attested).ok(),
                        ProofKind::Reenrolled => by.parse().map(Proof::Reenrolled).ok(),
                    };
                    Way::Erased { order, proof: proof.ok_or_else(corrupt)? }
                }
                (Some(order), None, None) => Way::Ordered(order),
                (None, None, None) => Way::Decided,
                _ => return Err(corrupt()),
            }
        };
        Ok(Decided::from_row(self.decision_id, way))
    }

    /// The row, once the rules let it come as far as an order or a proof.
    #[must_use]
    pub fn come_to(&self, decided: &Decided, at: Instant) -> Self {
        match decided.way() {
            Way::Ordered(order) => Self { order_id: Some(order), ..self.clone() },
            Way::Erased { order, proof } => {
                let (name, by) = match proof {
                    Proof::Attested(by) => (ProofKind::Attested, by.to_string()),
                    Proof::Reenrolled(by) => (ProofKind::Reenrolled, by.to_string()),
                };
                Self {
                    order_id: Some(order),
                    erased_at: Some(at),
                    proof: Some(name),
                    proof_ref: Some(by),
                    ..self.clone()
                }
            }
            Way::Decided | Way::LetGo | Way::Released | Way::TakenIn => self.clone(),
        }
    }
}

/// The departure whose first order is this.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_counted_order(tx: &mut Tx<'_>, order: EraseOrderId) -> Result<Option<Departure>, StoreError> {
    find_first!(tx, departures::table.filter(departures::counted_order_id.eq(order.to_string())))
}

/// Which of these tablets leave by a decision whose departure stands so: one statement, or none for no tablet.
macro_rules! leaving {
    ($tx:expr, $tablets:expr, $($is_it:expr),+) => {{
        let tablets: Vec<String> = $tablets.into_iter().map(|one| one.to_string()).collect();
        if tablets.is_empty() {
            return Ok(HashSet::new());
        }
        let ids: Vec<String> = $tx.run(|connection| {
            departures::table
                .inner_join(last_decisions::table.on(last_decisions::id.eq(departures::decision_id)))
                .filter(last_decisions::tablet_id.eq_any(tablets))
                $(.filter($is_it))+
                .select(last_decisions::tablet_id)
                .load(connection)
        })?;
        Ok(read_ids(ids, "last_decisions", "tablet_id")?.into_iter().collect())
    }};
}

/// Which of these tablets are under an order and are not proven empty.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn under_order(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<HashSet<TabletId>, StoreError> {
    leaving!(
        tx,
        tablets,
        last_decisions::withdrawn_at.is_null(),
        departures::order_id.is_not_null(),
        departures::erased_at.is_null()
    )
}

/// Which of these tablets were let go and not taken in again: they are not ours.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn gone(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<HashSet<TabletId>, StoreError> {
    leaving!(tx, tablets, departures::let_go_at.is_not_null(), departures::taken_in_at.is_null())
}

/// Whether a tablet was taken into the inventory again, and is not proven empty since: neither by the receipt of whoever had
/// it, nor by the erasure of a later decision. What was on it before it left says nothing of what is on it now.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn taken_in_unproven(tx: &mut Tx<'_>, tablet: TabletId) -> Result<bool, StoreError> {
    let of_tablet = || {
        departures::table
            .inner_join(last_decisions::table.on(last_decisions::id.eq(departures::decision_id)))
            .filter(last_decisions::tablet_id.eq(tablet.to_string()))
    };
    let last: Option<(String, i64)> = tx.run(|connection| {
        of_tablet()
            .order(departures::taken_in_at.desc())
            .filter(departures::taken_in_at.is_not_null())
            .select((departures::decision_id, departures::taken_in_at.assume_not_null()))
            .first(connection)
            .optional()
    })?;
    let Some((decision, taken_in)) = last else { return Ok(false) };
    let received: bool = tx.run(|connection| {
        let received = restitutions::table
            .filter(restitutions::tablet_id.eq(tablet.to_string()))
            .filter(restitutions::received_at.ge(taken_in))
            .filter(restitutions::stage.eq_any(EMPTY));
        diesel::select(exists(received)).get_result(connection)
    })?;
    let erased: bool = tx.run(|connection| {
        let erased = of_tablet()
            .filter(departures::decision_id.ne(decision))
            .filter(departures::erased_at.is_not_null())
            .filter(last_decisions::begun_at.ge(taken_in));
        diesel::select(exists(erased)).get_result(connection)
    })?;
    Ok(!received && !erased)
}

/// The stages of a restitution whose tablet is proven empty.
const EMPTY: [&str; 3] =
    [StageName::Erased.as_str(), StageName::InStock.as_str(), StageName::InRepair.as_str()];

crate::declared::declares! {
    departures kept as Orders {
        personal(Lending: Loans) { decision_id, order_id, erased_at, proof, let_go_at, released_at, saved_at, taken_in_at }
        personal(Lending: Reasons) { taken_in_because }
        personal(AccountsAndAudit: Acts) { proof_ref, countersignature_id, released_by, saved_by, taken_in_by }
        not_personal("numbers of ours, and what the owner’s accounts call a release") {
            counted_order_id, release_reference, lock_reference,
        }
    }
}
