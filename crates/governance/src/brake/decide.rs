//! The decision: it goes, it waits, or it is stopped.

use types::{CampaignId, Instant, text_enum};

use super::{Act, Engaged, Ledger, Running, Switch};
use crate::Newcomers;

text_enum! {
    /// One of the three budgets.
    Budget: "budget of the brake" {
        /// Of one account.
        Actor = "actor",
        /// Of one collège.
        College = "college",
        /// Of the whole fleet.
        Fleet = "fleet",
    }
}

/// How many acts may pass in one day without a second person (M5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Of one account.
    pub actor: u32,
    /// In one collège.
    pub college: u32,
    /// In the whole fleet.
    pub fleet: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { actor: 40, college: 60, fleet: 300 }
    }
}

/// How many acts have passed on a day without a second person: rows that are counted, belong to no campaign,
/// and were never held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Of this account, and of those of its [`Newcomers::family`].
    pub actor: u32,
    /// In this collège.
    pub college: u32,
    /// In the whole fleet.
    pub fleet: u32,
}

/// Why an act goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It is within every budget, and counts.
    WithinBudgets,
    /// It is a restitution of a campaign, and counts against its ceiling only.
    UnderCampaign(CampaignId),
}

/// What becomes of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes.
    Go(Pass),
    /// It waits for a second person of the département: it would be one too many for this budget.
    Hold(Budget),
    /// Nothing destructive goes.
    Stopped(Engaged),
}

/// Decides one act.
///
/// The tally is read and the act is written down in one transaction that no other one can come between, or
/// two acts at once would both be the last that fits.
#[must_use]
pub fn decide(
    act: &Act,
    tally: Tally,
    budgets: Budgets,
    campaigns: &[Running<'_>],
    switch: &Switch,
    now: Instant,
) -> Decision {
    if let Switch::Engaged(engaged) = switch {
        return Decision::Stopped(engaged.clone());
    }
    if let Some(running) = campaigns.iter().find(|running| running.lets_pass(act, now)) {
        return Decision::Go(Pass::UnderCampaign(running.campaign.id()));
    }
    match exceeded(tally, budgets) {
        Some(budget) => Decision::Hold(budget),
        None => Decision::Go(Pass::WithinBudgets),
    }
}

/// The first budget for which one more act would be one too many.
fn exceeded(tally: Tally, budgets: Budgets) -> Option<Budget> {
    [
        (Budget::Actor, tally.actor, budgets.actor),
        (Budget::College, tally.college, budgets.college),
        (Budget::Fleet, tally.fleet, budgets.fleet),
    ]
    .into_iter()
    .find_map(|(budget, passed, limit)| (passed >= limit).then_some(budget))
}

/// What becomes of acts that were asked for together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    /// All of them go, each for its reason.
    Go(Vec<Pass>),
    /// All of them wait for a second person.
    Hold {
        /// The first that would be one too many, by its place among them.
        index: usize,
        /// For which budget.
        budget: Budget,
    },
    /// None goes.
    Stopped(Engaged),
}

/// Decides acts that were asked for together: all of them go, or none does. A thief who asks for thirteen
/// thousand gets none, not the first forty.
#[must_use]
pub fn decide_batch(
    acts: &[Act],
    ledger: &Ledger,
    newcomers: &Newcomers,
    budgets: Budgets,
    campaigns: &[Running<'_>],
    switch: &Switch,
    now: Instant,
) -> Batch {
    let (mut ledger, mut campaigns) = (ledger.clone(), campaigns.to_vec());
    let mut passes = Vec::with_capacity(acts.len());
    for (index, act) in acts.iter().enumerate() {
        match decide(act, ledger.tally(act, newcomers), budgets, &campaigns, switch, now) {
            Decision::Go(pass) => {
                ledger.pass(act, pass, &mut campaigns);
                passes.push(pass);
            }
            Decision::Hold(budget) => return Batch::Hold { index, budget },
            Decision::Stopped(engaged) => return Batch::Stopped(engaged),
        }
    }
    Batch::Go(passes)
}
