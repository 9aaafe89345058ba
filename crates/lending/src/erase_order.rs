//! The order to erase a tablet, and the proof that it stands (C5.3.5, M3).
//!
//! Two steps, of which neither is enough. [`grant`] looks at what an order would rest on and gives a [`NewOrder`], which
//! is only good to be written down. [`EraseOrder::read_back`] makes the proof, from the row and the present: when the
//! command is queued, and again at the moment of delivery.

use types::{
    Duration, EnrolmentId, EraseOrderId, Instant, LastDecisionId, LoanId, RestitutionId, RuleId, TabletId,
};

use crate::InvalidText;
use crate::last_decision::{LastDecision, LastKind};
use crate::notice::{Told, Wait};
use crate::restitution::{Hold, Restitution, SECOND_THOUGHTS, Stage};

const DAY: Duration = Duration::from_secs(86_400);

/// How long an erasure waits for the holder, and how long an order lasts: the département's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EraseTerms {
    notice: Duration,
    lasts: Duration,
}

impl Default for EraseTerms {
    fn default() -> Self {
        Self { notice: DAY.saturating_mul(14), lasts: DAY.saturating_mul(30) }
    }
}

impl EraseTerms {
    /// Other terms than 14 days of notice and 30 of validity.
    ///
    /// # Errors
    /// [`InvalidText`] for a notice that is not from 1 to 60 days, or a validity that is not from 1 to 90.
    pub fn new(notice_days: u16, lasts_days: u16) -> Result<Self, InvalidText> {
        if !(1..=60).contains(&notice_days) || !(1..=90).contains(&lasts_days) {
            return Err(InvalidText::new("term of erasures", "1 to 60 days of notice, 1 to 90 of validity"));
        }
        Ok(Self {
            notice: DAY.saturating_mul(u32::from(notice_days)),
            lasts: DAY.saturating_mul(u32::from(lasts_days)),
        })
    }

    /// How long after the first notice an erasure waits.
    #[must_use]
    pub const fn notice(&self) -> Duration {
        self.notice
    }
}

/// What an order serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A restitution.
    Restitution {
        /// Its receipt.
        restitution: RestitutionId,
        /// The loan that it ended.
        loan: LoanId,
    },
    /// A donation, to the holder of a loan.
    Donation {
        /// The decision.
        decision: LastDecisionId,
        /// The loan.
        loan: LoanId,
    },
    /// A retirement.
    Retirement {
        /// The decision.
        decision: LastDecisionId,
    },
    /// A theft that the head and the département both decided to answer so.
    Theft {
        /// The decision.
        decision: LastDecisionId,
        /// The loan from which it was stolen, if it was lent.
        loan: Option<LoanId>,
    },
}

impl Cause {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Restitution { .. } => "restitution",
            Self::Donation { .. } => "donation",
            Self::Retirement { .. } => "retirement",
            Self::Theft { .. } => "theft",
        }
    }

    /// The loan it serves.
    #[must_use]
    pub const fn loan(&self) -> Option<LoanId> {
        match self {
            Self::Restitution { loan, .. } | Self::Donation { loan, .. } => Some(*loan),
            Self::Theft { loan, .. } => *loan,
            Self::Retirement { .. } => None,
        }
    }

    /// Whether the tablet may be erased although this loan goes on: a pupil keeps what is given to them, and a stolen
    /// tablet is erased away from its holder. What came back was given back, and what is retired is nobody's.
    fn allows(&self, going_on: LoanId) -> bool {
        match self {
            Self::Donation { loan, .. } => *loan == going_on,
            Self::Theft { loan, .. } => *loan == Some(going_on),
            Self::Restitution { .. } | Self::Retirement { .. } => false,
        }
    }
}

/// A tablet at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The tablet.
    pub tablet: TabletId,
    /// Its enrolment that is in use.
    pub enrolment: Option<EnrolmentId>,
    /// The loan that goes on with it.
    pub loan: Option<LoanId>,
    /// What keeps it as it is.
    pub holds: Vec<Hold>,
}

/// What an order would rest on.
#[derive(Debug)]
pub enum Grounds<'a> {
    /// A receipt, and what the holder was told.
    Restitution(&'a Restitution, &'a Told),
    /// A decision; for a donation also what the holder was told.
    Decision(&'a LastDecision, &'a Told),
}

/// Why no erasure is ordered, or none carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotErased {
    /// The receipt was just written: it may have been a slip.
    #[error("the receipt may still have been a slip; the erasure can be ordered from {0} on")]
    SecondThoughts(Instant),
    /// The holder has time to save their data.
    #[error("the holder has until {0} to save their data, unless they confirm that it is saved")]
    WithinNotice(Instant),
    /// The holder was not told.
    #[error(
        "no notice has reached the holder: send one, hand over the letter, or record that their data is saved"
    )]
    NotTold,
    /// Something keeps the tablet as it is.
    #[error("the tablet is kept as it is: {}", hold_in_words(.0))]
    Held(Hold),
    /// The restitution is elsewhere.
    #[error("the restitution is {0}: its erasure is not to be ordered")]
    Stands(&'static str),
    /// The decision is not in force.
    #[error("the decision is not in force: a signature is missing, or it was taken back")]
    NotDecided,
    /// The tablet is lent.
    #[error("the tablet is lent (loan {0}): an order never outlives the loan that it serves")]
    Lent(LoanId),
    /// It is another tablet, or another enrolment of it.
    #[error("the order is about another tablet, or another enrolment of it: it was enrolled again since")]
    Another,
    /// The order ended.
    #[error("the order has ended")]
    Ended,
    /// Its window is not open.
    #[error("the order holds from {from} until {until}")]
    OutsideWindow {
        /// The first instant.
        from: Instant,
        /// The first instant that is no longer of it.
        until: Instant,
    },
    /// What it rested on is gone.
    #[error(
        "what the order rested on is gone: the receipt was undone, the decision taken back, the tablet found or the incident \
         closed"
    )]
    GroundsGone,
}

fn hold_in_words(hold: &Hold) -> String {
    match hold {
        Hold::Incident(incident) => format!("incident {incident} is open"),
        Hold::Check => "it was called in for a check (C5.4.1)".to_owned(),
        Hold::Authority(incident) => format!("an authority asked for it (incident {incident})"),
        Hold::Found(incident) => format!("it was found, and incident {incident} is still open"),
    }
}

impl NotErased {
    /// The rule behind it.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        match self {
            Self::WithinNotice(_) | Self::NotTold => RuleId::C5_3_5,
            Self::Held(hold) => hold.rule(),
            _ => RuleId::M3,
        }
    }
}

/// An order that may be written down. It erases nothing: see [`EraseOrder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    order: EraseOrderId,
    tablet: TabletId,
    enrolment: Option<EnrolmentId>,
    cause: Cause,
    not_before: Instant,
    expires_at: Instant,
}

impl NewOrder {
    /// Its id.
    #[must_use]
    pub fn order(&self) -> EraseOrderId {
        self.order
    }

    /// The only tablet it is about.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// The only enrolment it is about, if the tablet has one.
    #[must_use]
    pub fn enrolment(&self) -> Option<EnrolmentId> {
        self.enrolment
    }

    /// What it serves.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The first instant at which the tablet may be erased.
    #[must_use]
    pub fn not_before(&self) -> Instant {
        self.not_before
    }

    /// The first instant at which it no longer may.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.expires_at
    }
}

/// Gives an order, if what it would rest on is there now: a receipt that was not a slip and a notice whose time has
/// passed, or a decision that is in force (M3).
///
/// # Errors
/// [`NotErased`] with what is missing, and until when.
pub fn grant(
    order: EraseOrderId,
    grounds: &Grounds<'_>,
    present: &Present,
    terms: &EraseTerms,
    now: Instant,
) -> Result<NewOrder, NotErased> {
    let (tablet, cause) = match grounds {
        Grounds::Restitution(receipt, _) => {
            if *receipt.stage() != Stage::Received {
                return Err(NotErased::Stands(receipt.stage().as_str()));
            }
            let offered = receipt.received_at().plus(SECOND_THOUGHTS);
            if now < offered {
                return Err(NotErased::SecondThoughts(offered));
            }
            let cause = Cause::Restitution { restitution: receipt.restitution(), loan: receipt.loan() };
            (receipt.tablet(), cause)
        }
        Grounds::Decision(decision, _) => {
            let (id, loan) = (decision.decision(), decision.loan());
            let cause = match (decision.kind(), loan) {
                (LastKind::Donation, Some(loan)) => Cause::Donation { decision: id, loan },
                (LastKind::Donation, None) => return Err(NotErased::NotDecided),
                (LastKind::Retirement, _) => Cause::Retirement { decision: id },
                (LastKind::Theft, loan) => Cause::Theft { decision: id, loan },
            };
            (decision.tablet(), cause)
        }
    };
    if present.tablet != tablet {
        return Err(NotErased::Another);
    }
    grounds.stand(present, terms, now)?;
    nothing_in_the_way(cause, present)?;
    Ok(NewOrder {
        order,
        tablet,
        enrolment: present.enrolment,
        cause,
        not_before: now,
        expires_at: now.plus(terms.lasts),
    })
}

impl Grounds<'_> {
    /// Whether what an order rests on is there: when it is given, and each time it is carried out. A mail that bounces
    /// after the order was given is no notice any more.
    fn stand(&self, present: &Present, terms: &EraseTerms, now: Instant) -> Result<(), NotErased> {
        match self {
            Self::Restitution(receipt, told) => {
                told_in_time(told, receipt.loan(), receipt.received_at(), terms, now)
            }
            Self::Decision(decision, told) => {
                let since =
                    decision.in_force_since().filter(|since| *since <= now).ok_or(NotErased::NotDecided)?;
                match (decision.kind(), decision.loan(), decision.incident()) {
                    (LastKind::Donation, Some(loan), _) => told_in_time(told, loan, since, terms, now),
                    (LastKind::Theft, _, Some(theft)) if !present.holds.contains(&Hold::Incident(theft)) => {
                        Err(NotErased::GroundsGone)
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// Whether they are those of this order, and where the restitution stands is where it would be.
    fn are_of(&self, order: EraseOrderId, cause: Cause) -> bool {
        match (self, cause) {
            (Self::Restitution(receipt, _), Cause::Restitution { restitution, loan }) => {
                let stands = matches!(
                    receipt.stage(),
                    Stage::Ordered(of) | Stage::Delivered(of) | Stage::Acknowledged { order: of, .. } if *of == order
                );
                stands && receipt.restitution() == restitution && receipt.loan() == loan
            }
            (
                Self::Decision(of, _),
                Cause::Donation { decision, .. }
                | Cause::Retirement { decision }
                | Cause::Theft { decision, .. },
            ) => of.decision() == decision,
            (Self::Restitution(..), _) | (Self::Decision(..), Cause::Restitution { .. }) => false,
        }
    }
}

fn told_in_time(
    told: &Told,
    loan: LoanId,
    since: Instant,
    terms: &EraseTerms,
    now: Instant,
) -> Result<(), NotErased> {
    match told.wait(loan, since, terms.notice) {
        Wait::ForANotice => Err(NotErased::NotTold),
        Wait::Until(instant) if now < instant => Err(NotErased::WithinNotice(instant)),
        Wait::Until(_) => Ok(()),
    }
}

/// No loan but the one that the order serves, and nothing that keeps the tablet as it is. The theft itself is the open
/// incident that an order to erase a stolen tablet rests on; an authority's request or a check keeps even that, for what is
/// on the tablet may be evidence.
fn nothing_in_the_way(cause: Cause, present: &Present) -> Result<(), NotErased> {
    if let Some(loan) = present.loan.filter(|loan| !cause.allows(*loan)) {
        return Err(NotErased::Lent(loan));
    }
    let stolen = matches!(cause, Cause::Theft { .. });
    let held = present.holds.iter().find(|hold| !(stolen && matches!(hold, Hold::Incident(_))));
    held.map_or(Ok(()), |hold| Err(NotErased::Held(*hold)))
}

/// The facts of an order as its row holds them. Not yet a proof: [`EraseOrder::read_back`] checks them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedOrder {
    order: EraseOrderId,
    tablet: TabletId,
    enrolment: Option<EnrolmentId>,
    cause: Cause,
    open: bool,
    window: (Instant, Instant),
}

impl RecordedOrder {
    /// The facts of one row. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        order: EraseOrderId,
        of: (TabletId, Option<EnrolmentId>),
        cause: Cause,
        open: bool,
        window: (Instant, Instant),
    ) -> Self {
        Self { order, tablet: of.0, enrolment: of.1, cause, open, window }
    }
}

/// An erase order in force: what every erasure needs (C5.3.5, M3).
///
/// It is only ever read back from a row, against the present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseOrder {
    order: EraseOrderId,
    tablet: TabletId,
    not_before: Instant,
    expires_at: Instant,
}

impl EraseOrder {
    /// Checks what a row says against what it rests on and the tablet as it is now: an order that was given for another
    /// enrolment or an earlier loan erases nothing (T-A19).
    ///
    /// # Errors
    /// [`NotErased`] with what has changed.
    pub fn read_back(
        recorded: &RecordedOrder,
        grounds: &Grounds<'_>,
        present: &Present,
        terms: &EraseTerms,
        now: Instant,
    ) -> Result<Self, NotErased> {
        let (not_before, expires_at) = recorded.window;
        if !recorded.open {
            return Err(NotErased::Ended);
        }
        if !grounds.are_of(recorded.order, recorded.cause) {
            return Err(NotErased::GroundsGone);
        }
        if recorded.tablet != present.tablet
            || recorded.enrolment.is_some_and(|enrolment| present.enrolment != Some(enrolment))
        {
            return Err(NotErased::Another);
        }
        if now < not_before || expires_at <= now {
            return Err(NotErased::OutsideWindow { from: not_before, until: expires_at });
        }
        grounds.stand(present, terms, now)?;
        nothing_in_the_way(recorded.cause, present)?;
        Ok(Self { order: recorded.order, tablet: recorded.tablet, not_before, expires_at })
    }

    /// The order that was given.
    #[must_use]
    pub fn order(&self) -> EraseOrderId {
        self.order
    }

    /// The only tablet it erases.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// The first instant at which the tablet may be erased.
    #[must_use]
    pub fn not_before(&self) -> Instant {
        self.not_before
    }

    /// The first instant at which it no longer may.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.expires_at
    }
}
