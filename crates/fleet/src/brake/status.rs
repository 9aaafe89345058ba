//! How the brake stands: the switch, today's budgets, and what was used of them.

use governance::brake::{Budgets, Switch};
use governance::{Permission, Reach};
use store::{brake, destructions};
use types::{AccountId, Day, Instant, Uai};

use super::judge::{ledger, today};
use crate::{Fleet, Principal, Refusal};

/// How the brake stands today, as far as whoever asks may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The switch.
    pub switch: Switch,
    /// The day that counts now.
    pub day: Day,
    /// The budgets of a day.
    pub budgets: Budgets,
    /// What whoever asks has used, with the accounts that count as one with theirs.
    pub own: u32,
    /// What was used in each collège, the most first; `None`: tablets of no collège.
    pub colleges: Vec<(Option<Uai>, u64)>,
    /// What was used by each account, the most first; empty for those who see only their own.
    pub accounts: Vec<(AccountId, u64)>,
}

/// Shows how the brake stands.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn show(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Status, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let person = principal.person(tx, now)?;
            let reach = person.standing.may(Permission::ViewBrake, &person.access, now)?;
            let account = person.standing.account();
            let day = today(tx, now)?;
            let newcomers = store::account_makers::newcomers(tx, now)?;
            let act =
                governance::brake::Act { what: governance::brake::What::Unenrolment, account, college: None };
            let own = ledger(tx, day)?.tally(&act, &newcomers).actor;
            let (mut colleges, mut accounts) = (Vec::new(), Vec::new());
            if reach == Reach::Everything {
                colleges = destructions::by_college(tx, day)?;
                accounts = destructions::by_actor(tx, day)?
                    .into_iter()
                    .filter_map(|(actor, count)| Some((actor.strip_prefix("account:")?.parse().ok()?, count)))
                    .collect();
            }
            Ok(Status {
                switch: brake::switch(tx)?,
                day,
                budgets: Budgets::default(),
                own,
                colleges,
                accounts,
            })
        })
        .await
}
