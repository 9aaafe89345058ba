//! The switch that stops everything destructive, queued or not (M5).

use serde_json::json;
use types::{CountersignatureId, Instant, text_enum};

use crate::Maker;
use crate::countersignature::{Content, Countersigned, Purpose, Subject};

text_enum! {
    /// Where an act that destroys is in its life.
    DestructionState: "state of a destruction" {
        /// It went within the budgets, or under a campaign, and counts.
        Counted = "counted",
        /// It waits for a second person.
        Held = "held",
        /// A second person let it go.
        Released = "released",
        /// It will never go: it was refused, expired, or is of before a restore.
        Void = "void",
    }
}

impl DestructionState {
    /// Whether an act may go from this state to that one.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Held, Self::Released | Self::Void) | (Self::Counted | Self::Released, Self::Void)
        )
    }
}

/// Since when, by whom and why nothing destructive goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engaged {
    /// Since when.
    pub since: Instant,
    /// Who threw the switch.
    pub by: Maker,
    /// Why.
    pub reason: String,
}

/// The switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    /// Acts go, within their budgets.
    Released,
    /// None does.
    Engaged(Engaged),
}

/// Why the switch stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SwitchNotReleased {
    /// It was released before.
    #[error("the switch is released")]
    NotEngaged,
    /// The signature is for another time that it was thrown.
    #[error("the second person signed for another time that the switch was thrown (M5)")]
    SignedForAnother,
}

impl Switch {
    /// Throws it. Whoever may do that does it alone and at once; one that is engaged stays as it is, so that
    /// the first reason is not lost.
    #[must_use]
    pub fn engage(self, by: Maker, reason: String, now: Instant) -> Self {
        match self {
            Self::Released => Self::Engaged(Engaged { since: now, by, reason }),
            engaged @ Self::Engaged(_) => engaged,
        }
    }

    /// Releases it, which takes two persons. What was queued goes on, unless it expired meanwhile.
    ///
    /// # Errors
    /// [`SwitchNotReleased`].
    pub fn release(self, proof: Countersigned) -> Result<(Self, CountersignatureId), SwitchNotReleased> {
        match self {
            Self::Released => Err(SwitchNotReleased::NotEngaged),
            Self::Engaged(engaged) => {
                let (subject, content) = engaged.question();
                if proof.is_for(Purpose::ReleaseBrake, &subject, &content) {
                    Ok((Self::Released, proof.id()))
                } else {
                    Err(SwitchNotReleased::SignedForAnother)
                }
            }
        }
    }
}

impl Engaged {
    /// What a second person is asked about before the switch is released: this time that it was thrown, no
    /// other.
    #[must_use]
    pub fn question(&self) -> (Subject, Content) {
        let content = json!({
            "by": self.by.to_string(),
            "reason": self.reason,
            "since": self.since.as_millis(),
        });
        (Subject::Switch, Content::of_plain(&content))
    }
}

/// Why an act that was queued is not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDelivered {
    /// Nothing destructive goes.
    #[error("the switch was thrown at {since}: {reason} (M5)", since = .0.since, reason = .0.reason)]
    Stopped(Engaged),
    /// It waits for a second person.
    #[error("this waits for a second person of the département (M5)")]
    Held,
    /// It will never go.
    #[error("this was refused, or is of before a restore (M5)")]
    Void,
}

/// The last look, when a tablet is about to be told: queued is not gone.
///
/// # Errors
/// [`NotDelivered`].
pub fn at_delivery(state: DestructionState, switch: &Switch) -> Result<(), NotDelivered> {
    match (state, switch) {
        (DestructionState::Void, _) => Err(NotDelivered::Void),
        (DestructionState::Held, _) => Err(NotDelivered::Held),
        (_, Switch::Engaged(engaged)) => Err(NotDelivered::Stopped(engaged.clone())),
        (DestructionState::Counted | DestructionState::Released, Switch::Released) => Ok(()),
    }
}
