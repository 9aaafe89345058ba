//! The judgement on acts that destroy, in the transaction that does them (M5).

use governance::brake::{
    Act, Batch, Budgets, DestructionState, HeldAct, Ledger, Pass, Running, What, counting_day, decide_batch,
    held_question,
};
use governance::countersignature::{Purpose, Question, SecondPerson};
use store::destructions::{self, Fate, NewDestruction};
use store::{Tx, account_makers, brake, campaigns};
use types::{AccountId, Actor, CampaignId, CountersignatureId, Day, DestructionId, Instant, TabletId, Uai};

use crate::coming_in::Person;
use crate::{Refusal, countersignatures};

/// One act that is about to be done to a tablet.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// What it does.
    pub(crate) what: What,
    /// The tablet.
    pub(crate) tablet: TabletId,
    /// Its collège.
    pub(crate) college: Option<Uai>,
    /// What carries it out: the id of an order, an incident or an end.
    pub(crate) reference: String,
}

/// What becomes of acts that were asked for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// They go.
    Go,
    /// All of them wait for this answer of a second person.
    Held(CountersignatureId),
}

/// Counts acts, decides whether they go or wait, and records it: all of them, or none. What is held is asked of a
/// second person of the département, act by act, for this reason.
///
/// # Errors
/// [`Refusal::Stopped`] while the switch is thrown; [`Refusal::Invalid`] for more acts than one person can be asked
/// about; [`Refusal::NotAsked`] without a reason.
pub(crate) fn judge(
    tx: &mut Tx<'_>,
    person: &Person,
    deeds: &[Deed],
    reason: &str,
    now: Instant,
) -> Result<Judged, Refusal> {
    let account = person.standing.account();
    let day = today(tx, now)?;
    let ledger = ledger(tx, day)?;
    let newcomers = account_makers::newcomers(tx, now)?;
    let switch = brake::switch(tx)?;
    let acts: Vec<Act> =
        deeds.iter().map(|deed| Act { what: deed.what, account, college: deed.college.clone() }).collect();
    let open = campaigns_for(tx, &acts, day)?;
    let running: Vec<Running<'_>> =
        open.iter().map(|(campaign, used)| Running { campaign, used: *used }).collect();
    match decide_batch(&acts, &ledger, &newcomers, Budgets::default(), &running, &switch, now) {
        Batch::Stopped(engaged) => Err(Refusal::Stopped(engaged)),
        Batch::Go(passes) => {
            let rows = deeds.iter().zip(passes).map(|(deed, pass)| {
                let fate = match pass {
                    Pass::WithinBudgets => Fate::Counted,
                    Pass::UnderCampaign(campaign) => Fate::InCampaign(campaign),
                };
                row(deed, DestructionId::new(now), account, day, fate, now)
            });
            destructions::record_all(tx, &rows.collect::<Vec<_>>())?;
            Ok(Judged::Go)
        }
        Batch::Hold { .. } => hold(tx, person, deeds, reason, day, now),
    }
}

/// Asks a second person, then records what waits for the answer.
fn hold(
    tx: &mut Tx<'_>,
    person: &Person,
    deeds: &[Deed],
    reason: &str,
    day: Day,
    now: Instant,
) -> Result<Judged, Refusal> {
    let account = person.standing.account();
    let ids: Vec<DestructionId> = deeds.iter().map(|_deed| DestructionId::new(now)).collect();
    let waiting: Vec<HeldAct> = deeds
        .iter()
        .zip(&ids)
        .map(|(deed, id)| HeldAct {
            id: *id,
            kind: deed.what.kind(),
            account,
            college: deed.college.clone(),
            tablet: deed.tablet,
            reference: deed.reference.clone(),
            state: DestructionState::Held,
        })
        .collect();
    let (subject, content) = held_question(&waiting).map_err(|error| Refusal::invalid("tablets", error))?;
    let question = Question {
        purpose: Purpose::ExceedBudget,
        subject,
        content,
        second: SecondPerson::Departement,
        reason: reason.to_owned(),
    };
    let asked = countersignatures::ask(tx, person, question, now)?;
    let rows = deeds.iter().zip(ids).map(|(deed, id)| row(deed, id, account, day, Fate::Held(asked), now));
    destructions::record_all(tx, &rows.collect::<Vec<_>>())?;
    Ok(Judged::Held(asked))
}

fn row(
    deed: &Deed,
    id: DestructionId,
    account: AccountId,
    day: Day,
    fate: Fate,
    now: Instant,
) -> NewDestruction {
    NewDestruction {
        id,
        kind: deed.what.kind(),
        day,
        at: now,
        actor: Actor::Account(account),
        uai: deed.college.clone(),
        tablet: Some(deed.tablet),
        reference: deed.reference.clone(),
        fate,
    }
}

/// The day that counts now.
pub(super) fn today(tx: &mut Tx<'_>, now: Instant) -> Result<Day, Refusal> {
    Ok(counting_day(now, destructions::latest_day(tx)?))
}

/// What a day has counted so far.
pub(super) fn ledger(tx: &mut Tx<'_>, day: Day) -> Result<Ledger, Refusal> {
    let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let accounts = destructions::by_actor(tx, day)?.into_iter().filter_map(|(actor, count)| {
        let account: AccountId = actor.strip_prefix("account:")?.parse().ok()?;
        Some((account, small(count)))
    });
    let accounts: Vec<_> = accounts.collect();
    let colleges = destructions::by_college(tx, day)?.into_iter().map(|(uai, count)| (uai, small(count)));
    Ok(Ledger::of(accounts, colleges.collect::<Vec<_>>()))
}

/// The campaigns that run in the collèges of these restitutions, each with what was used of its ceiling.
pub(super) fn campaigns_for(
    tx: &mut Tx<'_>,
    acts: &[Act],
    day: Day,
) -> Result<Vec<(governance::brake::Campaign, u32)>, Refusal> {
    let restitutions = acts.iter().filter(|act| act.what == What::Restitution);
    let colleges: std::collections::BTreeSet<&Uai> =
        restitutions.filter_map(|act| act.college.as_ref()).collect();
    let mut ids = std::collections::BTreeSet::<CampaignId>::new();
    for uai in colleges {
        ids.extend(campaigns::running(tx, uai, day)?.into_iter().map(|running| running.campaign.id));
    }
    let mut open = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(campaign) = campaigns::proven(tx, id)? {
            open.push((campaign, u32::try_from(campaigns::used(tx, id)?).unwrap_or(u32::MAX)));
        }
    }
    Ok(open)
}
