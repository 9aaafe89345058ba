//! The life of an incident, step by step, and what each step brings with it.
//!
//! Nothing follows its closing. One that was closed too soon goes on in another ([`Incident::reopen`]): what rested on
//! the first, commands above all, stays dead.

use types::{IncidentKind, RuleId};

use crate::{Incident, IncidentState, Refusal};

/// A step in the life of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Someone takes it up.
    TakeUp,
    /// The tablet was found.
    Find,
    /// The search is given up.
    GiveUp,
    /// It is over.
    Close,
}

impl Step {
    /// What one calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TakeUp => "take up",
            Self::Find => "find",
            Self::GiveUp => "give up",
            Self::Close => "close",
        }
    }
}

/// What has to happen in the same transaction as a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consequence {
    /// Its warrants end (M1).
    EndWarrants,
    /// Requests for a position that no tablet has answered are cancelled (M1).
    CancelRequests,
    /// Lost mode is turned off. This is never braked, stopped or voided (M1, M5).
    TurnLostModeOff,
    /// The holder, or the guardians of a minor, are told what was done (M1).
    TellWhatWasDone,
    /// The clock of its key starts (M2).
    StartTheClockOfItsKey,
    /// A decision to erase the stolen tablet falls, with its order: a tablet that is back is not wiped by it (M3).
    CallOffErasure,
}

impl Consequence {
    /// The rule that asks for it.
    #[must_use]
    pub const fn rule(self) -> RuleId {
        match self {
            Self::EndWarrants | Self::CancelRequests | Self::TurnLostModeOff | Self::TellWhatWasDone => {
                RuleId::M1
            }
            Self::StartTheClockOfItsKey => RuleId::M2,
            Self::CallOffErasure => RuleId::M3,
        }
    }
}

/// What a step leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Where the incident stands afterwards.
    pub state: IncidentState,
    /// What has to happen with it.
    pub consequences: &'static [Consequence],
}

/// Takes a step.
///
/// A tablet that was lost, stolen or asked for is found, or not, before the incident closes; whatever else happened to
/// it is settled when it closes.
///
/// # Errors
/// [`Refusal::NotNow`] for a step that does not follow.
pub fn step(incident: &Incident, step: Step) -> Result<Next, Refusal> {
    use Consequence::{
        CallOffErasure, CancelRequests, EndWarrants, StartTheClockOfItsKey, TellWhatWasDone, TurnLostModeOff,
    };
    use IncidentState::{Closed, Declared, Found, InProgress, NotFound};
    const NONE: &[Consequence] = &[];
    let missing = incident.kind.is_of_a_missing_tablet();
    let (state, consequences): (_, &'static [Consequence]) = match (step, incident.state) {
        (Step::TakeUp, Declared) => (InProgress, NONE),
        (Step::Find, Declared | InProgress | NotFound) if missing => {
            (Found, &[EndWarrants, CancelRequests, CallOffErasure])
        }
        (Step::GiveUp, Declared | InProgress) if missing => (NotFound, &[EndWarrants, CancelRequests]),
        (Step::Close, state) if closes(incident.kind, state) => {
            const ALL: &[Consequence] = &[
                EndWarrants,
                CancelRequests,
                TurnLostModeOff,
                TellWhatWasDone,
                StartTheClockOfItsKey,
                CallOffErasure,
            ];
            (Closed, ALL)
        }
        (step, state) => return Err(Refusal::NotNow { step: step.name(), state, kind: incident.kind }),
    };
    Ok(Next { state, consequences })
}

const fn closes(kind: IncidentKind, state: IncidentState) -> bool {
    match state {
        IncidentState::Found | IncidentState::NotFound => true,
        IncidentState::Declared | IncidentState::InProgress => !kind.is_of_a_missing_tablet(),
        IncidentState::Closed => false,
    }
}
