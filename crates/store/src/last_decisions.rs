//! Decisions on the end of a tablet's life here (C5.1.2, M3). Frozen, but for signatures and their withdrawal.

use lending::Reason;
use lending::last_decision::{About, LastDecision as Decided, LastKind};
use lending::list::Signed;
use types::{AccountId, IncidentId, Instant, LastDecisionId, LoanId, TabletId};

use diesel::dsl::{exists, not};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};

use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::{departures, last_decisions};
use crate::within::of_tablets_within;
use crate::{StoreError, Tx, Within};

noun! {
    /// A decision.
    pub struct LastDecision in last_decisions keyed by id {
        /// Its id.
        id: LastDecisionId,
        /// What was decided.
        kind: LastKind,
        /// The tablet.
        tablet_id: TabletId,
        /// The loan it is about.
        loan_id: Option<LoanId>,
        /// The theft.
        incident_id: Option<IncidentId>,
        /// Why.
        reason: Reason,
        /// When it was begun.
        begun_at: Instant,
        /// The head who signed.
        head_by: Option<AccountId>,
        /// When.
        head_at: Option<Instant>,
        /// Who signed for the département.
        departement_by: Option<AccountId>,
        /// When.
        departement_at: Option<Instant>,
        /// When it was taken back.
        withdrawn_at: Option<Instant>,
    }
}

by_key!(last_decisions, LastDecision, id: LastDecisionId; insert, get, update);

impl LastDecision {
    /// The decision that the rules look at.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it names nothing that its kind is about.
    #[expect(clippy::disallowed_methods, reason = "this is where the facts come from their row")]
    pub fn decided(&self) -> Result<Decided, StoreError> {
        let signed =
            |by: Option<AccountId>, at: Option<Instant>| by.zip(at).map(|(by, at)| Signed { by, at });
        let about = About {
            tablet: self.tablet_id,
            loan: self.loan_id,
            incident: self.incident_id,
            reason: self.reason.clone(),
        };
        let signatures =
            (signed(self.head_by, self.head_at), signed(self.departement_by, self.departement_at));
        Decided::from_row(self.id, self.kind, about, signatures, self.withdrawn_at.is_some()).map_err(
            |_no_subject| StoreError::Corrupt {
                table: "last_decisions",
                row: self.id.to_string(),
                column: "loan_id",
            },
        )
    }

    /// The row, once the rules let somebody sign, or take it back.
    #[must_use]
    pub fn signed(&self, decided: &Decided, at: Instant) -> Self {
        let (head, departement) = (decided.head(), decided.departement());
        Self {
            head_by: head.map(|signed| signed.by),
            head_at: head.map(|signed| signed.at),
            departement_by: departement.map(|signed| signed.by),
            departement_at: departement.map(|signed| signed.at),
            withdrawn_at: decided.is_withdrawn().then_some(self.withdrawn_at.unwrap_or(at)),
            ..self.clone()
        }
    }
}

/// What says that the tablet of a decision was taken into the inventory again: that decision is over.
#[diesel::dsl::auto_type]
fn taken_in() -> _ {
    departures::table
        .filter(departures::decision_id.eq(last_decisions::id))
        .filter(departures::taken_in_at.is_not_null())
}

/// The decision that is in force for a tablet: everybody whom it takes has signed, and it is not over.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn in_force_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<LastDecision>, StoreError> {
    find_first!(
        tx,
        last_decisions::table
            .filter(last_decisions::tablet_id.eq(tablet.to_string()))
            .filter(last_decisions::withdrawn_at.is_null())
            .filter(last_decisions::departement_at.is_not_null())
            .filter(
                last_decisions::kind
                    .eq(LastKind::Retirement.as_str())
                    .or(last_decisions::head_at.is_not_null())
            )
            .filter(not(exists(taken_in())))
            .order(last_decisions::id.desc())
    )
}

/// In a query of loans: the decision in force that gives the tablet of a loan to whoever holds it. Nobody brings that one back,
/// however the loan ends.
macro_rules! gives_it_away {
    () => {
        $crate::schema::last_decisions::table
            .filter($crate::schema::last_decisions::loan_id.eq($crate::schema::loans::id.nullable()))
            .filter(
                $crate::schema::last_decisions::kind
                    .eq(::lending::last_decision::LastKind::Donation.as_str()),
            )
            .filter($crate::schema::last_decisions::withdrawn_at.is_null())
            .filter($crate::schema::last_decisions::departement_at.is_not_null())
    };
}
pub(crate) use gives_it_away;

/// Whether the tablet of a loan is given, by a decision in force, to whoever holds it.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub fn is_given(tx: &mut Tx<'_>, loan: LoanId) -> Result<bool, StoreError> {
    tx.run(|connection| {
        let given = last_decisions::table
            .filter(last_decisions::loan_id.eq(loan.to_string()))
            .filter(last_decisions::kind.eq(LastKind::Donation.as_str()))
            .filter(last_decisions::withdrawn_at.is_null())
            .filter(last_decisions::departement_at.is_not_null());
        diesel::select(exists(given)).get_result(connection)
    })
}

/// The donation or retirement that stands for a tablet, be it only proposed.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn standing_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<LastDecision>, StoreError> {
    find_first!(
        tx,
        last_decisions::table
            .filter(last_decisions::tablet_id.eq(tablet.to_string()))
            .filter(last_decisions::kind.ne(LastKind::Theft.as_str()))
            .filter(last_decisions::withdrawn_at.is_null())
            .filter(not(exists(taken_in())))
            .order(last_decisions::id.desc())
    )
}

/// At most `limit` donations and retirements of tablets within reach, in the order of their ids, after `after`: those that
/// are neither withdrawn nor carried out, or all.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    over_too: bool,
    after: Option<LastDecisionId>,
    limit: u32,
) -> Result<Vec<LastDecision>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let mut query = last_decisions::table
            .filter(last_decisions::id.gt(after))
            .filter(last_decisions::kind.ne(LastKind::Theft.as_str()))
            .into_boxed();
        if !over_too {
            let carried_out = departures::table
                .filter(departures::decision_id.eq(last_decisions::id))
                .filter(departures::released_at.is_not_null());
            query = query.filter(last_decisions::withdrawn_at.is_null()).filter(not(exists(carried_out)));
        }
        let tablet = diesel::NullableExpressionMethods::nullable(last_decisions::tablet_id);
        of_tablets_within!(query, within, tablet)
            .order(last_decisions::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The decisions that name this incident, the first one first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_incident(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<LastDecision>, StoreError> {
    read_all!(tx.run(|connection| {
        last_decisions::table
            .filter(last_decisions::incident_id.eq(incident.to_string()))
            .order(last_decisions::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    last_decisions kept as Orders {
        personal(Lending: Loans) { kind, tablet_id, loan_id, incident_id, begun_at, withdrawn_at }
        personal(Lending: Reasons) { reason }
        personal(AccountsAndAudit: Acts) { head_by, head_at, departement_by, departement_at }
        not_personal("a number of ours") { id }
    }
}
