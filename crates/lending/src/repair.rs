//! A tablet's stay at its supplier's: what becomes of its loan meanwhile, and when it, or another, comes back (C5.3.1,
//! C5.4.4, C5.4.5).
//!
//! Nothing here erases. A tablet that comes back to the person who held it comes back with their data; one whose loan ended
//! meanwhile is received like any other, and is lent to nobody before it is proven empty.

use types::{Day, Instant, LoanId, RepairId, TabletId};

use crate::Refused;
use crate::loan::{Ending, Loan, LoanState, Suspension};
use crate::school_year::SchoolYear;

/// How a repair ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The tablet came back.
    Back,
    /// The supplier kept it, and another came in its place: the one it was never comes back.
    Exchanged {
        /// The tablet that came.
        by: TabletId,
    },
}

/// A tablet before it is sent.
#[derive(Debug, Clone)]
pub struct ToSend<'a> {
    /// The tablet.
    pub tablet: TabletId,
    /// The loan that goes on with it.
    pub going_on: Option<&'a Loan>,
    /// Whether its loan is over, and nobody received it.
    pub awaited: bool,
    /// Whether the supplier has it, or has kept it.
    pub away: bool,
    /// Whether an authority asked for it.
    pub asked_for: bool,
}

/// A stay at the supplier's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    repair: RepairId,
    tablet: TabletId,
    loan: Option<LoanId>,
    outcome: Option<Outcome>,
}

/// What becomes of a loan whose tablet is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Afterwards {
    /// Its holder has it again, with their data; during the summer break it is kept for them.
    Resumes(Loan),
    /// It ended meanwhile: the tablet is to be received, and to be proven empty before anybody is lent it.
    ToBeReceived,
    /// It was lent to nobody.
    InStock,
}

impl Repair {
    /// The tablet is sent. Its loan rests, so that its holder may be lent another (C5.3.1).
    ///
    /// # Errors
    /// [`Refused::NotSent`] for a tablet that is not there, or that an authority asked for; [`Refused::LoanStands`] for one
    /// whose loan rests already: whoever confiscated it gives it back first.
    pub fn send(repair: RepairId, what: &ToSend<'_>) -> Result<(Self, Option<Loan>), Refused> {
        if what.away {
            return Err(Refused::NotSent("the supplier has it already, or has kept it"));
        }
        if what.awaited {
            return Err(Refused::NotSent("its loan is over and nobody received it: receive it first"));
        }
        if what.asked_for {
            return Err(Refused::NotSent("an authority asked for it"));
        }
        let rests = what.going_on.map(|loan| loan.suspend(Suspension::Repair)).transpose()?;
        let loan = rests.as_ref().map(Loan::loan);
        Ok((Self { repair, tablet: what.tablet, loan, outcome: None }, rests))
    }

    /// A repair as its row holds it. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        repair: RepairId,
        tablet: TabletId,
        loan: Option<LoanId>,
        outcome: Option<Outcome>,
    ) -> Self {
        Self { repair, tablet, loan, outcome }
    }

    /// Its id.
    #[must_use]
    pub fn repair(&self) -> RepairId {
        self.repair
    }

    /// The tablet.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// The loan that rests.
    #[must_use]
    pub fn loan(&self) -> Option<LoanId> {
        self.loan
    }

    /// How it ended, if it did.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    fn ends(&self, outcome: Outcome) -> Result<Self, Refused> {
        let is = match self.outcome {
            None => return Ok(Self { outcome: Some(outcome), ..self.clone() }),
            Some(Outcome::Back) => "the tablet came back",
            Some(Outcome::Exchanged { .. }) => "the supplier kept the tablet, and another came in its place",
        };
        Err(Refused::RepairOver { repair: self.repair, is })
    }

    /// The tablet came back. Its holder has it again, unless they still hold another that counts: that one is given back
    /// in the same act (C5.3.1). A pupil's that comes back during the summer break is kept like any other: it was handed in
    /// before it was sent, or is by that (C5.2.2).
    ///
    /// # Errors
    /// [`Refused::RepairOver`]; [`Refused::HoldsAnother`].
    pub fn back(
        &self,
        loan: Option<&Loan>,
        holds_another: Option<LoanId>,
        (year, now): (Option<&SchoolYear>, Instant),
    ) -> Result<(Self, Afterwards), Refused> {
        let over = self.ends(Outcome::Back)?;
        let afterwards = match loan.map(|loan| (loan, loan.state())) {
            None => Afterwards::InStock,
            Some((loan, LoanState::Suspended(Suspension::Repair))) => {
                let resumed = loan.resume(holds_another)?;
                let summer = year.filter(|year| year.is_summer(Day::of(now)));
                match summer.map(|year| resumed.deposit(year, now)) {
                    None | Some(Err(Refused::NotAPupil)) => Afterwards::Resumes(resumed),
                    Some(kept) => Afterwards::Resumes(kept?),
                }
            }
            Some((_, _over_or_otherwise)) => Afterwards::ToBeReceived,
        };
        Ok((over, afterwards))
    }

    /// The supplier kept the tablet, and another came in its place. Its loan ends by that: the tablet that came is handed
    /// over like any other, once it is ready (C5.4.4).
    ///
    /// # Errors
    /// [`Refused::RepairOver`].
    pub fn exchanged(
        &self,
        by: TabletId,
        loan: Option<&Loan>,
        now: Instant,
    ) -> Result<(Self, Option<Loan>), Refused> {
        let over = self.ends(Outcome::Exchanged { by })?;
        let ended =
            loan.filter(|loan| loan.goes_on()).map(|loan| loan.end(Ending::Replaced, now)).transpose()?;
        Ok((over, ended))
    }
}
