//! The way out of a tablet that is given away or retired, once that was decided (C5.1.2, M3, M4).
//!
//! ```text
//! decided ─> ordered ─> proven erased ─> let go (a second person) ─> out of management ─> released ─> (taken in again)
//! ```
//!
//! What cannot be undone comes last. Until a second person has signed, the decision can be taken back, and the tablet is an
//! empty one of the inventory.

use types::{AccountId, EraseOrderId, Instant, LastDecisionId};

use crate::Refused;
use crate::restitution::{Proof, Reenrolment};

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Nothing was ordered.
    Decided,
    /// Its erasure is ordered.
    Ordered(EraseOrderId),
    /// It is proven empty.
    Erased {
        /// By which order.
        order: EraseOrderId,
        /// How that is known.
        proof: Proof,
    },
    /// A second person signed: it leaves management.
    LetGo,
    /// It was released from the owner's accounts, and its activation lock is off. It is over.
    Released,
    /// Somebody took it into the inventory again.
    TakenIn,
}

impl Way {
    /// The word that is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Ordered(_) => "ordered",
            Self::Erased { .. } => "erased",
            Self::LetGo => "let-go",
            Self::Released => "released",
            Self::TakenIn => "taken-in",
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::Decided => "its erasure is not ordered yet",
            Self::Ordered(_) => "its erasure is ordered, and not proven",
            Self::Erased { .. } => "it is proven empty; a second person signs next",
            Self::LetGo => "a second person signed; its release is attested next",
            Self::Released => "it was released: it is over",
            Self::TakenIn => "it was taken into the inventory again: begin another decision",
        }
    }
}

/// A departure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    decision: LastDecisionId,
    way: Way,
}

impl Departure {
    /// A decision is in force: nothing was done yet.
    #[must_use]
    pub const fn begin(decision: LastDecisionId) -> Self {
        Self { decision, way: Way::Decided }
    }

    /// A departure as its row holds it. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub const fn from_row(decision: LastDecisionId, way: Way) -> Self {
        Self { decision, way }
    }

    /// The decision.
    #[must_use]
    pub const fn decision(&self) -> LastDecisionId {
        self.decision
    }

    /// How far it has come.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.way
    }

    const fn to(&self, way: Way) -> Self {
        Self { decision: self.decision, way }
    }

    fn refused<T>(&self, what: &'static str) -> Result<T, Refused> {
        Err(Refused::DepartureStands { what, is: self.way.in_words() })
    }

    /// Its erasure was ordered; once more, if the order before ended without a proof.
    ///
    /// # Errors
    /// [`Refused::DepartureStands`] once it is proven empty.
    pub fn ordered(&self, order: EraseOrderId) -> Result<Self, Refused> {
        match self.way {
            Way::Decided | Way::Ordered(_) => Ok(self.to(Way::Ordered(order))),
            Way::Erased { .. } | Way::LetGo | Way::Released | Way::TakenIn => {
                self.refused("ordered to be erased")
            }
        }
    }

    /// Whether its data may still be saved: whoever gets it can say that it is.
    ///
    /// # Errors
    /// [`Refused::DepartureStands`] once it is proven empty.
    pub fn keeps_its_data(&self) -> Result<(), Refused> {
        match self.way {
            Way::Decided | Way::Ordered(_) => Ok(()),
            Way::Erased { .. } | Way::LetGo | Way::Released | Way::TakenIn => self.refused("saved"),
        }
    }

    /// Somebody takes a tablet that has left into the inventory again: it may enrol, and be lent once it is proven empty of
    /// whoever had it.
    ///
    /// # Errors
    /// [`Refused::DepartureStands`] for one that has not left, or was taken in before.
    pub fn take_in(&self) -> Result<Self, Refused> {
        match self.way {
            Way::Released => Ok(self.to(Way::TakenIn)),
            _ => self.refused("taken into the inventory again"),
        }
    }

    /// A technician attests that it is empty: by hand or not, it was erased by its order, which `stands`, or under which the
    /// tablet said that it erases itself.
    ///
    /// # Errors
    /// [`Refused::DepartureStands`] without such an order: nobody erases without one (M3).
    pub fn attest(&self, technician: AccountId, stands: bool) -> Result<Self, Refused> {
        match self.way {
            Way::Ordered(_) if !stands => Err(Refused::DepartureStands {
                what: "attested to be empty",
                is: "its order is over: have its erasure ordered again",
            }),
            Way::Ordered(order) => Ok(self.to(Way::Erased { order, proof: Proof::Attested(technician) })),
            _ => self.refused("attested to be empty"),
        }
    }

    /// Whether an enrolment proves the erasure: it follows what the tablet acknowledged of its order, and either brings the
    /// token of that order, or is automated and awaits its configuration (M3).
    #[must_use]
    pub fn prove(&self, acknowledged: Option<Instant>, reenrolment: &Reenrolment) -> Option<Self> {
        let Way::Ordered(order) = self.way else { return None };
        let follows = acknowledged.is_some_and(|at| reenrolment.at > at);
        let as_erased = reenrolment.token_of == Some(order) || reenrolment.awaits_configuration;
        let proof = Proof::Reenrolled(reenrolment.enrolment);
        (follows && as_erased).then(|| self.to(Way::Erased { order, proof }))
    }

    /// A second person signed: what cannot be undone begins.
    ///
    /// # Errors
    /// [`Refused::DepartureStands`] for a tablet that is not proven empty.
    pub fn let_go(&self) -> Result<Self, Refused> {
        match self.way {
            Way::Erased { .. } => Ok(self.to(Way::LetGo)),
            _ => self.refused("let go"),
        }
    }

    /// Somebody attests that it was released from the owner's accounts, and that its activation lock is off. That comes
    /// last: a tablet that is still managed is not released.
    ///
    /// # Errors
    /// [`Refused::DepartureStands`].
    pub fn release(&self, managed: bool) -> Result<Self, Refused> {
        match self.way {
            Way::LetGo if managed => Err(Refused::DepartureStands {
                what: "released",
                is: "it is still managed: it is told that it leaves when it connects",
            }),
            Way::LetGo => Ok(self.to(Way::Released)),
            _ => self.refused("released"),
        }
    }

    /// Whether the decision can still be taken back.
    ///
    /// # Errors
    /// [`Refused::DepartureStands`] once it was let go.
    pub fn take_back(&self) -> Result<(), Refused> {
        match self.way {
            Way::Decided | Way::Ordered(_) | Way::Erased { .. } => Ok(()),
            Way::LetGo | Way::Released | Way::TakenIn => self.refused("kept"),
        }
    }
}
