//! Location warrants: how one is granted, and the proof that one request for a position rests on (M1).

use types::{AccountId, Duration, IncidentId, Instant, TabletId, ValidationId, WarrantId, text_enum};

use crate::papers::{self, DUE_WITHIN};
use crate::position::{Dropped, Fix, Kept, Position};
use crate::{Asked, Bearing, Hands, Incident, Limits, NotOpen, RecordedIncident, Refusal, SecondPerson};

/// What a warrant is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub author: AccountId,
    /// Why.
    pub reason: String,
    /// How long, how often, how closely.
    pub asked: Asked,
}

text_enum! {
    /// How firmly a warrant stands.
    Footing: "footing of a warrant" {
        /// The papers are there, and of the loan that stands.
        Firm = "firm",
        /// The complaint or the letter is still awaited, or was noticed before the loan that stands: it ends 48 hours after the
        /// declaration.
        Provisional = "provisional",
    }
}

/// A warrant as it is granted, to be recorded. Not a proof: [`Warrant`] is read back from the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The incident it rests on.
    pub incident: IncidentId,
    /// The only tablet it lets anyone locate.
    pub tablet: TabletId,
    /// Who asked.
    pub author: AccountId,
    /// Who granted it.
    pub second: AccountId,
    /// Why.
    pub reason: String,
    /// The entry of the register that allows it (C3.1.6).
    pub validation: ValidationId,
    /// Whether it waits for a paper.
    pub footing: Footing,
    /// The warrant that it goes on from.
    pub extends: Option<WarrantId>,
    /// The first instant it covers.
    pub opens_at: Instant,
    /// The first instant it no longer covers.
    pub expires_at: Instant,
    /// How many positions it lets be asked for.
    pub fixes: u32,
    /// How far apart two requests lie, at least.
    pub interval: Duration,
}

/// All that a warrant is granted on.
#[derive(Debug, Clone, Copy)]
pub struct Petition<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// In whose hands its tablet was, and is.
    pub hands: &'a Hands,
    /// What is asked for, and by whom.
    pub request: &'a Request,
    /// Who grants it.
    pub second: &'a SecondPerson,
    /// The DPO's validation of geolocation, if one is in force (C3.1.6).
    pub validation: Option<ValidationId>,
    /// The latest warrant that the incident had.
    pub last: Option<WarrantId>,
    /// What is configured.
    pub limits: &'a Limits,
}

impl Petition<'_> {
    /// Grants the first warrant of an incident.
    ///
    /// # Errors
    /// [`Refusal`], each with its rule.
    pub fn grant(&self, now: Instant) -> Result<Grant, Refusal> {
        match self.last {
            Some(_) => Err(Refusal::HadOne),
            None => self.decide(now),
        }
    }

    /// Extends the latest warrant of an incident, whether it runs or has ended: a new one, from now, with a reason and
    /// a second person of its own. The one before ends by it, and the interval is kept across both ([`Asking`]).
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn extend(&self, now: Instant) -> Result<Grant, Refusal> {
        match self.last {
            Some(_) => self.decide(now),
            None => Err(Refusal::NothingToExtend),
        }
    }

    fn decide(&self, now: Instant) -> Result<Grant, Refusal> {
        let Self { incident, hands, request, second, .. } = self;
        if !incident.kind.is_of_a_missing_tablet() {
            return Err(Refusal::WrongKind { kind: incident.kind });
        }
        if !incident.state.is_open() {
            return Err(Refusal::Closed);
        }
        if !incident.state.is_sought() {
            return Err(Refusal::NotSought { state: incident.state });
        }
        match hands.bearing() {
            Bearing::Stands | Bearing::LentAnew { .. } => {}
            Bearing::HeldByAnother { began_at } => return Err(Refusal::HeldByAnother { began_at }),
            Bearing::OfAnotherCollege => return Err(Refusal::OfAnotherCollege),
        }
        let validation = self.validation.ok_or(Refusal::NotValidated)?;
        if request.reason.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        is_another(incident, request.author, second)?;
        let asked = self.limits.admit(request.asked)?;
        let (footing, expires_at) = until(incident, hands, now.plus(asked.lasts), now)?;
        Ok(Grant {
            incident: incident.id,
            tablet: incident.tablet,
            author: request.author,
            second: second.account(),
            reason: request.reason.trim().to_owned(),
            validation,
            footing,
            extends: self.last,
            opens_at: now,
            expires_at,
            fixes: asked.fixes,
            interval: asked.interval,
        })
    }
}

/// The second person is neither who asks nor who declared, and a head is the tablet's own.
fn is_another(incident: &Incident, author: AccountId, second: &SecondPerson) -> Result<(), Refusal> {
    if second.account() == author {
        return Err(Refusal::GrantsToThemselves);
    }
    if second.account() == incident.declarant.0 {
        return Err(Refusal::GrantsAsDeclarant);
    }
    match second {
        SecondPerson::Head { uai, .. } if *uai != incident.college => Err(Refusal::HeadOfAnother),
        SecondPerson::Head { .. } | SecondPerson::Operator { .. } => Ok(()),
    }
}

/// Until when it lasts: without its paper, or if it was noticed before the loan that stands, 48 hours from the declaration at the
/// most.
fn until(
    incident: &Incident,
    hands: &Hands,
    asked: Instant,
    now: Instant,
) -> Result<(Footing, Instant), Refusal> {
    let since = incident.declared_at.plus(DUE_WITHIN);
    let over = match (hands.outdates(Footing::Firm), papers::wanting(incident)) {
        (Some(began_at), _) => {
            Refusal::NoticedBeforeTheLoan { noticed_at: incident.noticed_at, began_at, since }
        }
        (None, Some(paper)) => Refusal::PaperMissing { paper, since },
        (None, None) => return Ok((Footing::Firm, asked)),
    };
    if now >= since { Err(over) } else { Ok((Footing::Provisional, asked.min(since))) }
}

/// The facts of a warrant as its row holds them. Not yet a proof: [`Basis::to_ask`] and [`Basis::at_delivery`] check
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedWarrant {
    warrant: WarrantId,
    incident: IncidentId,
    tablet: TabletId,
    opens_at: Instant,
    expires_at: Instant,
    ended_at: Option<Instant>,
    fixes: u32,
    interval: Duration,
    footing: Footing,
}

impl RecordedWarrant {
    /// The facts of one row. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(warrant: WarrantId, granted: &Grant, ended_at: Option<Instant>) -> Self {
        let Grant { incident, tablet, opens_at, expires_at, fixes, interval, footing, .. } = *granted;
        Self { warrant, incident, tablet, opens_at, expires_at, ended_at, fixes, interval, footing }
    }
}

/// What a request for a position rests on, as it is recorded at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The warrant.
    pub warrant: &'a RecordedWarrant,
    /// Its incident.
    pub incident: &'a RecordedIncident,
    /// The DPO's validation of geolocation, if one is in force (C3.1.6).
    pub validation: Option<ValidationId>,
    /// The tablet in question.
    pub tablet: TabletId,
}

impl Basis<'_> {
    /// Passes if the warrant is in force for this tablet.
    fn in_force(&self, now: Instant) -> Result<(), NotInForce> {
        let RecordedWarrant { warrant, incident, tablet, opens_at, expires_at, ended_at, footing, .. } =
            *self.warrant;
        if incident != self.incident.incident() || tablet != self.tablet {
            return Err(NotInForce::OfAnother { warrant });
        }
        self.incident.carries(tablet, now)?;
        if !self.incident.state().is_sought() {
            return Err(NotInForce::NotSought { warrant });
        }
        if let Some(began_at) = self.incident.hands().outdates(footing) {
            return Err(NotInForce::NotFirm { warrant, began_at });
        }
        if self.validation.is_none() {
            return Err(NotInForce::NotValidated { warrant });
        }
        if now < opens_at {
            return Err(NotInForce::InTheFuture { warrant, opens_at, now });
        }
        // One that was ended is over, whatever the clock of the machine that ended it said.
        match ended_at {
            Some(ended_at) => Err(NotInForce::Over { warrant, at: ended_at.min(expires_at) }),
            None if expires_at <= now => Err(NotInForce::Over { warrant, at: expires_at }),
            None => Ok(()),
        }
    }

    /// Lets one more position be asked for now.
    ///
    /// # Errors
    /// [`NotInForce`]; within it [`Refusal::UsedUp`] and [`Refusal::TooSoon`].
    pub fn to_ask(&self, asking: Asking, now: Instant) -> Result<Warrant, NotInForce> {
        self.in_force(now)?;
        let RecordedWarrant { fixes, interval, .. } = *self.warrant;
        if asking.under_this_warrant >= fixes {
            return Err(Refusal::UsedUp { fixes }.into());
        }
        let next_at = asking.last_at.map(|at| at.plus(interval));
        match next_at.filter(|next_at| *next_at > now) {
            Some(next_at) => Err(Refusal::TooSoon { next_at }.into()),
            None => Ok(Warrant::of(self.warrant)),
        }
    }

    /// Lets a request that was made under the warrant be delivered now: it was counted when it was made.
    ///
    /// # Errors
    /// [`NotInForce`].
    pub fn at_delivery(&self, now: Instant) -> Result<Warrant, NotInForce> {
        self.in_force(now)?;
        Ok(Warrant::of(self.warrant))
    }

    /// Accepts the answer to a request that awaits one, or says why it is dropped before it is stored.
    ///
    /// # Errors
    /// [`Dropped`].
    pub fn accept(&self, fix: &Fix, kept: Kept, now: Instant) -> Result<Position, Dropped> {
        self.in_force(now)?;
        if kept.under_this_warrant >= self.warrant.fixes {
            return Err(Dropped::BeyondTheNumber);
        }
        if kept.last_at.is_some_and(|at| at.plus(self.warrant.interval) > now) {
            return Err(Dropped::BeyondTheInterval);
        }
        Position::plausible(fix, self.warrant.opens_at, now)
    }
}

/// Why a recorded warrant proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInForce {
    /// Its incident does not carry it.
    #[error(transparent)]
    NotOpen(#[from] NotOpen),
    /// It is about another incident or another tablet.
    #[error("warrant {warrant} is about another tablet or another incident")]
    OfAnother {
        /// The warrant.
        warrant: WarrantId,
    },
    /// The tablet is no longer looked for.
    #[error("the tablet of warrant {warrant} is no longer looked for")]
    NotSought {
        /// The warrant.
        warrant: WarrantId,
    },
    /// It was firm by a paper of before the loan that stands now.
    #[error(
        "warrant {warrant} rests on what was noticed before the loan that began at {began_at}: it is firm no more"
    )]
    NotFirm {
        /// The warrant.
        warrant: WarrantId,
        /// When that loan began.
        began_at: Instant,
    },
    /// The DPO took the validation of geolocation back.
    #[error("geolocation is off: the DPO withdrew it; warrant {warrant} lets nobody locate")]
    NotValidated {
        /// The warrant.
        warrant: WarrantId,
    },
    /// It opens later than now.
    #[error("warrant {warrant} opens at {opens_at}, later than now ({now}); check the clock")]
    InTheFuture {
        /// The warrant.
        warrant: WarrantId,
        /// When it says it opens.
        opens_at: Instant,
        /// The present.
        now: Instant,
    },
    /// It is over.
    #[error("warrant {warrant} ended at {at}")]
    Over {
        /// The warrant.
        warrant: WarrantId,
        /// When.
        at: Instant,
    },
    /// Its requests are used up, or the next one may not be made yet.
    #[error(transparent)]
    NotYet(#[from] Refusal),
}

/// What was asked for before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asking {
    /// How many positions this warrant was used for.
    pub under_this_warrant: u32,
    /// When one was last asked for, under any warrant of the incident.
    pub last_at: Option<Instant>,
}

/// A location warrant in force: what every request for a position needs (C5.4.3, M1).
///
/// It is only ever read back from its row ([`Basis`]): with the requests before it when one more is to be queued, and
/// again when that is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warrant {
    warrant: WarrantId,
    incident: IncidentId,
    tablet: TabletId,
    opens_at: Instant,
    expires_at: Instant,
}

impl Warrant {
    const fn of(recorded: &RecordedWarrant) -> Self {
        let RecordedWarrant { warrant, incident, tablet, opens_at, expires_at, .. } = *recorded;
        Self { warrant, incident, tablet, opens_at, expires_at }
    }

    /// The warrant that was granted.
    #[must_use]
    pub fn warrant(&self) -> WarrantId {
        self.warrant
    }

    /// The open incident it rests on.
    #[must_use]
    pub fn incident(&self) -> IncidentId {
        self.incident
    }

    /// The only tablet it lets anyone locate.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// The first instant it covers.
    #[must_use]
    pub fn opens_at(&self) -> Instant {
        self.opens_at
    }

    /// The first instant it no longer covers.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.expires_at
    }
}
