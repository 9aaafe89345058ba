//! Why the rules of incidents refuse.

mod words;

use types::{Day, Duration, IncidentId, IncidentKind, Instant, RuleId};

use crate::lost_mode::Instead;
use crate::papers::{self, PaperKind};
use crate::{IncidentState, OutOfBounds, Since};

pub use words::NextStep;

/// Why something about an incident was not done. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was noticed in the future.
    #[error("noticed at {noticed_at}, which is later than now ({now}): correct the date")]
    NoticedLater {
        /// When it says it was noticed.
        noticed_at: Instant,
        /// The present.
        now: Instant,
    },
    /// It was declared before it would have been noticed.
    #[error("noticed at {noticed_at}, which is later than it was declared ({declared_at}): correct the date")]
    NoticedAfterDeclared {
        /// When it would have been noticed.
        noticed_at: Instant,
        /// When it was declared.
        declared_at: Instant,
    },
    /// Somebody else, or nobody, had the tablet then.
    #[error(
        "at {noticed_at} the tablet was with somebody else than whom this incident concerns, or with nobody: what befell it \
         then is another incident"
    )]
    ConcernsAnother {
        /// When it would have been noticed.
        noticed_at: Instant,
    },
    /// Somebody has the tablet whom the incident does not concern.
    #[error(
        "the tablet is lent, since {began_at}, to somebody whom this incident does not concern: nobody is located, and nothing \
         is put in lost mode or erased, because of it"
    )]
    HeldByAnother {
        /// When their loan began.
        began_at: Instant,
    },
    /// The tablet is of another collège than the incident.
    #[error(
        "the tablet is of another collège than this incident: nobody is located, and nothing is put in lost mode or erased, \
         because of it"
    )]
    OfAnotherCollege,
    /// The 48 hours are over, and no paper makes firm what was noticed before the loan that stands.
    #[error(
        "noticed at {noticed_at}, before the loan that stands began ({began_at}): no paper makes its warrant firm, and a \
         provisional one was possible until {since}"
    )]
    NoticedBeforeTheLoan {
        /// When it was noticed.
        noticed_at: Instant,
        /// When the loan began.
        began_at: Instant,
        /// Since when no provisional warrant is possible.
        since: Instant,
    },
    /// The tablet was received, lent anew or moved since.
    #[error("{}: this incident is over, and does not go on; what is missing now is declared anew", went_on(*.since))]
    WentOn {
        /// What became of it.
        since: Since,
    },
    /// An authority's request without its reference.
    #[error("the request of an authority needs its reference: ask the authority for it")]
    NoReference,
    /// The step does not follow.
    #[error("one cannot {step} an incident ({kind}) that is {state}")]
    NotNow {
        /// What was tried.
        step: &'static str,
        /// Where the incident stands.
        state: IncidentState,
        /// What it is about.
        kind: IncidentKind,
    },
    /// No reason was given.
    #[error("a reason is needed: say in a few words why")]
    NoReason,
    /// Such an incident never carries lost mode or a warrant.
    #[error(
        "nobody is located, and no tablet is put in lost mode, because of an incident of kind {kind}: only a loss, a \
         theft or the request of an authority"
    )]
    WrongKind {
        /// What it is about.
        kind: IncidentKind,
    },
    /// The incident is closed.
    #[error("the incident is closed: reopen it first, with the reason")]
    Closed,
    /// The tablet is no longer looked for.
    #[error("the incident is {state}: the tablet is no longer looked for, and nobody locates it")]
    NotSought {
        /// Where the incident stands.
        state: IncidentState,
    },
    /// The DPO has not validated geolocation.
    #[error("geolocation is off: the DPO has not validated it (`ardoise privacy register`)")]
    NotValidated,
    /// The second person is the first.
    #[error(
        "whoever asks for a warrant cannot grant it: ask the head of the collège, or an operator of the département"
    )]
    GrantsToThemselves,
    /// The second person declared the incident.
    #[error("whoever declared the incident cannot grant its warrant: ask another head or operator")]
    GrantsAsDeclarant,
    /// The head of another collège.
    #[error(
        "the head of another collège cannot grant it: ask the head of the tablet's own, or an operator of the département"
    )]
    HeadOfAnother,
    /// A number is out of bounds.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    /// Such an incident asks for no such paper.
    #[error("an incident of kind {kind} takes no {paper}: {}", asked_for(*.kind))]
    PaperNotAsked {
        /// Which.
        paper: PaperKind,
        /// What happened.
        kind: IncidentKind,
    },
    /// A paper from before anything was noticed.
    #[error(
        "this {paper} is dated {dated}, and what happened was noticed on {noticed_on}: it cannot be about this incident; \
         look at the date on the paper"
    )]
    PaperBefore {
        /// Which.
        paper: PaperKind,
        /// Its date.
        dated: Day,
        /// The day on which it was noticed.
        noticed_on: Day,
    },
    /// The 48 hours of the provisional warrant are over.
    #[error(
        "the {paper} is missing since {since}: a warrant takes it now; record it first, or put it right if it was recorded \
         wrongly"
    )]
    PaperMissing {
        /// Which.
        paper: PaperKind,
        /// Since when no provisional warrant is possible.
        since: Instant,
    },
    /// The incident had a warrant already.
    #[error("this incident had a warrant already: ask for its extension, with the reason")]
    HadOne,
    /// There is nothing to extend.
    #[error("this incident has no warrant to extend: ask for one first")]
    NothingToExtend,
    /// Its positions were all asked for.
    #[error(
        "the {fixes} positions of this warrant were all asked for; an extension takes a reason and a second person"
    )]
    UsedUp {
        /// How many it had.
        fixes: u32,
    },
    /// The last request was a moment ago.
    #[error("the next position may be asked for at {next_at}")]
    TooSoon {
        /// When.
        next_at: Instant,
    },
    /// The tablet cannot be put in lost mode.
    #[error("this tablet cannot be put in lost mode, because it is not a supervised iPad; what can be done: {}", list(.instead))]
    NoLostMode {
        /// What else can be done.
        instead: &'static [Instead],
    },
    /// Lost mode rests on an open incident.
    #[error(
        "lost mode rests on incident {incident}, which is open, and would come back: once the tablet is there, or the search \
         is over, close the incident, which turns it off (`ardoise incident close {incident}`)"
    )]
    LostModeStays {
        /// Which.
        incident: IncidentId,
    },
    /// The message of lost mode says nothing, or too much.
    #[error("lost mode shows a message or a phone number, each of at most {most} characters")]
    BadMessage {
        /// The most characters.
        most: usize,
    },
    /// Only a theft is answered so.
    #[error("an incident of {kind} is never answered by erasing the tablet: only a theft is")]
    NotStolen {
        /// What happened.
        kind: IncidentKind,
    },
    /// It is back, or its incident is over.
    #[error("the incident is {state}: the stolen tablet is not erased any more because of it")]
    NotAway {
        /// Where it stands.
        state: IncidentState,
    },
    /// Only an authority delays a notice.
    #[error("a notice is delayed only for an authority's request, until a day to come, at most {} days off", .most.as_secs() / 86_400)]
    NoDelay {
        /// The longest delay.
        most: Duration,
    },
}

const fn went_on(since: Since) -> &'static str {
    match since {
        Since::Nothing => "nothing became of the tablet since",
        Since::Received => "the tablet was received since, or given away",
        Since::Lent => "the tablet was lent anew since",
        Since::Moved => "the tablet is of another collège since",
    }
}

fn asked_for(kind: IncidentKind) -> String {
    match papers::needed(kind) {
        [] => "it needs no paper".to_owned(),
        needed => {
            let names: Vec<&str> = needed.iter().map(|paper| paper.as_str()).collect();
            format!(
                "it needs its {}; if it was something else, close it and declare that",
                names.join(" and its ")
            )
        }
    }
}

fn list(instead: &[Instead]) -> String {
    instead.iter().map(|way| way.as_str()).collect::<Vec<_>>().join(", ")
}

impl Refusal {
    /// The rule behind it.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        match self {
            Self::NoticedLater { .. }
            | Self::NoticedAfterDeclared { .. }
            | Self::ConcernsAnother { .. }
            | Self::WentOn { .. }
            | Self::NotNow { .. }
            | Self::NoReason
            | Self::PaperNotAsked { .. }
            | Self::PaperBefore { .. } => RuleId::C5_4_2,
            Self::WrongKind { .. } | Self::NotSought { .. } => RuleId::C5_4_3,
            Self::NotValidated => RuleId::C3_1_6,
            Self::NotStolen { .. } | Self::NotAway { .. } => RuleId::M3,
            Self::NoReference
            | Self::Closed
            | Self::GrantsToThemselves
            | Self::GrantsAsDeclarant
            | Self::HeadOfAnother
            | Self::OutOfBounds(_)
            | Self::HeldByAnother { .. }
            | Self::OfAnotherCollege
            | Self::NoticedBeforeTheLoan { .. }
            | Self::PaperMissing { .. }
            | Self::HadOne
            | Self::NothingToExtend
            | Self::UsedUp { .. }
            | Self::TooSoon { .. }
            | Self::NoLostMode { .. }
            | Self::LostModeStays { .. }
            | Self::BadMessage { .. }
            | Self::NoDelay { .. } => RuleId::M1,
        }
    }
}
