//! Where a lent tablet stands: the one mode that its configuration follows (C5.2.1, C5.2.2, C5.2.5, C5.4.4).

use types::{Day, LoanMode, text_enum};

use crate::agreement::NotAgreed;

text_enum! {
    /// What the collège decided about use at home (C3.3.3).
    AtHome: "decision on use at home" {
        /// Nothing yet: tablets stay at school.
        Undecided = "undecided",
        /// Tablets may go home.
        Allowed = "allowed",
        /// They may not.
        NotAllowed = "not-allowed",
    }
}

/// A recorded restriction of use, until its end (C5.2.5). It says nothing of what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restriction {
    /// Its first day.
    pub from: Day,
    /// Its last day.
    pub until: Day,
}

impl Restriction {
    /// Whether it holds on that day.
    #[must_use]
    pub fn holds(&self, day: Day) -> bool {
        self.from <= day && day <= self.until
    }
}

/// What the mode of a loan follows from.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    /// What the collège decided (C3.3.3).
    pub at_home: AtHome,
    /// Whether the agreement is signed (C5.2.1).
    pub agreed: &'a Result<(), NotAgreed>,
    /// Whether a counterpart keeps this tablet at school (C5.4.4).
    pub kept_at_school: bool,
    /// Whether it is deposited for the summer (C5.2.2).
    pub deposited: bool,
    /// Whether an incident of loss or theft is open.
    pub lost: bool,
    /// Measures that were recorded (C5.2.5).
    pub restrictions: &'a [Restriction],
    /// Whether it should have come back, and was not scanned in.
    pub overdue: bool,
}

/// The mode of a loan on a day. Of several that hold, the first of lost, deposit, restricted, in-school counts; only
/// where none of them does may the tablet go home, and only with both the collège's decision and the signatures.
#[must_use]
pub fn mode(standing: &Standing<'_>, today: Day) -> LoanMode {
    if standing.lost {
        LoanMode::Lost
    } else if standing.deposited {
        LoanMode::Deposit
    } else if standing.overdue || standing.restrictions.iter().any(|restriction| restriction.holds(today)) {
        LoanMode::Restricted
    } else if standing.at_home == AtHome::Allowed && standing.agreed.is_ok() && !standing.kept_at_school {
        LoanMode::TakeHome
    } else {
        LoanMode::InSchool
    }
}
