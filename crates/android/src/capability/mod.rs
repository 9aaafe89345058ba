//! What the open agent does of what a département wants of a tablet, and the reason for what it does not.
//!
//! Two questions. [`ability`]: can this tablet do it at all? That is shown before anybody asks. [`stand`]: it was asked; how
//! does it stand? Applied is only what the tablet reported or a technician attested: the agent reports which apps of its
//! configuration are installed, whether it owns the tablet and what became of a code, and nothing else. The rest stays
//! *requested*, however often it was fetched.

mod intent;
mod reasons;

#[cfg(test)]
mod tests;

use types::Instant;

use crate::agent::{DeviceInfo, Permissions};
use crate::command::State;
use crate::words::Words;

pub use intent::Intent;
pub use reasons::Reason;

/// What is known of a tablet that decides what it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// What the agent reported, if it did.
    pub told: Option<Told>,
}

/// What the agent reported of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whether it owns the tablet.
    pub device_owner: bool,
    /// What it may do.
    pub permissions: Permissions,
    /// Whether it is the launcher, and so shows anything.
    pub launcher: bool,
}

impl Facts {
    /// What a report says.
    #[must_use]
    pub fn of(info: &DeviceInfo) -> Self {
        let told = Told {
            device_owner: info.device_owner,
            permissions: info.permissions,
            launcher: info.default_launcher,
        };
        Self { told: Some(told) }
    }
}

/// Whether a tablet can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// It can.
    Does,
    /// It can, and not all of it.
    DoesPartly(Reason),
    /// It cannot.
    Cannot(Reason),
}

/// What was seen of something that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing yet, or only that the tablet fetched the configuration that asks for it.
    Fetched,
    /// The tablet reported that it is so.
    Reported(Instant),
    /// The tablet reported that it is not so.
    Refused(Instant),
    /// Where its command stands.
    Command(State),
    /// A technician who had the tablet in hand attests it.
    Attested(Instant),
}

/// How something that was asked stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// The tablet reported it, or a technician attested it.
    Applied {
        /// When.
        at: Instant,
    },
    /// It was, or will be, asked for.
    Requested,
    /// It did not work.
    Failed {
        /// What happened, and what to do next.
        why: Words,
        /// Since when that is known.
        at: Instant,
    },
    /// This tablet does not do it.
    Unsupported(Reason),
}

impl Stand {
    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Requested => "requested",
            Self::Failed { .. } => "failed",
            Self::Unsupported(_) => "unsupported",
        }
    }
}

/// Whether a tablet can do something. What it has not told yet is taken to be as it is on a tablet that was set up by a code.
#[must_use]
pub fn ability(intent: Intent, facts: &Facts) -> Ability {
    if let Some(reason) = intent.never() {
        return Ability::Cannot(reason);
    }
    if let Some(told) = &facts.told {
        if !told.device_owner && intent != Intent::AppList {
            return Ability::Cannot(reasons::NOT_OWNER);
        }
        match intent {
            Intent::Message if !told.launcher => return Ability::Cannot(reasons::BACKGROUND),
            Intent::Erasure if !told.permissions.administrator => {
                return Ability::Cannot(reasons::NOT_ADMINISTRATOR);
            }
            _ => {}
        }
    }
    let draws = facts.told.is_none_or(|told| told.permissions.overlay);
    match intent {
        Intent::Message if draws => Ability::Does,
        _ => intent.limit().map_or(Ability::Does, Ability::DoesPartly),
    }
}

/// How something that was asked stands.
#[must_use]
pub fn stand(intent: Intent, facts: &Facts, seen: Seen) -> Stand {
    // What a technician saw with their own eyes stands, whatever the agent can report.
    if let Seen::Attested(at) = seen {
        return Stand::Applied { at };
    }
    if let Ability::Cannot(reason) = ability(intent, facts) {
        return Stand::Unsupported(reason);
    }
    match seen {
        Seen::Reported(at) if intent.is_reported() => Stand::Applied { at },
        Seen::Refused(at) => Stand::Failed { why: intent.refused(), at },
        Seen::Command(State::Failed { at, why }) => Stand::Failed { why: why.words(), at },
        Seen::Command(State::Void { at, why }) => Stand::Failed { why: why.words(), at },
        Seen::Fetched | Seen::Reported(_) | Seen::Command(_) | Seen::Attested(_) => Stand::Requested,
    }
}
