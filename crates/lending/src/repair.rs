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
    /// Whether it is missing: an incident of it is open, by which nobody has it.
    pub missing: bool,
    /// Whether an authority asked for it.
    pub asked_for: bool,
}

/// A stay at the supplier's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    repair: RepairId,
    tablet: TabletId,
    loan: Option<LoanId>,
    rested: bool,
    outcome: Option<Outcome>,
}

/// What becomes of a loan whose tablet is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Afterwards {
    /// Its holder has it again, with their data; during the summer break it is kept for them.
    Resumes(Loan),
    /// The incident for which it rested before the tablet was sent is still open: it rests for that again.
    Rests(Loan),
    /// It ended meanwhile: the tablet is to be received, and to be proven empty before anybody is lent it.
    ToBeReceived,
    /// It was lent to nobody.
    InStock,
}

impl Repair {
    /// The tablet is sent. Its loan rests, so that its holder may be lent another (C5.3.1); it may rest already for the incident
    /// in which the tablet broke.
    ///
    /// # Errors
    /// [`Refused::NotSent`] for a tablet that is not there, or that an authority asked for; [`Refused::LoanStands`] for one
    /// that was confiscated: whoever did gives it back first.
    pub fn send(repair: RepairId, what: &ToSend<'_>) -> Result<(Self, Option<Loan>), Refused> {
        if what.away {
            return Err(Refused::NotSent("the supplier has it already, or has kept it"));
        }
        // Such an incident counts as one of a missing tablet too.
        if what.asked_for {
            return Err(Refused::NotSent("an authority asked for it"));
        }
        if what.missing {
            return Err(Refused::NotSent(
                "it is missing: once it is found, record that in its incident first",
            ));
        }
        if what.awaited {
            return Err(Refused::NotSent("its loan is over and nobody received it: receive it first"));
        }
        let rests = what.going_on.map(|loan| loan.suspend(Suspension::Repair)).transpose()?;
        let loan = rests.as_ref().map(Loan::loan);
        let rested = what.going_on.is_some_and(Loan::rests_for_an_incident);
        Ok((Self { repair, tablet: what.tablet, loan, rested, outcome: None }, rests))
    }

    /// A repair as its row holds it. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        repair: RepairId,
        tablet: TabletId,
        (loan, rested): (Option<LoanId>, bool),
        outcome: Option<Outcome>,
    ) -> Self {
        Self { repair, tablet, loan, rested, outcome }
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

    /// Whether that loan rested already, for an incident.
    #[must_use]
    pub fn rested(&self) -> bool {
        self.rested
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
    /// in the same act (C5.3.1). What lay in deposit before it was sent lies there again, and a pupil's that comes back during
    /// the summer break is handed in by that (C5.2.2). A loan that rested for an incident rests again while that is open, and
    /// while its holder has the tablet that replaced this one: the head says which of the two goes on.
    ///
    /// # Errors
    /// [`Refused::RepairOver`]; [`Refused::HoldsAnother`].
    pub fn back(
        &self,
        loan: Option<&Loan>,
        (holds_another, incident_open): (Option<LoanId>, bool),
        (year, now): (Option<&SchoolYear>, Instant),
    ) -> Result<(Self, Afterwards), Refused> {
        let over = self.ends(Outcome::Back)?;
        let afterwards = match loan.map(|loan| (loan, loan.state())) {
            None => Afterwards::InStock,
            Some((loan, LoanState::Suspended { why: Suspension::Repair, .. }))
                if self.rested && (incident_open || holds_another.is_some()) =>
            {
                Afterwards::Rests(loan.rests_for_its_incident_again())
            }
            Some((loan, LoanState::Suspended { why: Suspension::Repair, .. })) => {
                let resumed = loan.resume(holds_another)?;
                let is_lent = *resumed.state() == LoanState::Lent;
                let summer = year.filter(|year| is_lent && year.is_summer(Day::of(now)));
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
