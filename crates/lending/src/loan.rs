//! A loan, from its handover to its end (C5.1.1, C5.2, C5.3.1, C5.3.6).
//!
//! A loan never makes the holder an owner, and nothing in its life erases a tablet: not a suspension, not a deposit, not
//! its end. Only a restitution leads there.

use types::{Day, Instant, LoanId, PersonId, RuleId, TabletId, UserKind, text_enum};

use crate::calendar::DEPOSITS_BEFORE;
use crate::readiness::Ready;
use crate::{Reason, Reference, Refused, SchoolYear};

text_enum! {
    /// Why a loan rests while it goes on.
    Suspension: "suspension" {
        /// The head had the tablet confiscated (C5.3.6).
        Confiscated = "confiscated",
        /// An incident about the tablet is open (C5.4.2).
        Incident = "incident",
        /// The tablet is being repaired (C5.4.5).
        Repair = "repair",
    }

    /// Who ends a loan by letter (C5.2.4).
    LetterWriter: "writer of the letter" {
        /// The user.
        User = "user",
        /// The guardians.
        Guardians = "guardians",
    }
}

impl Suspension {
    /// Whether the tablet still counts as the one that its holder may have (C5.3.1): a confiscated one does, so that
    /// nobody gets another by it.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Confiscated)
    }
}

/// Why a loan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The user left the collège: it ended by itself (C5.2.3).
    Left(Day),
    /// The user is not on the list of the new school year (C9.1).
    NoLongerListed,
    /// The département ended it (C5.2.4).
    Departement(Reason),
    /// The user or the guardians did, by registered letter to the head (C5.2.4).
    Letter {
        /// Who wrote.
        from: LetterWriter,
        /// The date of the letter.
        dated: Day,
        /// Its reference.
        reference: Reference,
    },
    /// A breach of the conditions; the misconduct itself is not recorded (C5.2.5).
    Breach,
    /// The tablet was given back before anything else ended the loan.
    GivenBack,
    /// Another tablet took its place: a repair that was an exchange, or a replacement (C5.4.4, C5.4.5).
    Replaced,
    /// The tablet was given to its holder (C5.1.2).
    GivenAway,
}

impl Ending {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Left(_) => "left",
            Self::NoLongerListed => "no-longer-listed",
            Self::Departement(_) => "departement",
            Self::Letter { from: LetterWriter::User, .. } => "letter-of-the-user",
            Self::Letter { from: LetterWriter::Guardians, .. } => "letter-of-the-guardians",
            Self::Breach => "breach",
            Self::GivenBack => "given-back",
            Self::Replaced => "replaced",
            Self::GivenAway => "given-away",
        }
    }

    /// The rule it comes from.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        match self {
            Self::Left(_) => RuleId::C5_2_3,
            Self::NoLongerListed => RuleId::C9_1,
            Self::Departement(_) | Self::Letter { .. } => RuleId::C5_2_4,
            Self::Breach => RuleId::C5_2_5,
            Self::GivenBack => RuleId::C5_3_5,
            Self::Replaced => RuleId::C5_4_4,
            Self::GivenAway => RuleId::C5_1_2,
        }
    }
}

/// Where a loan stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoanState {
    /// The holder has the tablet.
    Lent,
    /// The collège keeps the tablet over the summer (C5.2.2).
    Deposited {
        /// Since when.
        since: Instant,
    },
    /// It rests.
    Suspended {
        /// Why.
        why: Suspension,
        /// Since when the collège kept the tablet over the summer, if it did when the loan began to rest: it goes on as it
        /// stood (C5.2.2).
        deposited: Option<Instant>,
    },
    /// It is over.
    Ended {
        /// Since when.
        at: Instant,
        /// Why.
        because: Ending,
    },
}

impl LoanState {
    /// How a loan stands whose holder has the tablet, unless the collège keeps it since then.
    const fn lent_or_deposited(deposited: Option<Instant>) -> Self {
        match deposited {
            None => Self::Lent,
            Some(since) => Self::Deposited { since },
        }
    }

    /// In words, for whoever is told that something cannot be done.
    #[must_use]
    pub const fn in_words(&self) -> &'static str {
        match self {
            Self::Lent => "lent",
            Self::Deposited { .. } => "deposited for the summer",
            Self::Suspended { .. } => "suspended",
            Self::Ended { .. } => "over",
        }
    }
}

/// A loan of one tablet to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loan {
    loan: LoanId,
    tablet: TabletId,
    holder: PersonId,
    kind: UserKind,
    state: LoanState,
}

impl Loan {
    /// The loan that a handover begins.
    #[must_use]
    pub fn begin(_ready: &Ready, loan: LoanId, tablet: TabletId, holder: PersonId, kind: UserKind) -> Self {
        Self { loan, tablet, holder, kind, state: LoanState::Lent }
    }

    /// A loan as its row holds it. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        loan: LoanId,
        tablet: TabletId,
        holder: PersonId,
        kind: UserKind,
        state: LoanState,
    ) -> Self {
        Self { loan, tablet, holder, kind, state }
    }

    /// Its id.
    #[must_use]
    pub fn loan(&self) -> LoanId {
        self.loan
    }

    /// The tablet.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// Who holds it.
    #[must_use]
    pub fn holder(&self) -> PersonId {
        self.holder
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> &LoanState {
        &self.state
    }

    /// Whether it goes on.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        !matches!(self.state, LoanState::Ended { .. })
    }

    /// Whether its holder may be lent no other tablet because of it (C5.3.1).
    #[must_use]
    pub fn counts(&self) -> bool {
        match &self.state {
            LoanState::Lent | LoanState::Deposited { .. } => true,
            LoanState::Suspended { why, .. } => why.counts(),
            LoanState::Ended { .. } => false,
        }
    }

    fn to(&self, state: LoanState) -> Self {
        Self { state, ..self.clone() }
    }

    fn refused<T>(&self, what: &'static str, rule: RuleId) -> Result<T, Refused> {
        Err(Refused::LoanStands { loan: self.loan, what, is: self.state.in_words(), rule })
    }

    /// Suspends it: nothing is erased (C5.3.6). One that rests for its incident may go on resting for a repair: what broke is
    /// sent to its supplier.
    ///
    /// # Errors
    /// [`Refused::LoanStands`] if it is suspended otherwise, or over.
    pub fn suspend(&self, why: Suspension) -> Result<Self, Refused> {
        match (&self.state, why) {
            (LoanState::Lent, _) => Ok(self.to(LoanState::Suspended { why, deposited: None })),
            (LoanState::Deposited { since }, _) => {
                Ok(self.to(LoanState::Suspended { why, deposited: Some(*since) }))
            }
            (LoanState::Suspended { why: Suspension::Incident, deposited }, Suspension::Repair) => {
                Ok(self.to(LoanState::Suspended { why, deposited: *deposited }))
            }
            (LoanState::Suspended { .. } | LoanState::Ended { .. }, _) => {
                self.refused("suspended", RuleId::C5_3_6)
            }
        }
    }

    /// Whether it rests for an incident.
    pub(crate) fn rests_for_an_incident(&self) -> bool {
        matches!(self.state, LoanState::Suspended { why: Suspension::Incident, .. })
    }

    /// Its tablet is back from the supplier, and the incident for which it rested before is still open: it rests for that
    /// again.
    pub(crate) fn rests_for_its_incident_again(&self) -> Self {
        let deposited = match self.state {
            LoanState::Suspended { deposited, .. } => deposited,
            LoanState::Lent | LoanState::Deposited { .. } | LoanState::Ended { .. } => None,
        };
        self.to(LoanState::Suspended { why: Suspension::Incident, deposited })
    }

    /// It goes on as it stood before it rested: the holder has the same tablet again, or the collège keeps it over the summer
    /// as it did (C5.2.2). Not if they were lent another meanwhile that counts (C5.3.1).
    ///
    /// # Errors
    /// [`Refused::LoanStands`] if it is not suspended; [`Refused::HoldsAnother`].
    pub fn resume(&self, holds_another: Option<LoanId>) -> Result<Self, Refused> {
        match (&self.state, holds_another) {
            (LoanState::Suspended { .. }, Some(other)) => Err(Refused::HoldsAnother(other)),
            (LoanState::Suspended { deposited, .. }, None) => {
                Ok(self.to(LoanState::lent_or_deposited(*deposited)))
            }
            _ => self.refused("resumed", RuleId::C5_3_1),
        }
    }

    /// A pupil's tablet is handed in for the summer (C5.2.2): custody changes, the loan goes on, nothing is erased.
    ///
    /// # Errors
    /// [`Refused::NotAPupil`], [`Refused::NotSummer`] before the last fortnight of the year, or
    /// [`Refused::LoanStands`].
    pub fn deposit(&self, year: &SchoolYear, now: Instant) -> Result<Self, Refused> {
        let today = Day::of(now);
        if self.kind != UserKind::Pupil {
            return Err(Refused::NotAPupil);
        }
        if today < year.summer_starts_on().plus(-DEPOSITS_BEFORE) || year.last_day() < today {
            return Err(Refused::NotSummer { summer: year.summer_starts_on() });
        }
        match self.state {
            LoanState::Lent => Ok(self.to(LoanState::Deposited { since: now })),
            _ => self.refused("deposited", RuleId::C5_2_2),
        }
    }

    /// The same pupil gets the same tablet, with the same data, once the summer is over (C5.2.2).
    ///
    /// # Errors
    /// [`Refused::StillSummer`] or [`Refused::LoanStands`].
    pub fn hand_out_again(&self, year: Option<&SchoolYear>, now: Instant) -> Result<Self, Refused> {
        let today = Day::of(now);
        match self.state {
            LoanState::Deposited { .. } if year.is_some_and(|year| year.is_summer(today)) => {
                Err(Refused::StillSummer)
            }
            LoanState::Deposited { .. } => Ok(self.to(LoanState::Lent)),
            _ => self.refused("handed out again", RuleId::C5_2_2),
        }
    }

    /// Whether the use of its tablet may be restricted until a day (C5.2.5): at the latest until the school year is over, for
    /// which alone the list and the agreement run (C9.1), and until its holder leaves, when it ends by itself (C5.2.3).
    ///
    /// # Errors
    /// [`Refused::LoanStands`] if it is over; [`Refused::RestrictedTooLong`].
    pub fn may_be_restricted(
        &self,
        until: Day,
        year: &SchoolYear,
        leaves_on: Option<Day>,
    ) -> Result<(), Refused> {
        if !self.goes_on() {
            return self.refused("restricted", RuleId::C5_2_5);
        }
        let last = leaves_on.map_or_else(|| year.last_day(), |leaves| leaves.min(year.last_day()));
        if until > last { Err(Refused::RestrictedTooLong { last }) } else { Ok(()) }
    }

    /// Ends it. The tablet is due back; nothing is erased by that.
    ///
    /// # Errors
    /// [`Refused::LoanStands`] if it is over; [`Refused::LetterFromTheFuture`]; [`Refused::NotTheirs`] for a letter of
    /// somebody whom C5.2.4 does not name: a pupil's loan is ended by the pupil or the guardians, another's by the user.
    pub fn end(&self, because: Ending, at: Instant) -> Result<Self, Refused> {
        if !self.goes_on() {
            return self.refused("ended", because.rule());
        }
        if let Ending::Letter { from, dated, .. } = &because {
            if *dated > Day::of(at) {
                return Err(Refused::LetterFromTheFuture(*dated));
            }
            if *from == LetterWriter::Guardians && self.kind != UserKind::Pupil {
                return Err(Refused::NotTheirs);
            }
        }
        Ok(self.to(LoanState::Ended { at, because }))
    }

    /// The receipt that ended it was a slip: it stands as it `stood` before the tablet was scanned, as if nothing had been. It
    /// does not rest any more for an incident that was closed meanwhile, unless its holder was lent another tablet.
    ///
    /// # Errors
    /// [`Refused::LoanStands`] if no receipt ended it; [`Refused::HoldsAnother`] if it would count, and its holder was lent
    /// another tablet meanwhile that does (C5.3.1).
    pub fn goes_on_after_a_slip(
        &self,
        stood: &LoanState,
        incident_open: bool,
        holds_another: Option<LoanId>,
    ) -> Result<Self, Refused> {
        let by_a_receipt = matches!(self.state, LoanState::Ended { because: Ending::GivenBack, .. });
        if !by_a_receipt || matches!(stood, LoanState::Ended { .. }) {
            return self.refused("taken up again", RuleId::C5_3_5);
        }
        let again = match stood {
            LoanState::Suspended { why: Suspension::Incident, deposited }
                if !incident_open && holds_another.is_none() =>
            {
                self.to(LoanState::lent_or_deposited(*deposited))
            }
            stood => self.to(stood.clone()),
        };
        match holds_another {
            Some(other) if again.counts() => Err(Refused::HoldsAnother(other)),
            _ => Ok(again),
        }
    }
}
