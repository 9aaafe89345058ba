//! The drill: what the brake would do with a day's worth of acts, told without doing any (M5).

use governance::Permission;
use governance::brake::{Act, Budgets, Drill, Running, What, drill};
use store::{account_makers, brake};
use types::{AccountId, Instant, Uai};

use super::judge::{campaigns_for, ledger, today};
use crate::{Fleet, Principal, Refusal};

/// The most acts that are played through.
const MOST: u32 = 200_000;

/// What is played through: so many acts of one account, one after the other.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What each would do.
    pub what: What,
    /// How many.
    pub acts: u32,
    /// The collège of the tablets; `None`: tablets of no collège.
    pub college: Option<Uai>,
    /// Whose acts they would be; whoever asks, unless told.
    pub account: Option<AccountId>,
}

/// Plays a plan through, from what today has counted so far. Nothing is done.
///
/// # Errors
/// [`Refusal::Invalid`] for too many acts.
pub async fn play(fleet: &Fleet, principal: &Principal, plan: Plan, now: Instant) -> Result<Drill, Refusal> {
    if plan.acts == 0 || plan.acts > MOST {
        return Err(Refusal::invalid("acts", format!("must be from 1 to {MOST}")));
    }
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::DrillBrake, &person.access, now)?;
            let account = plan.account.unwrap_or_else(|| person.standing.account());
            let act = Act { what: plan.what, account, college: plan.college.clone() };
            let acts: Vec<Act> = (0..plan.acts).map(|_one| act.clone()).collect();
            let day = today(tx, now)?;
            let open = campaigns_for(tx, std::slice::from_ref(&act), day)?;
            let running: Vec<Running<'_>> =
                open.iter().map(|(campaign, used)| Running { campaign, used: *used }).collect();
            let newcomers = account_makers::newcomers(tx, now)?;
            let (ledger, switch) = (ledger(tx, day)?, brake::switch(tx)?);
            Ok(drill(&acts, &ledger, &newcomers, Budgets::default(), &running, &switch, now))
        })
        .await
}
