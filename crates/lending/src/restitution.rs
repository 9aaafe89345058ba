//! A tablet that came back: from its receipt to the proof that it is empty (C5.3.5, C5.4.1, M3).
//!
//! ```text
//! received ─ (waits for the notice) ─> ordered ─> delivered ─> acknowledged ─> proven erased ─> in stock | in repair
//!    └─> undone, as long as nothing was ordered
//! ```
//!
//! Acknowledged is not erased: a tablet that says *I will* has not done it yet. Two facts prove it, and they are kept
//! apart: a technician's attestation, and an enrolment that could only follow this order's erasure.

use types::{
    AccountId, Duration, EnrolmentId, EraseOrderId, IncidentId, Instant, LoanId, RestitutionId, RuleId,
    TabletId, text_enum,
};

use crate::Refused;

/// How long after a receipt an erasure may first be ordered: a slip of the scanner can be undone.
pub const SECOND_THOUGHTS: Duration = Duration::from_secs(60);

/// What keeps a tablet that came back as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// An incident about it is open.
    Incident(IncidentId),
    /// It was called in for a check, or an update (C5.4.1).
    Check,
    /// An authority asked for it.
    Authority(IncidentId),
    /// An incident about it is open, and it was found: nobody wants it empty any more.
    Found(IncidentId),
}

impl Hold {
    /// The rule behind it.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        match self {
            Self::Incident(_) | Self::Found(_) => RuleId::C5_4_2,
            Self::Check => RuleId::C5_4_1,
            Self::Authority(_) => RuleId::M1,
        }
    }
}

/// How it is known that a tablet is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A technician saw it.
    Attested(AccountId),
    /// It enrolled again as only an erased tablet can.
    Reenrolled(EnrolmentId),
}

/// An enrolment that may prove an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reenrolment {
    /// The enrolment.
    pub enrolment: EnrolmentId,
    /// When it began.
    pub at: Instant,
    /// The order whose token it brought: the one rendered into that order's return-to-service profile.
    pub token_of: Option<EraseOrderId>,
    /// Whether it was automated, and awaits its configuration: the tablet sits at its first screens.
    pub awaits_configuration: bool,
}

text_enum! {
    /// Where an erased tablet goes.
    Place: "place" {
        /// Into stock.
        Stock = "in-stock",
        /// Into repair.
        Repair = "in-repair",
    }
}

/// How far a restitution has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is here. Nothing was ordered.
    Received,
    /// Its erasure is ordered.
    Ordered(EraseOrderId),
    /// The tablet was given the command.
    Delivered(EraseOrderId),
    /// The tablet said that it would.
    Acknowledged {
        /// By which order.
        order: EraseOrderId,
        /// When.
        at: Instant,
    },
    /// It is empty.
    Erased {
        /// By which order.
        order: EraseOrderId,
        /// How that is known.
        proof: Proof,
    },
    /// It is empty, and somewhere.
    Shelved {
        /// By which order it was erased.
        order: EraseOrderId,
        /// How that is known.
        proof: Proof,
        /// Where it is.
        place: Place,
    },
    /// The receipt was a slip, and taken back.
    Undone,
}

impl Stage {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Ordered(_) => "ordered",
            Self::Delivered(_) => "delivered",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Erased { .. } => "erased",
            Self::Shelved { place, .. } => place.as_str(),
            Self::Undone => "undone",
        }
    }

    /// Whether the tablet is known to hold nobody's data by this restitution.
    #[must_use]
    pub const fn is_proven_erased(&self) -> bool {
        matches!(self, Self::Erased { .. } | Self::Shelved { .. })
    }
}

/// A restitution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restitution {
    restitution: RestitutionId,
    tablet: TabletId,
    loan: LoanId,
    received_at: Instant,
    stage: Stage,
}

impl Restitution {
    /// A tablet is received.
    #[must_use]
    pub fn receive(restitution: RestitutionId, tablet: TabletId, loan: LoanId, now: Instant) -> Self {
        Self { restitution, tablet, loan, received_at: now, stage: Stage::Received }
    }

    /// A restitution as its row holds it. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        restitution: RestitutionId,
        tablet: TabletId,
        loan: LoanId,
        received_at: Instant,
        stage: Stage,
    ) -> Self {
        Self { restitution, tablet, loan, received_at, stage }
    }

    /// Its id.
    #[must_use]
    pub fn restitution(&self) -> RestitutionId {
        self.restitution
    }

    /// The tablet.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// The loan that it ends.
    #[must_use]
    pub fn loan(&self) -> LoanId {
        self.loan
    }

    /// When the tablet was received.
    #[must_use]
    pub fn received_at(&self) -> Instant {
        self.received_at
    }

    /// How far it has come.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    fn to(&self, stage: Stage) -> Self {
        Self { stage, ..self.clone() }
    }

    fn refused<T>(&self, what: &'static str) -> Result<T, Refused> {
        Err(Refused::RestitutionStands { restitution: self.restitution, what, is: self.stage.as_str() })
    }

    /// Takes the receipt back. The loan goes on as if nothing had been scanned.
    ///
    /// # Errors
    /// [`Refused::RestitutionStands`] once an erasure was ordered.
    pub fn undo(&self) -> Result<Self, Refused> {
        match self.stage {
            Stage::Received => Ok(self.to(Stage::Undone)),
            _ => self.refused("undone"),
        }
    }

    /// Its erasure was ordered.
    ///
    /// # Errors
    /// [`Refused::RestitutionStands`] if one is ordered already, or it is over.
    pub fn ordered(&self, order: EraseOrderId) -> Result<Self, Refused> {
        match self.stage {
            Stage::Received => Ok(self.to(Stage::Ordered(order))),
            _ => self.refused("ordered to be erased"),
        }
    }

    /// The order ended without a proof: it expired, was withdrawn, or a restore voided it. Another may be given. That the
    /// tablet said it would erase itself stays in the history of the order.
    ///
    /// # Errors
    /// [`Refused::RestitutionStands`] if this order is not the one that it waits for.
    pub fn order_ended(&self, ended: EraseOrderId) -> Result<Self, Refused> {
        match self.stage {
            Stage::Ordered(order) | Stage::Delivered(order) | Stage::Acknowledged { order, .. }
                if order == ended =>
            {
                Ok(self.to(Stage::Received))
            }
            _ => self.refused("freed of that order"),
        }
    }

    /// The tablet was given the command.
    ///
    /// # Errors
    /// [`Refused::RestitutionStands`] if another order stands, or none.
    pub fn delivered(&self, by: EraseOrderId) -> Result<Self, Refused> {
        match self.stage {
            Stage::Ordered(order) | Stage::Delivered(order) if order == by => {
                Ok(self.to(Stage::Delivered(order)))
            }
            // It was given again: a report that was lost.
            Stage::Acknowledged { order, .. } if order == by => Ok(self.clone()),
            _ => self.refused("delivered"),
        }
    }

    /// The tablet said that it would erase itself.
    ///
    /// # Errors
    /// [`Refused::RestitutionStands`] if it was not given this order's command.
    pub fn acknowledged(&self, by: EraseOrderId, at: Instant) -> Result<Self, Refused> {
        match self.stage {
            Stage::Delivered(order) if order == by => Ok(self.to(Stage::Acknowledged { order, at })),
            Stage::Acknowledged { order, .. } if order == by => Ok(self.clone()),
            _ => self.refused("acknowledged"),
        }
    }

    /// The tablet said that it could not. The order stands, and may be carried out again or by hand.
    ///
    /// # Errors
    /// [`Refused::RestitutionStands`] if it was not given this order's command.
    pub fn failed(&self, by: EraseOrderId) -> Result<Self, Refused> {
        match self.stage {
            Stage::Delivered(order) if order == by => Ok(self.to(Stage::Ordered(order))),
            _ => self.refused("failed"),
        }
    }

    /// A technician attests that the tablet is empty: by hand or not, it was erased by this order, which `stands`, or under
    /// which the tablet said that it would.
    ///
    /// # Errors
    /// [`Refused::RestitutionStands`] without such an order: nobody erases without one (M3).
    pub fn attest(&self, technician: AccountId, stands: bool) -> Result<Self, Refused> {
        match self.stage {
            Stage::Ordered(_) | Stage::Delivered(_) if !stands => Err(Refused::RestitutionStands {
                restitution: self.restitution,
                what: "attested to be empty",
                is: "under an order that is over: have its erasure ordered again",
            }),
            Stage::Ordered(order) | Stage::Delivered(order) | Stage::Acknowledged { order, .. } => {
                Ok(self.to(Stage::Erased { order, proof: Proof::Attested(technician) }))
            }
            _ => self.refused("attested to be empty"),
        }
    }

    /// Whether an enrolment proves the erasure: it follows the Acknowledged of the order, and either brings the token
    /// that was rendered into that order's return-to-service profile, or is automated and awaits its configuration. A
    /// link or an agent that enrols again proves nothing (M3).
    #[must_use]
    pub fn prove(&self, reenrolment: &Reenrolment) -> Option<Self> {
        let Stage::Acknowledged { order, at } = self.stage else { return None };
        let follows = reenrolment.at > at;
        let as_erased = reenrolment.token_of == Some(order) || reenrolment.awaits_configuration;
        (follows && as_erased)
            .then(|| self.to(Stage::Erased { order, proof: Proof::Reenrolled(reenrolment.enrolment) }))
    }

    /// The empty tablet is put somewhere.
    ///
    /// # Errors
    /// [`Refused::RestitutionStands`] if it is not proven empty.
    pub fn shelve(&self, place: Place) -> Result<Self, Refused> {
        match self.stage {
            Stage::Erased { order, proof } | Stage::Shelved { order, proof, .. } => {
                Ok(self.to(Stage::Shelved { order, proof, place }))
            }
            _ => self.refused("put into stock or repair"),
        }
    }
}
