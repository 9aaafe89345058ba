//! What happens to acts that wait, once a second person has answered.

use serde_json::json;
use types::{AccountId, CountersignatureId, DestructionId, DestructionKind, TabletId, Uai};

use super::{DestructionState, Engaged, Switch};
use crate::countersignature::{Content, Countersigned, NotPlain, Purpose, Subject};

/// An act that waits, as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAct {
    /// Its row.
    pub id: DestructionId,
    /// What it does.
    pub kind: DestructionKind,
    /// Who decided it.
    pub account: AccountId,
    /// The collège whose tablet it is.
    pub college: Option<Uai>,
    /// The tablet.
    pub tablet: TabletId,
    /// The command, order or end it is carried out by.
    pub reference: String,
    /// Where it is in its life.
    pub state: DestructionState,
}

/// Why nothing that waits goes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReleased {
    /// Nothing destructive goes.
    #[error("the switch was thrown at {since}: {reason} (M5)", since = .0.since, reason = .0.reason)]
    Stopped(Engaged),
    /// The signature is for other acts.
    #[error("the second person signed for other acts than these (M5)")]
    SignedForAnother,
    /// Somebody else asked for them.
    #[error("these acts were not decided by whoever asked for the signature (M5)")]
    NotTheAsker,
    /// One of them no longer waits.
    #[error("the act {id} no longer waits; it is {state}")]
    NotHeld {
        /// Which.
        id: DestructionId,
        /// Where it is in its life.
        state: DestructionState,
    },
}

/// Acts that a second person let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    acts: Vec<DestructionId>,
    countersignature: CountersignatureId,
}

impl Released {
    /// Which.
    #[must_use]
    pub fn acts(&self) -> &[DestructionId] {
        &self.acts
    }

    /// Under which signature; it stands on the row of each.
    #[must_use]
    pub fn countersignature(&self) -> CountersignatureId {
        self.countersignature
    }
}

/// What a second person is asked about: each act, tablet by tablet, in the order of their rows.
///
/// # Errors
/// [`NotPlain::TooLong`] for more acts than one person can be asked about, some twenty thousand.
pub fn held_question(acts: &[HeldAct]) -> Result<(Subject, Content), NotPlain> {
    let mut acts: Vec<_> = acts.iter().collect();
    acts.sort_by_key(|act| act.id);
    let list: Vec<_> = acts
        .into_iter()
        .map(|act| {
            json!({
                "account": act.account,
                "college": act.college,
                "id": act.id,
                "kind": act.kind,
                "reference": act.reference,
                "tablet": act.tablet,
            })
        })
        .collect();
    Ok((Subject::Held, Content::new(&json!({ "acts": list }))?))
}

/// Lets exactly the acts go that a second person saw: all of them, or none.
///
/// They count against no budget: that is what the second person is for.
///
/// # Errors
/// [`NotReleased`].
pub fn release(acts: &[HeldAct], proof: Countersigned, switch: &Switch) -> Result<Released, NotReleased> {
    if let Switch::Engaged(engaged) = switch {
        return Err(NotReleased::Stopped(engaged.clone()));
    }
    let signed = |(subject, content)| proof.is_for(Purpose::ExceedBudget, &subject, &content);
    if !held_question(acts).is_ok_and(signed) {
        return Err(NotReleased::SignedForAnother);
    }
    if acts.iter().any(|act| act.account != proof.asked_by()) {
        return Err(NotReleased::NotTheAsker);
    }
    if let Some(act) = acts.iter().find(|act| act.state != DestructionState::Held) {
        return Err(NotReleased::NotHeld { id: act.id, state: act.state });
    }
    Ok(Released { acts: acts.iter().map(|act| act.id).collect(), countersignature: proof.id() })
}
