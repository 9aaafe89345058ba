//! The drill: what the brake would do with a day's worth of acts, told without doing any (M5).

use std::collections::BTreeMap;

use types::Instant;

use super::{Act, Budget, Budgets, Decision, Ledger, Pass, Running, Switch, decide};
use crate::Newcomers;

/// What would become of each act, and of all together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drill {
    /// What would become of each, in the order they were given.
    pub decisions: Vec<Decision>,
    /// How many would go within the budgets.
    pub within_budgets: u32,
    /// How many would go under a campaign.
    pub under_campaigns: u32,
    /// How many would wait for a second person, by the budget that holds them.
    pub held: BTreeMap<Budget, u32>,
    /// How many the switch would stop.
    pub stopped: u32,
}

/// Plays acts through, one after the other, from what the day has counted so far. Nothing is done.
#[must_use]
pub fn drill(
    acts: &[Act],
    ledger: &Ledger,
    newcomers: &Newcomers,
    budgets: Budgets,
    campaigns: &[Running<'_>],
    switch: &Switch,
    now: Instant,
) -> Drill {
    let (mut ledger, mut campaigns) = (ledger.clone(), campaigns.to_vec());
    let mut told = Drill::default();
    for act in acts {
        let decision = decide(act, ledger.tally(act, newcomers), budgets, &campaigns, switch, now);
        match &decision {
            Decision::Go(pass) => {
                ledger.pass(act, *pass, &mut campaigns);
                match pass {
                    Pass::WithinBudgets => told.within_budgets += 1,
                    Pass::UnderCampaign(_) => told.under_campaigns += 1,
                }
            }
            Decision::Hold(budget) => *told.held.entry(*budget).or_default() += 1,
            Decision::Stopped(_) => told.stopped += 1,
        }
        told.decisions.push(decision);
    }
    told
}
