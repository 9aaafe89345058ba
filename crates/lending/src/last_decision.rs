//! Decisions on the end of a tablet's life here: a donation, a retirement, or the erasure of a stolen one (C5.1.2, M3).
//!
//! The program states facts and never decides. Whom a decision takes, it takes in person.

use types::{AccountId, IncidentId, Instant, LastDecisionId, LoanId, RuleId, TabletId, text_enum};

use crate::list::Signed;
use crate::{Reason, Refused};

text_enum! {
    /// What was decided.
    LastKind: "decision on the end of a tablet's life here" {
        /// It is given to the 3e pupil who holds it (C5.1.2).
        Donation = "donation",
        /// It leaves the stock.
        Retirement = "retirement",
        /// It was stolen, and is erased wherever it is.
        Theft = "theft",
    }
}

impl LastKind {
    /// Whether the head takes part: they propose a donation, and decide on a theft with the département.
    #[must_use]
    pub const fn takes_the_head(self) -> bool {
        matches!(self, Self::Donation | Self::Theft)
    }

    const fn rule(self) -> RuleId {
        match self {
            Self::Donation => RuleId::C5_1_2,
            Self::Retirement | Self::Theft => RuleId::M3,
        }
    }
}

/// What the program knows of a pupil's years with a tablet. It is shown to whoever proposes and decides, and decides
/// nothing (C5.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DonationFacts {
    /// Whether a counterpart *no donation* stands (C5.4.4).
    pub donation_ruled_out: bool,
    /// Whether an incident is open.
    pub incident_open: bool,
    /// Whether a sum was fixed and not paid (C5.4.4).
    pub counterpart_unpaid: bool,
    /// One yes or no for each year of loan: was the tablet managed responsibly?
    pub years: Vec<bool>,
}

/// A decision, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDecision {
    decision: LastDecisionId,
    kind: LastKind,
    tablet: TabletId,
    loan: Option<LoanId>,
    incident: Option<IncidentId>,
    reason: Reason,
    head: Option<Signed>,
    departement: Option<Signed>,
    withdrawn: bool,
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The tablet.
    pub tablet: TabletId,
    /// The loan of the pupil who would get it, or from whom it was stolen.
    pub loan: Option<LoanId>,
    /// The theft.
    pub incident: Option<IncidentId>,
    /// Why.
    pub reason: Reason,
}

impl LastDecision {
    /// A decision is begun. It is in force when everybody whom it takes has signed.
    ///
    /// # Errors
    /// [`Refused::NoSubject`] for a donation without the loan of whoever gets the tablet, or a theft without its
    /// incident.
    pub fn begin(decision: LastDecisionId, kind: LastKind, about: About) -> Result<Self, Refused> {
        let missing = match kind {
            LastKind::Donation if about.loan.is_none() => Some("the loan of the pupil who gets the tablet"),
            LastKind::Theft if about.incident.is_none() => Some("the incident of the theft"),
            LastKind::Donation | LastKind::Theft | LastKind::Retirement => None,
        };
        if let Some(names) = missing {
            return Err(Refused::NoSubject { names, rule: kind.rule() });
        }
        let About { tablet, loan, incident, reason } = about;
        Ok(Self {
            decision,
            kind,
            tablet,
            loan,
            incident,
            reason,
            head: None,
            departement: None,
            withdrawn: false,
        })
    }

    /// A decision as its row holds it. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn from_row(
        decision: LastDecisionId,
        kind: LastKind,
        about: About,
        signed: (Option<Signed>, Option<Signed>),
        withdrawn: bool,
    ) -> Result<Self, Refused> {
        let (head, departement) = signed;
        Ok(Self { head, departement, withdrawn, ..Self::begin(decision, kind, about)? })
    }

    /// The head signs: proposes a donation, or decides on a theft.
    ///
    /// # Errors
    /// [`Refused::NotTheirDecision`] on a retirement; [`Refused::SamePerson`]; [`Refused::Withdrawn`].
    pub fn sign_as_head(self, by: AccountId, at: Instant) -> Result<Self, Refused> {
        if !self.kind.takes_the_head() {
            return Err(Refused::NotTheirDecision);
        }
        self.unwithdrawn()?;
        if self.departement.is_some_and(|signed| signed.by == by) {
            return Err(Refused::SamePerson);
        }
        Ok(Self { head: Some(self.head.unwrap_or(Signed { by, at })), ..self })
    }

    /// The département decides. Where the head proposes, it decides on their proposal.
    ///
    /// # Errors
    /// [`Refused::NotProposed`] for a donation that no head proposed; [`Refused::SamePerson`]; [`Refused::Withdrawn`].
    pub fn sign_as_departement(self, by: AccountId, at: Instant) -> Result<Self, Refused> {
        self.unwithdrawn()?;
        if self.kind == LastKind::Donation && self.head.is_none() {
            return Err(Refused::NotProposed);
        }
        if self.head.is_some_and(|signed| signed.by == by) {
            return Err(Refused::SamePerson);
        }
        Ok(Self { departement: Some(self.departement.unwrap_or(Signed { by, at })), ..self })
    }

    /// Takes it back. Orders that rest on it stand no more.
    #[must_use]
    pub fn withdraw(self) -> Self {
        Self { withdrawn: true, ..self }
    }

    fn unwithdrawn(&self) -> Result<(), Refused> {
        if self.withdrawn { Err(Refused::Withdrawn) } else { Ok(()) }
    }

    /// Since when it is in force; `None` as long as a signature is missing, or once it was taken back.
    #[must_use]
    pub fn in_force_since(&self) -> Option<Instant> {
        let departement = self.departement.filter(|_| !self.withdrawn)?.at;
        if self.kind.takes_the_head() { Some(departement.max(self.head?.at)) } else { Some(departement) }
    }

    /// Its id.
    #[must_use]
    pub fn decision(&self) -> LastDecisionId {
        self.decision
    }

    /// What was decided.
    #[must_use]
    pub fn kind(&self) -> LastKind {
        self.kind
    }

    /// The tablet.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// The loan it is about.
    #[must_use]
    pub fn loan(&self) -> Option<LoanId> {
        self.loan
    }

    /// The theft.
    #[must_use]
    pub fn incident(&self) -> Option<IncidentId> {
        self.incident
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The head's signature.
    #[must_use]
    pub fn head(&self) -> Option<Signed> {
        self.head
    }

    /// The département's signature.
    #[must_use]
    pub fn departement(&self) -> Option<Signed> {
        self.departement
    }

    /// Whether it was taken back.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn
    }
}
