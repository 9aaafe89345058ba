//! Roll-outs: waves that follow one another, and what stops them.

use ::profiles::{LayerKey, RolloutPlan, RolloutState, Tally, Tried, Turn, turn};
use governance::Permission;
use serde_json::json;
use store::Tx;
use store::profile_versions::{self as versions, End, ProfileVersion, VersionState};
use store::rollouts::{self as rows, Rollout, Step};
use types::{AccountId, Day, Duration, Instant, ProfileVersionId, RolloutId, RuleId};

use super::publish::{groups, notify};
use super::write::detail;
use super::{Sight, about, account, look_at, may, may_take_back, reason};
use crate::audit::{self, Change};
use crate::watch::{self, AlarmKind, Subject};
use crate::{Fleet, Principal, Refusal};

/// How long a version that reached everyone can be rolled back.
const ROLLED_BACK_WITHIN: Duration = Duration::from_secs(30 * 86_400);
/// Tablets in one look at whom a wave is for.
const LOOKED_AT: u32 = 1_000;
/// The most reports of tablets that are counted at once.
const MOST_REPORTS: u32 = 200_000;

/// How far a roll-out has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Its row.
    pub rollout: Rollout,
    /// Its plan.
    pub plan: RolloutPlan,
    /// How many tablets have the new version by now, and how many keep the one before, if there is one, until their wave.
    pub reached: u64,
    /// See there.
    pub waiting: u64,
    /// What those reached reported of themselves: applied, or failed since this wave began. The roll-out goes by this.
    pub tally: Tally,
    /// What they answered to commands that carry it since this wave began: that they took it on, not that it is in force.
    pub answers: Tally,
}

/// Begins a roll-out; a plan of one wave is none.
pub(super) fn start(
    tx: &mut Tx<'_>,
    (version, previous): (ProfileVersionId, Option<ProfileVersionId>),
    plan: &RolloutPlan,
    by: AccountId,
    now: Instant,
) -> Result<(), Refusal> {
    if plan.is_at_once() {
        return Ok(());
    }
    let rollout = Rollout {
        id: RolloutId::new(now),
        version_id: version,
        previous_id: previous,
        plan: plan.to_json(),
        state: RolloutState::Running,
        wave: 0,
        wave_since: now,
        reason: None,
        started_by: by,
        started_at: now,
        ended_at: None,
    };
    Ok(rows::insert(tx, &rollout)?)
}

/// Whether a version is the first of its layer and not everywhere yet: what is published now takes its place at once.
pub(super) fn is_a_first_under_way(tx: &mut Tx<'_>, version: ProfileVersionId) -> Result<bool, Refusal> {
    Ok(under_way(tx, version)?.is_some_and(|rollout| rollout.previous_id.is_none()))
}

fn under_way(tx: &mut Tx<'_>, version: ProfileVersionId) -> Result<Option<Rollout>, Refusal> {
    Ok(rows::of_version(tx, version)?.filter(|rollout| rollout.ended_at.is_none()))
}

/// Ends the roll-out of what is in force, for a version that takes its place. A first version that is not everywhere yet
/// gives way to the next one for everyone at once, so that no tablet is left without what it had (C3.1.1). Any other is
/// finished, or rolled back, first.
///
/// # Errors
/// [`Refusal::Conflict`].
pub(super) fn give_way(
    tx: &mut Tx<'_>,
    before: &ProfileVersion,
    (next, waves): (&ProfileVersion, Option<&RolloutPlan>),
    now: Instant,
) -> Result<(), Refusal> {
    let Some(rollout) = under_way(tx, before.id)? else { return Ok(()) };
    if rollout.previous_id.is_some() {
        return Err(Refusal::Conflict(format!(
            "version {} of this layer is still being rolled out: finish it, or roll it back, then publish",
            before.number
        )));
    }
    must_be_at_once(waves)?;
    let why = Some(format!("version {} took its place everywhere", next.number));
    make(tx, &rollout, &Step { reason: why, ended_at: Some(now), ..at(&rollout, RolloutState::Replaced) })
}

/// Passes no waves: what takes the place of a first version that is not everywhere yet is for everyone at once.
pub(super) fn must_be_at_once(waves: Option<&RolloutPlan>) -> Result<(), Refusal> {
    match waves {
        Some(waves) if !waves.is_at_once() => Err(Refusal::Conflict(
            "the first version is not everywhere yet: this one replaces it everywhere at once; publish it without waves"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Ends the roll-out of a version that is taken away: it comes to no further tablet.
pub(super) fn end_with(
    tx: &mut Tx<'_>,
    version: ProfileVersionId,
    why: &str,
    now: Instant,
) -> Result<(), Refusal> {
    let Some(rollout) = under_way(tx, version)? else { return Ok(()) };
    let why = Some(why.to_owned());
    make(tx, &rollout, &Step { reason: why, ended_at: Some(now), ..at(&rollout, RolloutState::RolledBack) })
}

/// Passes what may be rolled back. Of a first version nothing would be left: a collège may decide that of what it adds;
/// of what two decided, nobody does alone (C3.1.1). An emergency base stays under its orders (C5.3.7); the first of them is
/// taken back by those who may withdraw it.
fn may_go_back(
    tx: &mut Tx<'_>,
    rollout: &Rollout,
    Sight { person, row, layer }: &Sight,
    now: Instant,
) -> Result<(), Refusal> {
    match layer {
        LayerKey::College(_) => Ok(()),
        LayerKey::Emergency(_) => {
            if rollout.previous_id.is_none() {
                may_take_back(person, row, layer, now)?;
            }
            super::publish::may_be_taken_away(tx, row, layer, now)
        }
        _ if rollout.previous_id.is_some() => Ok(()),
        _ => {
            let halt = if rollout.state == RolloutState::Running {
                format!("halt it (`ardoise profile rollout {} halt --reason …`), then ", row.id)
            } else {
                String::new()
            };
            let what = format!(
                "nothing was in force before it: without it, tablets would be less restricted, and nobody approved that; \
                 {halt}publish a corrected version that both approved, without waves: it takes this one's place \
                 everywhere at once"
            );
            Err(Refusal::Forbidden { rule: RuleId::C3_1_1, what })
        }
    }
}

/// How far the roll-out of a version has come; `None` for one that went to everyone at once.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn progress(
    fleet: &Fleet,
    principal: &Principal,
    version: ProfileVersionId,
    now: Instant,
) -> Result<Option<Progress>, Refusal> {
    look_at(fleet, principal, version, now, move |tx, Sight { layer, .. }| progress_of(tx, version, &layer))
        .await
}

pub(super) fn progress_of(
    tx: &mut Tx<'_>,
    version: ProfileVersionId,
    layer: &LayerKey,
) -> Result<Option<Progress>, Refusal> {
    let Some(rollout) = rows::of_version(tx, version)? else { return Ok(None) };
    let decided = rollout.decided()?;
    let (mut reached, mut waiting) = (0, 0);
    for (tablet, uai) in store::enrolments::managed_tablets(tx)? {
        if layer.college().is_some_and(|of| Some(of) != uai.as_ref()) {
            continue;
        }
        if decided.reaches(tablet, uai.as_ref()) { reached += 1 } else { waiting += 1 }
    }
    let ((tally, _tried), answers) = (tally(tx, &decided)?, answers(tx, &decided)?);
    Ok(Some(Progress { plan: decided.plan, rollout, reached, waiting, tally, answers }))
}

/// What the tablets that have the new version reported: that it is in force, or that a rule failed since this wave began. And
/// whether some of them were reached by this wave first.
fn tally(tx: &mut Tx<'_>, rollout: &::profiles::Rollout) -> Result<(Tally, Tried), Refusal> {
    let reported = rows::reported(tx, rollout.version, rollout.wave_since)?;
    let tried = reported.iter().any(|it| rollout.reaches_first_now(it.tablet, it.uai.as_ref()));
    let reached = reported.iter().filter(|it| rollout.reaches(it.tablet, it.uai.as_ref()));
    let tried = if tried { Tried::Reported } else { Tried::NoReport };
    Ok((counted(reached.map(|it| it.failed)), tried))
}

/// Whether the wave that runs brings the version to some tablet that had it not before.
async fn is_for_somebody(
    fleet: &Fleet,
    rollout: &::profiles::Rollout,
    now: Instant,
) -> Result<bool, Refusal> {
    let (_fingerprint, world) = fleet.world(now).await?;
    let mut after = None;
    loop {
        let members =
            fleet.store().read(move |tx| store::segments::members(tx, after, false, LOOKED_AT)).await?;
        let Some(last) = members.last() else { return Ok(false) };
        after = Some(last.enrolment);
        let its_first = |it: &store::segments::Member| {
            rollout.reaches_first_now(it.tablet, it.uai.as_ref())
                && crate::segments::is_for(&world, it, rollout.version)
        };
        if members.iter().any(its_first) {
            return Ok(true);
        }
    }
}

/// What they answered to commands that carry it, since this wave began.
fn answers(tx: &mut Tx<'_>, rollout: &::profiles::Rollout) -> Result<Tally, Refusal> {
    let answered = rows::answered_since(tx, rollout.wave_since, MOST_REPORTS)?;
    let reached = answered.iter().filter(|it| rollout.reaches(it.tablet, it.uai.as_ref()));
    Ok(counted(reached.map(|it| it.failed)))
}

fn counted(failed: impl Iterator<Item = bool>) -> Tally {
    let mut tally = Tally::default();
    for failed in failed {
        let count = if failed { &mut tally.failed } else { &mut tally.applied };
        *count = count.saturating_add(1);
    }
    tally
}

/// Begins the next wave before its time; the last one ends the roll-out.
///
/// # Errors
/// [`Refusal::Conflict`] unless it runs.
pub async fn advance(
    fleet: &Fleet,
    principal: &Principal,
    version: ProfileVersionId,
    now: Instant,
) -> Result<Progress, Refusal> {
    change(fleet, principal, version, "rollout.advance", None, now, move |rollout| {
        must(rollout, rollout.state == RolloutState::Running, "one that runs: resume it first")?;
        next_wave(rollout, now)
    })
    .await
}

/// Stops at the wave that runs. Tablets that have the new version keep it.
///
/// # Errors
/// [`Refusal::Conflict`] unless it runs.
pub async fn halt(
    fleet: &Fleet,
    principal: &Principal,
    version: ProfileVersionId,
    why: &str,
    now: Instant,
) -> Result<Progress, Refusal> {
    let why = reason(why)?;
    change(fleet, principal, version, "rollout.halt", Some(why.clone()), now, move |rollout| {
        must(rollout, rollout.state == RolloutState::Running, "one that runs")?;
        Ok(Step { reason: Some(why.clone()), ..at(rollout, RolloutState::Paused) })
    })
    .await
}

/// Goes on where it stopped; what failed so far is not counted again.
///
/// # Errors
/// [`Refusal::Conflict`] unless it stands still.
pub async fn resume(
    fleet: &Fleet,
    principal: &Principal,
    version: ProfileVersionId,
    why: &str,
    now: Instant,
) -> Result<Progress, Refusal> {
    let why = reason(why)?;
    change(fleet, principal, version, "rollout.resume", Some(why), now, move |rollout| {
        must(rollout, rollout.state == RolloutState::Paused, "one that stands still")?;
        Ok(Step { wave_since: now, ..at(rollout, RolloutState::Running) })
    })
    .await
}

async fn change(
    fleet: &Fleet,
    principal: &Principal,
    version: ProfileVersionId,
    action: &'static str,
    why: Option<String>,
    now: Instant,
    decide: impl Fn(&Rollout) -> Result<Step, Refusal> + Send + Sync + 'static,
) -> Result<Progress, Refusal> {
    about(fleet, principal, version, now, move |tx, principal, Sight { person, row, layer }| {
        may(&person, Permission::PublishProfiles, &layer, now)?;
        let rollout = of(tx, &row)?;
        let step = decide(&rollout)?;
        make(tx, &rollout, &step)?;
        let change = Change::new(action).reason(why.clone()).detail(told(&row, &layer, &step));
        audit::record(tx, principal, change, now)?;
        progress_of(tx, version, &layer)?.ok_or_else(|| Refusal::not_found("roll-out", version))
    })
    .await
}

/// Gives every tablet the version before again, which both organisations approved too; of the first version of what a
/// collège adds nothing is left then. What was rolled out is withdrawn.
///
/// # Errors
/// [`Refusal::Conflict`] for a version that is not in force, or reached everyone long ago: then the text before is
/// approved anew. [`Refusal::DoesNotFit`] if the text before contradicts what came into force since.
/// [`Refusal::Forbidden`] for an emergency base that an order rests on (C5.3.7), and for the first version of a joint layer:
/// nothing was decided that could take its place (C3.1.1), of an emergency base to whoever may not approve.
pub async fn roll_back(
    fleet: &Fleet,
    principal: &Principal,
    version: ProfileVersionId,
    why: &str,
    now: Instant,
) -> Result<Progress, Refusal> {
    let why = reason(why)?;
    about(fleet, principal, version, now, move |tx, principal, sight| {
        may(&sight.person, Permission::PublishProfiles, &sight.layer, now)?;
        super::must_be(&sight.row, VersionState::Published)?;
        let rollout = of(tx, &sight.row)?;
        may_go_back(tx, &rollout, &sight, now)?;
        let Sight { row, layer, .. } = sight;
        if let Some(ended) = rollout.ended_at
            && now >= ended.plus(ROLLED_BACK_WITHIN)
        {
            return Err(Refusal::Conflict(format!(
                "it reached everyone on {}, more than 30 days ago: have the text before approved anew",
                Day::of(ended)
            )));
        }
        let by = account(principal);
        super::end(tx, &row, &End { rejected: false, by, reason: why.clone(), at: now })?;
        if let Some(before) = rollout.previous_id {
            in_force_again(tx, before, &layer, now)?;
        }
        let step =
            Step { reason: Some(why.clone()), ended_at: Some(now), ..at(&rollout, RolloutState::RolledBack) };
        make(tx, &rollout, &step)?;
        let concerned = groups(tx, &layer)?;
        notify(tx, &format!("profile-version:{version}"), &concerned, &row.title, now)?;
        let change =
            Change::new("rollout.roll-back").reason(Some(why.clone())).detail(told(&row, &layer, &step));
        audit::record(tx, principal, change, now)?;
        super::publish::after(tx, principal, &layer, now)?;
        progress_of(tx, version, &layer)?.ok_or_else(|| Refusal::not_found("roll-out", version))
    })
    .await
}

/// Puts the version before in force again, if it still goes together with the others.
fn in_force_again(
    tx: &mut Tx<'_>,
    id: ProfileVersionId,
    layer: &LayerKey,
    now: Instant,
) -> Result<(), Refusal> {
    if !versions::publish(tx, id, now)? {
        return Err(Refusal::Conflict("the version before is not there to go back to".to_owned()));
    }
    versions::approved(tx, id)?;
    let before = versions::get(tx, &id)?.ok_or_else(|| Refusal::not_found("profile version", id))?;
    super::publish::must_go_together(tx, &before, layer, now)
}

/// The calendar's turn: the next wave where its time has come, and a pause with an alarm where too many tablets failed, or
/// none of those that the wave reached said anything. Returns how many roll-outs moved.
///
/// # Errors
/// [`Refusal::OtherHands`] for anybody else.
pub async fn advance_due(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    let calendar = principal.clone();
    let under_way = fleet
        .store()
        .read(move |tx| {
            calendar.must_be_calendar()?;
            Ok::<_, Refusal>(rows::ids_under_way(tx)?)
        })
        .await?;
    let mut moved = 0;
    for id in under_way {
        match advance_one(fleet, principal, id, now).await {
            Ok(turned) => moved += usize::from(turned),
            // A person moved it meanwhile: it is looked at again in the next round.
            Err(Refusal::Conflict(_)) => {}
            Err(failure) => watch::pass_over(fleet, id.to_string(), failure, now).await?,
        }
    }
    Ok(moved)
}

/// One roll-out's turn. Reports are counted by reading; the write is only the step, and only from where it was read.
async fn advance_one(
    fleet: &Fleet,
    principal: &Principal,
    id: RolloutId,
    now: Instant,
) -> Result<bool, Refusal> {
    let counted = fleet
        .store()
        .read(move |tx| {
            let Some(rollout) = rows::get(tx, &id)? else { return Ok(None) };
            let decided = rollout.decided()?;
            let (tally, tried) = tally(tx, &decided)?;
            Ok::<_, Refusal>(Some((rollout, decided, tally, tried)))
        })
        .await?;
    let Some((counted, decided, tally, tried)) = counted else { return Ok(false) };
    let mut turn = turn(&decided, tally, tried, now);
    if turn == Turn::PauseUntried && !is_for_somebody(fleet, &decided, now).await? {
        turn = ::profiles::turn(&decided, tally, Tried::NoTablet, now);
    }
    if turn == Turn::Wait {
        return Ok(false);
    }
    let calendar = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let Some(rollout) = rows::get(tx, &id)?.filter(|rollout| *rollout == counted) else {
                return Ok(false);
            };
            let (step, action) = match turn {
                Turn::Wait => return Ok(false),
                Turn::Advance | Turn::Finish => (next_wave(&rollout, now)?, "rollout.advance"),
                Turn::Pause(Tally { applied, failed }) => {
                    let why = format!("{failed} of {} tablets failed", applied.saturating_add(failed));
                    let step = Step { reason: Some(why), ..at(&rollout, RolloutState::Paused) };
                    (step, "rollout.halt")
                }
                Turn::PauseUntried => {
                    let why = "no tablet that this wave was the first to reach has reported in its time: see whether they \
                               connect; then resume, to wait as long again, or resume and begin the next wave";
                    let step = Step { reason: Some(why.to_owned()), ..at(&rollout, RolloutState::Paused) };
                    (step, "rollout.halt")
                }
            };
            let row = versions::get(tx, &rollout.version_id)?
                .ok_or_else(|| Refusal::not_found("profile version", rollout.version_id))?;
            let layer = row.layer()?;
            make(tx, &rollout, &step)?;
            if step.state == RolloutState::Paused {
                let told = json!({ "layer": layer.to_string(), "number": row.number, "why": step.reason });
                let about = Subject::thing(row.id.to_string());
                watch::raise(tx, AlarmKind::RolloutPaused, &about, told, now)?;
            }
            let change = Change::new(action).reason(step.reason.clone()).detail(told(&row, &layer, &step));
            audit::record(tx, &calendar, change, now)?;
            Ok::<_, Refusal>(true)
        })
        .await
}

fn of(tx: &mut Tx<'_>, row: &ProfileVersion) -> Result<Rollout, Refusal> {
    rows::of_version(tx, row.id)?.ok_or_else(|| {
        Refusal::Conflict(format!("version {} of “{}” went to everyone at once", row.number, row.title))
    })
}

fn must(rollout: &Rollout, fits: bool, wanted: &str) -> Result<(), Refusal> {
    if fits {
        Ok(())
    } else {
        Err(Refusal::Conflict(format!("this roll-out is {}; this takes {wanted}", rollout.state)))
    }
}

/// Where it stands, in that state.
fn at(rollout: &Rollout, state: RolloutState) -> Step {
    Step { state, wave: rollout.wave, wave_since: rollout.wave_since, reason: None, ended_at: None }
}

fn next_wave(rollout: &Rollout, now: Instant) -> Result<Step, Refusal> {
    let waves = rollout.decided()?.plan.waves().len();
    let next = rollout.wave.saturating_add(1);
    let last = usize::try_from(next).unwrap_or(usize::MAX).saturating_add(1) >= waves;
    let reached = if usize::try_from(next).unwrap_or(usize::MAX) < waves { next } else { rollout.wave };
    // Everyone is the last wave: there is nothing after it to wait for.
    let (state, ended_at) =
        if last { (RolloutState::Done, Some(now)) } else { (RolloutState::Running, None) };
    Ok(Step { state, wave: reached, wave_since: now, reason: None, ended_at })
}

fn make(tx: &mut Tx<'_>, rollout: &Rollout, step: &Step) -> Result<(), Refusal> {
    if rows::step(tx, rollout, step)? {
        Ok(())
    } else {
        Err(Refusal::Conflict("this roll-out moved on meanwhile; look at it again".to_owned()))
    }
}

fn told(row: &ProfileVersion, layer: &LayerKey, step: &Step) -> serde_json::Value {
    let mut told = detail(row, layer);
    if let Some(told) = told.as_object_mut() {
        told.insert("rollout".to_owned(), json!(step.state));
        told.insert("wave".to_owned(), json!(step.wave));
    }
    told
}
