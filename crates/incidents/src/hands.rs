//! In whose hands a tablet was when what befell it was noticed, and in whose it is now (C5.4.2, M1).
//!
//! Whom an incident concerns is decided by when it was noticed, however late it is declared. What concerned one person locates
//! nobody else: a warrant, lost mode and the erasure of a stolen tablet rest on an incident only as long as nobody else has the
//! tablet.

use types::{Instant, LoanId, PersonId, text_enum};

use crate::Footing;

/// A loan whose holder has a tablet: until somebody receives it, or it is lent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// The loan.
    pub loan: LoanId,
    /// Its holder.
    pub person: PersonId,
    /// When it began.
    pub began_at: Instant,
}

text_enum! {
    /// Whether a tablet is of the collège that its incident is of.
    Home: "whether a tablet is of its incident's collège" {
        /// It is.
        Same = "same",
        /// It is of another, or of none.
        Another = "another",
    }
}

/// What is recorded of a tablet and one of its incidents at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hands {
    /// Who had it when it was noticed: whom the incident concerns.
    pub then: Option<Holding>,
    /// Who has it now.
    pub now: Option<Holding>,
    /// Whether it is of the incident's collège.
    pub home: Home,
}

/// What that means for whatever would rest on the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// Nobody has it, or whom it concerns, by the loan of then.
    Stands,
    /// Whom it concerns has it by a later loan: a paper of before is no paper of this one, and makes no warrant firm (M1).
    LentAnew {
        /// When that loan began.
        began_at: Instant,
    },
    /// Somebody has it whom it does not concern.
    HeldByAnother {
        /// When their loan began.
        began_at: Instant,
    },
    /// It is of another collège now.
    OfAnotherCollege,
}

impl Hands {
    /// Of a tablet that nobody had and nobody has, in its collège.
    pub const NOBODYS: Self = Self { then: None, now: None, home: Home::Same };

    /// What it means now.
    #[must_use]
    pub fn bearing(&self) -> Bearing {
        match (self.home, self.then, self.now) {
            (Home::Another, _, _) => Bearing::OfAnotherCollege,
            (Home::Same, _, None) => Bearing::Stands,
            (Home::Same, Some(then), Some(now)) if then.loan == now.loan => Bearing::Stands,
            (Home::Same, Some(then), Some(now)) if then.person == now.person => {
                Bearing::LentAnew { began_at: now.began_at }
            }
            (Home::Same, _, Some(now)) => Bearing::HeldByAnother { began_at: now.began_at },
        }
    }

    /// When the loan began since which a warrant of that footing counts no more, if there is one.
    #[must_use]
    pub(crate) fn outdates(&self, footing: Footing) -> Option<Instant> {
        match (footing, self.bearing()) {
            (Footing::Firm, Bearing::LentAnew { began_at }) => Some(began_at),
            _ => None,
        }
    }
}

text_enum! {
    /// What became of a tablet after an incident was noticed.
    Since: "what became of a tablet since" {
        /// Nothing that ends what the incident was about.
        Nothing = "nothing",
        /// Somebody received it, or it was given away.
        Received = "received",
        /// It was lent anew.
        Lent = "lent",
        /// It is of another collège.
        Moved = "moved",
    }
}
