//! Erase orders (M3). Frozen once given, except towards their end.
//!
//! An order is written from a [`NewOrder`], which the rules of `lending` give, and read back with what it rests on and the
//! tablet as it is now: [`standing`] gives all three, and only [`Standing::read_back`] makes the proof of them.

use std::collections::BTreeMap;

use ::incidents::IncidentState;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::last_decision::LastDecision;
use lending::notice::Told;
use lending::restitution::{Hold, Restitution};
use lending::{Cause, EraseTerms, Grounds, NewOrder, NotErased, Present, RecordedOrder};
use types::{
    DestructionKind, EnrolmentId, EraseOrderId, IncidentKind, Instant, LastDecisionId, LoanId, RestitutionId,
    TabletId,
};

use crate::noun::{by_key, noun, read_all};
use crate::schema::erase_orders;
use crate::warrants::OrderState;
use crate::{
    StoreError, Tx, brake, departures, destructions, enrolments, incident_declarations, incidents,
    last_decisions, loans, notices, restitutions,
};

noun! {
    /// An order to erase one tablet.
    pub struct EraseOrder in erase_orders keyed by id {
        /// Its id.
        id: EraseOrderId,
        /// The only tablet it erases.
        tablet_id: TabletId,
        /// The only enrolment of it, if the order names one: a tablet that was lent again is another.
        enrolment_id: Option<EnrolmentId>,
        /// `restitution`, `donation`, `retirement` or `theft`.
        cause: String,
        /// Whether it may still carry a command.
        state: OrderState,
        /// The first instant at which the tablet may be erased.
        not_before: Instant,
        /// The first instant at which it no longer may.
        expires_at: Instant,
        /// The receipt that it rests on.
        restitution_id: Option<RestitutionId>,
        /// Or the decision.
        decision_id: Option<LastDecisionId>,
        /// The loan that it serves.
        loan_id: Option<LoanId>,
    }
}

by_key!(erase_orders, EraseOrder, id: EraseOrderId; get, get_all);

/// Writes an order down that the rules gave.
///
/// # Errors
/// [`StoreError::Refused`] if the tables see no ground for it.
pub fn give(tx: &mut Tx<'_>, order: &NewOrder) -> Result<(), StoreError> {
    let (restitution_id, decision_id) = match order.cause() {
        Cause::Restitution { restitution, .. } => (Some(restitution), None),
        Cause::Donation { decision, .. } | Cause::Retirement { decision } | Cause::Theft { decision, .. } => {
            (None, Some(decision))
        }
    };
    let row = EraseOrder {
        id: order.order(),
        tablet_id: order.tablet(),
        enrolment_id: order.enrolment(),
        cause: order.cause().as_str().to_owned(),
        state: OrderState::Open,
        not_before: order.not_before(),
        expires_at: order.expires_at(),
        restitution_id,
        decision_id,
        loan_id: order.cause().loan(),
    };
    insert(tx, &row)
}

/// Adds the row. Programs [`give`] orders; tests write some that no rule would give.
pub(crate) fn insert(tx: &mut Tx<'_>, row: &EraseOrder) -> Result<(), StoreError> {
    let stored = Stored::of(row);
    tx.run(|connection| diesel::insert_into(erase_orders::table).values(stored).execute(connection))?;
    Ok(())
}

/// The open order of a tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn open_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<EraseOrder>, StoreError> {
    tx.run(|connection| {
        erase_orders::table
            .filter(erase_orders::tablet_id.eq(tablet.to_string()))
            .filter(erase_orders::state.eq(OrderState::Open.as_str()))
            .order(erase_orders::id.desc())
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// The orders that were given by a decision, the first one first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_decision(tx: &mut Tx<'_>, decision: LastDecisionId) -> Result<Vec<EraseOrder>, StoreError> {
    read_all!(tx.run(|connection| {
        erase_orders::table
            .filter(erase_orders::decision_id.eq(decision.to_string()))
            .order(erase_orders::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// An order, what it rests on, and the tablet as it is now. Not yet a proof.
#[derive(Debug)]
pub struct Standing {
    recorded: RecordedOrder,
    ground: Ground,
    present: Present,
}

#[derive(Debug)]
enum Ground {
    Receipt(Restitution, Told),
    Decision(LastDecision, Told),
}

impl Standing {
    /// Makes the proof, if the order stands at this instant.
    ///
    /// # Errors
    /// [`NotErased`] with what has changed since it was given.
    pub fn read_back(&self, terms: &EraseTerms, now: Instant) -> Result<lending::EraseOrder, NotErased> {
        let grounds = match &self.ground {
            Ground::Receipt(restitution, told) => Grounds::Restitution(restitution, told),
            Ground::Decision(decision, told) => Grounds::Decision(decision, told),
        };
        lending::EraseOrder::read_back(&self.recorded, &grounds, &self.present, terms, now)
    }
}

/// What the rules look at before a tablet is erased by this order; `None` if there is no such order, and also while the
/// brake stands in its way: its switch is thrown, or it has not counted this order, or holds it (M5).
///
/// # Errors
/// [`StoreError::Corrupt`].
#[expect(clippy::disallowed_methods, reason = "this is where the facts come from their row")]
pub fn standing(tx: &mut Tx<'_>, id: EraseOrderId) -> Result<Option<Standing>, StoreError> {
    if brake::switch(tx)? != brake::Switch::Released
        || !destructions::is_let_go(tx, DestructionKind::Erase, &id.to_string())?
    {
        return Ok(None);
    }
    let Some(row) = get(tx, &id)? else { return Ok(None) };
    let corrupt = |column| StoreError::Corrupt { table: "erase_orders", row: id.to_string(), column };
    let cause = match (row.cause.as_str(), row.restitution_id, row.decision_id, row.loan_id) {
        ("restitution", Some(restitution), None, Some(loan)) => Cause::Restitution { restitution, loan },
        ("donation", None, Some(decision), Some(loan)) => Cause::Donation { decision, loan },
        ("retirement", None, Some(decision), _) => Cause::Retirement { decision },
        ("theft", None, Some(decision), loan) => Cause::Theft { decision, loan },
        _ => return Err(corrupt("cause")),
    };
    let ground = match (row.restitution_id, row.decision_id) {
        (Some(restitution), _) => {
            let receipt = restitutions::get(tx, &restitution)?.ok_or_else(|| corrupt("restitution_id"))?;
            let told = told(tx, receipt.loan_id, receipt.saved_at)?;
            Ground::Receipt(receipt.decided()?, told)
        }
        (None, Some(decision)) => {
            let decision = last_decisions::get(tx, &decision)?.ok_or_else(|| corrupt("decision_id"))?;
            let told = match decision.loan_id {
                Some(loan) => {
                    let saved_at = departures::get(tx, &decision.id)?.and_then(|way| way.saved_at);
                    told(tx, loan, saved_at)?
                }
                None => Told { notices: Vec::new(), saved_at: None },
            };
            Ground::Decision(decision.decided()?, told)
        }
        (None, None) => return Err(corrupt("cause")),
    };
    let recorded = RecordedOrder::from_row(
        row.id,
        (row.tablet_id, row.enrolment_id),
        cause,
        row.state == OrderState::Open,
        (row.not_before, row.expires_at),
    );
    Ok(Some(Standing { recorded, ground, present: present(tx, row.tablet_id)? }))
}

/// What the holder of a loan was told.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn told(tx: &mut Tx<'_>, loan: LoanId, saved_at: Option<Instant>) -> Result<Told, StoreError> {
    let notices = notices::of_loan(tx, loan)?.iter().map(notices::Notice::decided).collect();
    Ok(Told { notices, saved_at })
}

/// What the holders of these loans were told, each with whether they confirmed that their data is saved: one statement, or
/// none for no loan.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn told_all(
    tx: &mut Tx<'_>,
    loans: &[(LoanId, Option<Instant>)],
) -> Result<BTreeMap<LoanId, Told>, StoreError> {
    let empty = |(loan, saved_at): &(LoanId, Option<Instant>)| {
        (*loan, Told { notices: Vec::new(), saved_at: *saved_at })
    };
    let mut all: BTreeMap<LoanId, Told> = loans.iter().map(empty).collect();
    for notice in notices::of_loans(tx, loans.iter().map(|(loan, _saved_at)| *loan))? {
        if let Some(told) = all.get_mut(&notice.loan_id) {
            told.notices.push(notice.decided());
        }
    }
    Ok(all)
}

/// A tablet as it is now: its enrolment, its loan, and what keeps it as it is.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn present(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Present, StoreError> {
    let none = Present { tablet, enrolment: None, loan: None, holds: Vec::new() };
    Ok(present_all(tx, &[tablet])?.remove(&tablet).unwrap_or(none))
}

/// As [`present`], of many tablets: a handful of statements, however many they are.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn present_all(tx: &mut Tx<'_>, tablets: &[TabletId]) -> Result<BTreeMap<TabletId, Present>, StoreError> {
    let these = || tablets.iter().copied();
    let receipts = restitutions::last_of_tablets(tx, these())?;
    let open = incidents::open_of_tablets(tx, these())?;
    let declared = incident_declarations::get_all(tx, open.iter().map(|incident| incident.id))?;
    let stages: BTreeMap<_, _> = declared.into_iter().map(|declared| (declared.id, declared.stage)).collect();
    let live = enrolments::live_of_tablets(tx, these())?;
    let enrolled: BTreeMap<TabletId, EnrolmentId> =
        live.into_iter().filter_map(|live| Some((live.tablet_id?, live.id))).collect();
    let lent = loans::live_of_tablets(tx, these())?;
    let lent: BTreeMap<_, _> = lent.into_iter().map(|loan| (loan.tablet_id, loan.id)).collect();
    let mut all: BTreeMap<TabletId, Present> = these()
        .map(|tablet| {
            let (enrolment, loan) = (enrolled.get(&tablet).copied(), lent.get(&tablet).copied());
            (tablet, Present { tablet, enrolment, loan, holds: Vec::new() })
        })
        .collect();
    for incident in open {
        let Some(present) = all.get_mut(&incident.tablet_id) else { continue };
        // Whoever hands in a tablet that was missing has found it, whether the incident says so or not yet.
        let receipt = receipts.get(&incident.tablet_id);
        let is_back = receipt.is_some_and(|receipt| receipt.received_at >= incident.opened_at);
        present.holds.push(match (incident.kind, stages.get(&incident.id)) {
            (IncidentKind::AuthorityRequest, _) => Hold::Authority(incident.id),
            (_, Some(IncidentState::Found)) => Hold::Found(incident.id),
            (kind, _) if is_back && kind.is_of_a_missing_tablet() => Hold::Found(incident.id),
            _ => Hold::Incident(incident.id),
        });
    }
    for receipt in receipts.values().filter(|receipt| receipt.held_for_check) {
        if let Some(present) = all.get_mut(&receipt.tablet_id) {
            present.holds.push(Hold::Check);
        }
    }
    Ok(all)
}

/// At most `limit` orders that are open, and whose window is over.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn past(tx: &mut Tx<'_>, now: Instant, limit: u32) -> Result<Vec<EraseOrder>, StoreError> {
    read_all!(tx.run(|connection| {
        erase_orders::table
            .filter(erase_orders::state.eq(OrderState::Open.as_str()))
            .filter(erase_orders::expires_at.le(now.as_millis()))
            .order(erase_orders::expires_at.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Ends it; `false` if it is not open.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn end(tx: &mut Tx<'_>, id: EraseOrderId) -> Result<bool, StoreError> {
    let ended = tx.run(|connection| {
        diesel::update(
            erase_orders::table
                .filter(erase_orders::id.eq(id.to_string()))
                .filter(erase_orders::state.eq(OrderState::Open.as_str())),
        )
        .set(erase_orders::state.eq(OrderState::Ended.as_str()))
        .execute(connection)
    })?;
    Ok(ended == 1)
}

crate::declared::declares! {
    erase_orders kept as Orders {
        personal(Lending: Loans) { cause, not_before, expires_at, restitution_id, decision_id, loan_id }
        not_personal("which tablet, and whether it is over") { id, tablet_id, enrolment_id, state }
    }
}
