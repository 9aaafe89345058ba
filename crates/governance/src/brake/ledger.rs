//! The acts of one day that passed without a second person.

use std::collections::BTreeMap;

use types::{AccountId, Day, Instant, Uai};

use super::{Act, Pass, Running, Tally};
use crate::Newcomers;

/// Counts of one day, for deciding many acts at once and for the drill. The database counts the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    accounts: BTreeMap<AccountId, u32>,
    colleges: BTreeMap<Option<Uai>, u32>,
    fleet: u32,
}

impl Ledger {
    /// What a day has counted so far, by account and by collège. Both add up to the fleet's count; the larger
    /// sum is taken should they not.
    #[must_use]
    pub fn of(
        accounts: impl IntoIterator<Item = (AccountId, u32)>,
        colleges: impl IntoIterator<Item = (Option<Uai>, u32)>,
    ) -> Self {
        let (accounts, colleges) = (BTreeMap::from_iter(accounts), BTreeMap::from_iter(colleges));
        let sum = |counts: &mut dyn Iterator<Item = &u32>| {
            counts.fold(0_u32, |sum, count| sum.saturating_add(*count))
        };
        let fleet = sum(&mut accounts.values()).max(sum(&mut colleges.values()));
        Self { accounts, colleges, fleet }
    }

    /// What counts for this act.
    #[must_use]
    pub fn tally(&self, act: &Act, newcomers: &Newcomers) -> Tally {
        let family = newcomers.family(act.account);
        let of = |account| self.accounts.get(account).copied().unwrap_or(0);
        Tally {
            actor: family.iter().fold(0, |sum, account| sum.saturating_add(of(account))),
            college: self.colleges.get(&act.college).copied().unwrap_or(0),
            fleet: self.fleet,
        }
    }

    /// Counts an act that passed: against the budgets, or against its campaign.
    pub fn pass(&mut self, act: &Act, pass: Pass, campaigns: &mut [Running<'_>]) {
        match pass {
            Pass::WithinBudgets => {
                let more = |count: &mut u32| *count = count.saturating_add(1);
                more(self.accounts.entry(act.account).or_default());
                more(self.colleges.entry(act.college.clone()).or_default());
                more(&mut self.fleet);
            }
            Pass::UnderCampaign(id) => {
                for running in campaigns.iter_mut().filter(|running| running.campaign.id() == id) {
                    running.used = running.used.saturating_add(1);
                }
            }
        }
    }
}

/// The day against which an act counts: today, in Paris; or the latest day on which anything was counted,
/// should that be later, so that a clock set back to yesterday opens no second budget.
#[must_use]
pub fn counting_day(now: Instant, latest: Option<Day>) -> Day {
    let today = Day::of(now);
    latest.map_or(today, |latest| latest.max(today))
}
