//! Tablets given back, from the receipt to the proof that they are empty (C5.3.5, M3).

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::exists;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::Condition;
use lending::loan::{LoanState, Suspension};
use lending::notice::NoticeKind;
use lending::restitution::{Place, Proof, Restitution as Decided, Stage};
use types::{AccountId, DestructionKind, EraseOrderId, Instant, LoanId, RestitutionId, TabletId, Uai};

use crate::column::{read_ids, stored_enum};
use crate::incidents::IncidentState;
use crate::loans::{Loan, Standing};
use crate::many::Insertion;
use crate::notices::NoticeState;
use crate::noun::{by_key, find_all, find_first, hold_first, noun, read_all};
use crate::schema::{destructions, incidents, notices, restitutions};
use crate::within::of_colleges_within;
use crate::{StoreError, Tx, Within};

stored_enum! {
    /// How far a restitution has come.
    StageName {
        /// The tablet is here.
        Received = "received",
        /// Its erasure is ordered.
        Ordered = "ordered",
        /// It was given the command.
        Delivered = "delivered",
        /// It said that it would.
        Acknowledged = "acknowledged",
        /// It is proven empty.
        Erased = "erased",
        /// It is empty, and in stock.
        InStock = "in-stock",
        /// It is empty, and in repair.
        InRepair = "in-repair",
        /// The receipt was a slip.
        Undone = "undone",
    }

    /// Which of the two facts proves that a tablet is empty.
    ProofKind {
        /// A technician's attestation.
        Attested = "attested",
        /// An enrolment that only an erased tablet makes.
        Reenrolled = "reenrolled",
    }
}

noun! {
    /// A restitution.
    pub struct Restitution in restitutions keyed by id {
        /// Its id.
        id: RestitutionId,
        /// The tablet.
        tablet_id: TabletId,
        /// The loan that it ended.
        loan_id: LoanId,
        /// The collège that received it.
        uai: Uai,
        /// When it was received.
        received_at: Instant,
        /// Who received it.
        received_by: AccountId,
        /// What came over the counter with it.
        accessories: BTreeSet<String>,
        /// The state it is in.
        condition: Condition,
        /// The number of its first order: what the brake counted when the receipt was written (M5).
        counted_order_id: EraseOrderId,
        /// When the holder confirmed that their data is saved.
        saved_at: Option<Instant>,
        /// Who recorded that.
        saved_by: Option<AccountId>,
        /// Whether a check keeps it as it is (C5.4.1).
        held_for_check: bool,
        /// How far it has come.
        stage: StageName,
        /// The order that it waits for, or was erased by.
        order_id: Option<EraseOrderId>,
        /// When the tablet said that it would erase itself.
        acknowledged_at: Option<Instant>,
        /// How it is known to be empty.
        proof: Option<ProofKind>,
        /// The technician, or the enrolment, that proves it.
        proof_ref: Option<String>,
        /// When it last went a step.
        changed_at: Instant,
        /// How the loan stood that the receipt ended; `None` for one that was over before, or was received before that was kept.
        loan_stood: Option<Standing>,
        /// Why it rested, if it did.
        loan_suspension: Option<Suspension>,
        /// Since when it stood so.
        loan_since: Option<Instant>,
        /// Since when its tablet lay in deposit, if it did when the loan began to rest.
        loan_deposited_since: Option<Instant>,
    }
}

by_key!(restitutions, Restitution, id: RestitutionId; insert, get, update);

impl Restitution {
    /// With how a loan stands that the receipt is about to end, so that a slip can be undone exactly (C5.2.2, C5.3.6). One that
    /// is over is ended by no receipt.
    #[must_use]
    pub fn ending(self, loan: &Loan) -> Self {
        if loan.state == Standing::Ended {
            return self;
        }
        Self {
            loan_stood: Some(loan.state),
            loan_suspension: loan.suspension,
            loan_since: Some(loan.changed_at),
            loan_deposited_since: loan.deposited_since,
            ..self
        }
    }

    /// How the loan stood before its tablet was received, and since when. What was not kept is as it was taken to be before
    /// it was: lent.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the row does not say why it rested, or since when it stood so.
    pub fn loan_stood(&self) -> Result<(LoanState, Option<Instant>), StoreError> {
        let corrupt =
            |column| StoreError::Corrupt { table: "restitutions", row: self.id.to_string(), column };
        let stood = match self.loan_stood {
            None | Some(Standing::Lent) => LoanState::Lent,
            Some(Standing::Deposited) => {
                LoanState::Deposited { since: self.loan_since.ok_or_else(|| corrupt("loan_since"))? }
            }
            Some(Standing::Suspended) => LoanState::Suspended {
                why: self.loan_suspension.ok_or_else(|| corrupt("loan_suspension"))?,
                deposited: self.loan_deposited_since,
            },
            Some(Standing::Ended) => return Err(corrupt("loan_stood")),
        };
        Ok((stood, self.loan_since))
    }

    /// The restitution that the rules decide on.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the row names no order, or no proof, where its stage has one.
    #[expect(clippy::disallowed_methods, reason = "this is where the facts come from their row")]
    pub fn decided(&self) -> Result<Decided, StoreError> {
        let corrupt =
            |column| StoreError::Corrupt { table: "restitutions", row: self.id.to_string(), column };
        let order = || self.order_id.ok_or_else(|| corrupt("order_id"));
        let proof = || self.proof().ok_or_else(|| corrupt("proof"));
        let stage = match self.stage {
            StageName::Received => Stage::Received,
            StageName::Undone => Stage::Undone,
            StageName::Ordered => Stage::Ordered(order()?),
            StageName::Delivered => Stage::Delivered(order()?),
            StageName::Acknowledged => Stage::Acknowledged {
                order: order()?,
                at: self.acknowledged_at.ok_or_else(|| corrupt("acknowledged_at"))?,
            },
            StageName::Erased => Stage::Erased { order: order()?, proof: proof()? },
            StageName::InStock => Stage::Shelved { order: order()?, proof: proof()?, place: Place::Stock },
            StageName::InRepair => Stage::Shelved { order: order()?, proof: proof()?, place: Place::Repair },
        };
        Ok(Decided::from_row(self.id, self.tablet_id, self.loan_id, self.received_at, stage))
    }

    fn proof(&self) -> Option<Proof> {
        let reference = self.proof_ref.as_ref()?;
        match self.proof? {
            ProofKind::Attested => reference.parse().ok().map(Proof::Attested),
            ProofKind::Reenrolled => reference.parse().ok().map(Proof::Reenrolled),
        }
    }

    /// The row, once the rules decided how far it has come at `at`.
    #[must_use]
    pub fn come_to(&self, decided: &Decided, at: Instant) -> Self {
        let bare = Self {
            order_id: None,
            acknowledged_at: None,
            proof: None,
            proof_ref: None,
            changed_at: at,
            ..self.clone()
        };
        let proven = |stage, order, proof| {
            let (kind, reference) = match proof {
                Proof::Attested(account) => (ProofKind::Attested, account.to_string()),
                Proof::Reenrolled(enrolment) => (ProofKind::Reenrolled, enrolment.to_string()),
            };
            Self {
                stage,
                order_id: Some(order),
                acknowledged_at: self.acknowledged_at,
                proof: Some(kind),
                proof_ref: Some(reference),
                ..bare.clone()
            }
        };
        match *decided.stage() {
            Stage::Received => Self { stage: StageName::Received, ..bare },
            Stage::Undone => Self { stage: StageName::Undone, saved_at: None, saved_by: None, ..bare },
            Stage::Ordered(order) => Self { stage: StageName::Ordered, order_id: Some(order), ..bare },
            Stage::Delivered(order) => Self { stage: StageName::Delivered, order_id: Some(order), ..bare },
            Stage::Acknowledged { order, at } => Self {
                stage: StageName::Acknowledged,
                order_id: Some(order),
                acknowledged_at: Some(at),
                ..bare
            },
            Stage::Erased { order, proof } => proven(StageName::Erased, order, proof),
            Stage::Shelved { order, proof, place: Place::Stock } => proven(StageName::InStock, order, proof),
            Stage::Shelved { order, proof, place: Place::Repair } => {
                proven(StageName::InRepair, order, proof)
            }
        }
    }
}

/// What was not undone.
macro_rules! standing {
    () => {
        restitutions::table.filter(restitutions::stage.ne(StageName::Undone.as_str()))
    };
}

/// The restitution of a loan that was not undone.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_loan(tx: &mut Tx<'_>, loan: LoanId) -> Result<Option<Restitution>, StoreError> {
    find_first!(tx, standing!().filter(restitutions::loan_id.eq(loan.to_string())))
}

/// The latest restitution of a tablet that was not undone.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Restitution>, StoreError> {
    find_first!(
        tx,
        standing!().filter(restitutions::tablet_id.eq(tablet.to_string())).order(restitutions::id.desc())
    )
}

/// As [`of_loan`], for many, in no order: one statement, or none for no loan.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_loans(
    tx: &mut Tx<'_>,
    loans: impl IntoIterator<Item = LoanId>,
) -> Result<Vec<Restitution>, StoreError> {
    find_all!(
        tx,
        restitutions,
        loans.into_iter().map(|one| one.to_string()).collect(),
        restitutions::loan_id,
        restitutions::stage.ne(StageName::Undone.as_str())
    )
}

/// As [`last_of_tablet`], for many: one statement, or none for no tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last_of_tablets(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<BTreeMap<TabletId, Restitution>, StoreError> {
    let mut found: Vec<Restitution> = find_all!(
        tx,
        restitutions,
        tablets.into_iter().map(|one| one.to_string()).collect(),
        restitutions::tablet_id,
        restitutions::stage.ne(StageName::Undone.as_str())
    )?;
    found.sort_by_key(|row| row.id);
    Ok(found.into_iter().map(|row| (row.tablet_id, row)).collect())
}

/// Adds many: one statement, or none for no row.
///
/// # Errors
/// [`StoreError::Duplicate`] if one of these loans has a receipt that was not undone.
pub fn insert_all(tx: &mut Tx<'_>, rows: &[Restitution]) -> Result<(), StoreError> {
    static INSERT: Insertion = Insertion::into("restitutions", "");
    INSERT.rows(tx, rows.iter().map(Stored::of))
}

/// The restitution that an order was given for, held until the end of the transaction: whoever else takes it a step
/// further waits.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_of_order(tx: &mut Tx<'_>, order: EraseOrderId) -> Result<Option<Restitution>, StoreError> {
    hold_first!(tx, restitutions, restitutions::order_id.eq(order.to_string()))
}

/// The restitution of a tablet that an erasure is under way of, held until the end of the transaction.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_under_order(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Restitution>, StoreError> {
    hold_first!(
        tx,
        restitutions,
        restitutions::tablet_id.eq(tablet.to_string()).and(restitutions::stage.eq_any(UNDER_ORDER))
    )
}

const UNDER_ORDER: [&str; 3] =
    [StageName::Ordered.as_str(), StageName::Delivered.as_str(), StageName::Acknowledged.as_str()];

/// The restitutions of these tablets that an erasure is under way of, in no order: one statement, or none for no tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn under_order(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<Vec<Restitution>, StoreError> {
    find_all!(
        tx,
        restitutions,
        tablets.into_iter().map(|one| one.to_string()).collect(),
        restitutions::tablet_id,
        restitutions::stage.eq_any(UNDER_ORDER)
    )
}

/// At most `limit` restitutions within reach, the newest first, from the first one before `before`; only those that are
/// not over, if that is wanted.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    under_way: bool,
    before: Option<RestitutionId>,
    limit: u32,
) -> Result<Vec<Restitution>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        let mut query = restitutions::table
            .filter(restitutions::id.lt(before))
            .order(restitutions::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if under_way {
            query = query.filter(restitutions::stage.eq_any(UNDER_WAY));
        }
        of_colleges_within!(query, within, restitutions::uai.nullable()).load::<Stored>(connection)
    }))
}

/// The stages of what is not over.
const UNDER_WAY: [&str; 5] = [
    StageName::Received.as_str(),
    StageName::Ordered.as_str(),
    StageName::Delivered.as_str(),
    StageName::Acknowledged.as_str(),
    StageName::Erased.as_str(),
];

/// At most `limit` restitutions whose order may be due, from the first one after `after`: received before `before`, held by
/// nothing, counted by the brake and let go, never ordered, and either the data is saved or a notice counts since
/// `told_before`. The rules decide on each.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn ripe(
    tx: &mut Tx<'_>,
    (before, told_before): (Instant, Instant),
    after: Option<RestitutionId>,
    limit: u32,
) -> Result<Vec<RestitutionId>, StoreError> {
    use crate::destructions::DestructionState;
    use crate::schema::erase_orders;
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = tx.run(|connection| {
        let told = notices::table
            .filter(notices::loan_id.eq(restitutions::loan_id))
            .filter(
                notices::kind.ne_all([NoticeKind::RulesChanged, NoticeKind::Deposit].map(NoticeKind::as_str)),
            )
            .filter(notices::state.eq_any([NoticeState::Accepted.as_str(), NoticeState::HandedOver.as_str()]))
            .filter(notices::counted_at.le(told_before.as_millis()));
        let let_go = destructions::table
            .filter(destructions::reference.eq(restitutions::counted_order_id))
            .filter(destructions::kind.eq(DestructionKind::Erase.as_str()))
            .filter(
                destructions::state
                    .eq_any([DestructionState::Counted.as_str(), DestructionState::Released.as_str()]),
            );
        let given = erase_orders::table.filter(erase_orders::id.eq(restitutions::counted_order_id));
        let held = incidents::table
            .filter(incidents::tablet_id.eq(restitutions::tablet_id))
            .filter(incidents::state.eq(IncidentState::Open.as_str()));
        restitutions::table
            .filter(restitutions::stage.eq(StageName::Received.as_str()))
            .filter(restitutions::id.gt(after))
            .filter(restitutions::received_at.le(before.as_millis()))
            .filter(restitutions::held_for_check.eq(false))
            .filter(restitutions::saved_at.is_not_null().or(exists(told)))
            .filter(exists(let_go))
            .filter(diesel::dsl::not(exists(given)))
            .filter(diesel::dsl::not(exists(held)))
            .order(restitutions::id.asc())
            .limit(i64::from(limit))
            .select(restitutions::id)
            .load(connection)
    })?;
    read_ids(ids, "restitutions", "id")
}

/// Gives back every restitution whose order has ended without a proof: another may be ordered. Says how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub(crate) fn give_back(tx: &mut Tx<'_>, at: Instant) -> Result<usize, StoreError> {
    tx.run(|connection| {
        use crate::schema::erase_orders;
        use diesel::JoinOnDsl as _;
        let ended: Vec<String> = restitutions::table
            .inner_join(erase_orders::table.on(restitutions::order_id.eq(erase_orders::id.nullable())))
            .filter(restitutions::stage.eq_any([
                StageName::Ordered.as_str(),
                StageName::Delivered.as_str(),
                StageName::Acknowledged.as_str(),
            ]))
            .filter(erase_orders::state.eq(crate::warrants::OrderState::Ended.as_str()))
            .select(restitutions::id)
            .load(connection)?;
        let mut given_back = 0;
        for id in ended {
            given_back += diesel::update(restitutions::table.find(id))
                .set((
                    restitutions::stage.eq(StageName::Received.as_str()),
                    restitutions::order_id.eq(None::<String>),
                    restitutions::acknowledged_at.eq(None::<i64>),
                    restitutions::changed_at.eq(at.as_millis()),
                ))
                .execute(connection)?;
        }
        Ok(given_back)
    })
}

crate::declared::declares! {
    restitutions kept as Loans {
        personal(Lending: Loans) {
            tablet_id, loan_id, uai, received_at, accessories, condition, saved_at, held_for_check, stage, order_id,
            acknowledged_at, proof, changed_at, loan_stood, loan_suspension, loan_since, loan_deposited_since,
        }
        personal(AccountsAndAudit: Acts) { received_by, saved_by, proof_ref }
        not_personal("numbers of ours") { id, counted_order_id }
    }
}
