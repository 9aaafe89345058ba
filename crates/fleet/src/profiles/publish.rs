//! Publication: what was approved takes effect, now or on its day, by both signatures as they stand then.

use ::profiles::report::{Source, lint};
use ::profiles::{Layer, LayerKey, LayerKind, RolloutPlan};
use governance::Permission;
use governance::countersignature::{Countersigned, Purpose};
use serde_json::json;
use store::organisations::OrganisationState;
use store::profile_approvals::{self as approvals, Approval};
use store::profile_versions::{self as rows, End, ProfileVersion, VersionState};
use store::{Tx, Within, account_makers, emergency_orders, notices_due, organisations, standings};
use types::{AccountId, Day, Instant, NoticeId, OrganisationKind, ProfileVersionId, RuleId, Uai};

use super::write::detail;
use super::{
    Sight, about, account, end, may, may_take_back, must_be, must_reach_somebody, question, read, reason,
    rollouts, suspensions,
};
use crate::audit::{self, Change};
use crate::countersignatures::{self, Use};
use crate::watch::{self, AlarmKind, Subject};
use crate::{Fleet, Principal, Refusal, apps};

/// More collèges than any département has.
const ALL: u32 = 5_000;
/// How many publications one round of the calendar does.
const BATCH: u32 = 100;

/// When a version takes effect, and how it comes to tablets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// When; at once, if nothing is said.
    pub at: Option<Instant>,
    /// In which waves; everyone at once, if nothing is said.
    pub plan: Option<RolloutPlan>,
}

/// Publishes an approved version, or sets when the calendar does. The one in force is superseded then.
///
/// # Errors
/// [`Refusal::NotCountersigned`] if a signature does not stand any more, or would not on that day;
/// [`Refusal::DoesNotFit`]; [`Refusal::Conflict`] if it is not approved, or the one in force is being rolled out, unless
/// that is a layer's first version and this one comes without waves.
pub async fn publish(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    when: When,
    now: Instant,
) -> Result<read::Shown, Refusal> {
    about(fleet, principal, id, now, move |tx, principal, Sight { person, row, layer }| {
        may(&person, Permission::PublishProfiles, &layer, now)?;
        must_be(&row, VersionState::Approved)?;
        let at = when.at.unwrap_or(now);
        if at < now {
            return Err(Refusal::invalid("at", "that is past; leave it out to publish now"));
        }
        if let Some(waves) = &when.plan {
            must_reach_somebody(tx, &layer, waves)?;
        }
        must_fit(tx, &row, &layer, now)?;
        signed(tx, &row, &layer, Look::At(at), now)?;
        let plan = when.plan.as_ref().map(RolloutPlan::to_json);
        rows::schedule(tx, id, person.standing.account(), (at, plan.as_deref()))?;
        let mut told = detail(&row, &layer);
        let action = if at > now {
            if let Some(told) = told.as_object_mut() {
                told.insert("takes_effect_at".to_owned(), json!(at));
            }
            "profile.schedule"
        } else {
            let row = rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("profile version", id))?;
            take_effect(tx, &row, &layer, now)?;
            "profile.publish"
        };
        audit::record(tx, principal, Change::new(action).detail(told), now)?;
        if at <= now {
            after(tx, principal, &layer, now)?;
        }
        read::again(tx, &person, id, now)
    })
    .await
}

/// The calendar publishes what is due. A version whose signatures do not stand any more, or that contradicts what came
/// into force since, or whose scheduler may publish it no more, is withdrawn instead, with an alarm. One that waits for what
/// people decide says so, and one that cannot be read is passed over, each with an alarm. Returns how many were decided.
///
/// # Errors
/// [`Refusal::OtherHands`] for anybody else.
pub async fn publish_due(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    let calendar = principal.clone();
    let due = fleet
        .store()
        .read(move |tx| {
            calendar.must_be_calendar()?;
            Ok::<_, Refusal>(rows::due(tx, now, BATCH)?)
        })
        .await?;
    let mut decided = 0;
    for id in due {
        let calendar = principal.clone();
        let published = fleet
            .store()
            .write(move |tx| {
                let Some((row, layer)) = still_due(tx, id, now)? else { return Ok(false) };
                may_still(tx, &row, &layer, now)?;
                take_effect(tx, &row, &layer, now)?;
                let change = Change::new("profile.publish").detail(detail(&row, &layer));
                audit::record(tx, &calendar, change, now)?;
                after(tx, &calendar, &layer, now)?;
                Ok(true)
            })
            .await;
        decided += match published {
            Ok(published) => usize::from(published),
            // Something that people decide comes before it: it waits, and they hear of it.
            Err(Refusal::Conflict(why)) => {
                fleet.store().write(move |tx| waits(tx, id, &why, now)).await?;
                0
            }
            Err(failure @ (Refusal::Store(_) | Refusal::Internal(_))) => {
                watch::pass_over(fleet, id.to_string(), failure, now).await?;
                0
            }
            Err(refusal) => usize::from(give_up(fleet, principal, id, refusal.to_string(), now).await?),
        };
    }
    Ok(decided)
}

/// Says once that a version waits although its day has come, and for what.
fn waits(tx: &mut Tx<'_>, id: ProfileVersionId, why: &str, now: Instant) -> Result<(), Refusal> {
    let told = json!({ "why": why, "next": "end what it waits for, or withdraw it" });
    let subject = Subject::thing(id.to_string());
    Ok(watch::raise_once(tx, AlarmKind::PublicationWaits, &subject, told, now)?)
}

fn still_due(
    tx: &mut Tx<'_>,
    id: ProfileVersionId,
    now: Instant,
) -> Result<Option<(ProfileVersion, LayerKey)>, Refusal> {
    let due = |row: &ProfileVersion| {
        row.state == VersionState::Approved && row.takes_effect_at.is_some_and(|at| at <= now)
    };
    let Some(row) = rows::get(tx, &id)?.filter(due) else { return Ok(None) };
    let layer = row.layer()?;
    Ok(Some((row, layer)))
}

/// Passes a version that was scheduled by somebody who could still publish it now.
fn may_still(tx: &mut Tx<'_>, row: &ProfileVersion, layer: &LayerKey, now: Instant) -> Result<(), Refusal> {
    let standing = row.scheduled_by.map(|by| standings::of_account(tx, by)).transpose()?.flatten();
    let reach = standing.as_ref().and_then(|standing| standing.reach(Permission::PublishProfiles, now));
    if reach.is_some_and(|reach| reach.covers(&super::place(layer))) {
        return Ok(());
    }
    let rule = if layer.college().is_some() { RuleId::C3_1_3 } else { RuleId::C3_1_1 };
    let what = "whoever scheduled it may publish it no more: somebody who may schedules it anew".to_owned();
    Err(Refusal::Forbidden { rule, what })
}

async fn give_up(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    why: String,
    now: Instant,
) -> Result<bool, Refusal> {
    let calendar = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let Some((row, layer)) = still_due(tx, id, now)? else { return Ok(false) };
            let why: String = format!("not published on its day: {why}").chars().take(500).collect();
            end(tx, &row, &End { rejected: false, by: None, reason: why.clone(), at: now })?;
            let told = json!({ "layer": layer.to_string(), "number": row.number, "why": why });
            watch::raise(tx, AlarmKind::PublicationRefused, &Subject::thing(id.to_string()), told, now)?;
            let change = Change::new("profile.withdraw").reason(Some(why)).detail(detail(&row, &layer));
            audit::record(tx, &calendar, change, now)?;
            Ok(true)
        })
        .await
}

/// Puts a version in force: its signatures are used up, and what was in force is superseded.
fn take_effect(tx: &mut Tx<'_>, row: &ProfileVersion, layer: &LayerKey, now: Instant) -> Result<(), Refusal> {
    must_fit(tx, row, layer, now)?;
    let before = rows::published(tx, layer)?;
    let plan = waves_of(tx, row, layer)?;
    if let Some(before) = &before {
        rollouts::give_way(tx, before, (row, plan.as_ref()), now)?;
    }
    signed(tx, row, layer, Look::Use, now)?;
    if let Some(before) = &before {
        rows::supersede(tx, before.id, now)?;
    }
    rows::publish(tx, row.id, now)?;
    // Read back as whatever writes for a tablet will: what does not pass does not take effect.
    rows::approved(tx, row.id)?;
    if let Some(plan) = plan {
        let by = row.scheduled_by.unwrap_or(row.author_id);
        rollouts::start(tx, (row.id, before.map(|before| before.id)), &plan, by, now)?;
    }
    let concerned = groups(tx, layer)?;
    notify(tx, &format!("profile-version:{}", row.id), &concerned, &row.title, now)
}

/// The waves of a version that takes effect. They still reach somebody: a collège may have been closed since they were
/// planned. An emergency base has none, whatever was planned: it takes effect by its orders (C5.3.7).
fn waves_of(tx: &mut Tx<'_>, row: &ProfileVersion, layer: &LayerKey) -> Result<Option<RolloutPlan>, Refusal> {
    if matches!(layer, LayerKey::Emergency(_)) {
        return Ok(None);
    }
    let Some(plan) = &row.rollout_plan else { return Ok(None) };
    let plan = RolloutPlan::from_json(plan).map_err(Refusal::Internal)?;
    // It waits then, and says why: whoever may publish it plans it anew.
    must_reach_somebody(tx, layer, &plan).map_err(|refused| match refused {
        refused @ Refusal::Invalid { .. } => {
            Refusal::Conflict(format!("its waves fit no more: {refused}; publish it anew with others"))
        }
        other => other,
    })?;
    Ok(Some(plan))
}

/// What comes of another text in force: what collèges add is looked at anew.
pub(super) fn after(
    tx: &mut Tx<'_>,
    principal: &Principal,
    layer: &LayerKey,
    now: Instant,
) -> Result<(), Refusal> {
    match layer.college() {
        None => suspensions::review(tx, principal, now)?,
        // What it adds was held against everything before it was published.
        Some(_uai) => suspensions::lift_what_is_over(tx, principal, now)?,
    };
    Ok(())
}

/// How signatures are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Whether they stand, and will at that instant.
    At(Instant),
    /// They are used up.
    Use,
}

/// Passes a version whose approvals stand: both persons could still give them, neither stands behind the other, and
/// they are not too old (C3.1.1, C3.1.7). A collège's own decision stands by itself.
fn signed(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
    layer: &LayerKey,
    look: Look,
    now: Instant,
) -> Result<(), Refusal> {
    if layer.college().is_some() {
        return Ok(());
    }
    let mut signatures: Vec<Countersigned> = Vec::new();
    for approval in approvals::of_version(tx, row.id)? {
        signatures.push(signature(tx, row, &approval, look, now)?);
    }
    let [one, other] = signatures.as_slice() else {
        return Err(super::not_in(row, "one that both organisations approved"));
    };
    let hands = account_makers::hands(tx, now)?;
    if !one.is_independent_of(other, &hands) {
        let why = governance::countersignature::NotCountersigned::OneHand;
        return Err(Refusal::not_countersigned(Purpose::Approve, why));
    }
    Ok(())
}

fn signature(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
    approval: &Approval,
    look: Look,
    now: Instant,
) -> Result<Countersigned, Refusal> {
    let id = approval
        .countersignature_id
        .ok_or_else(|| Refusal::Internal(format!("an approval of version {} has no signature", row.id)))?;
    let (subject, content) = question(row, approval.organisation_id)?;
    let used_for = format!("profile-version:{}", row.id);
    let purpose = Purpose::Approve;
    let used = Use { purpose, subject: &subject, content: &content, used_for: &used_for };
    match look {
        Look::Use => countersignatures::proof(tx, id, &used, now),
        Look::At(at) => {
            let signed = countersignatures::stands(tx, id, &used, now)?;
            let last = signed.answered_at().plus(purpose.good_for());
            if at >= last {
                let day = Day::of(last);
                let problem = format!(
                    "a signature under it counts until {day} only; publish before, or ask again then"
                );
                return Err(Refusal::invalid("at", problem));
            }
            Ok(signed)
        }
    }
}

/// Passes a text that goes together with everything that tablets have, and whose apps are given out as it decides them
/// (C3.1.2).
pub(super) fn must_fit(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
    layer: &LayerKey,
    now: Instant,
) -> Result<(), Refusal> {
    must_go_together(tx, row, layer, now)?;
    let text = rows::content(tx, row.id)?;
    let text = ::profiles::parse("layer", text.expose()).map_err(Refusal::BadLayer)?;
    must_add_something(tx, &text)?;
    apps::require_known(tx, &text)
}

/// Passes what a collège adds, if the base in force blocks none of it: it decides alone, and nobody else would tell it
/// that no tablet is given what it names (C3.1.3).
fn must_add_something(tx: &mut Tx<'_>, layer: &Layer) -> Result<(), Refusal> {
    if !matches!(layer.kind(), LayerKind::College(_)) {
        return Ok(());
    }
    let Some(base) = rows::published(tx, &LayerKey::Base)? else { return Ok(()) };
    let base = rows::content(tx, base.id)?;
    let base = ::profiles::parse("base", base.expose()).map_err(Refusal::BadLayer)?;
    let wrong = ::profiles::added_in_vain(layer, &base);
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::DoesNotFit(wrong)) }
}

/// Passes a text that goes together with everything that tablets have, those too whose roll-out has not reached them yet.
/// What a collège adds never stands in the way of what is decided jointly (C3.1.3): it is suspended instead.
pub(super) fn must_go_together(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
    layer: &LayerKey,
    now: Instant,
) -> Result<(), Refusal> {
    let mut texts = suspensions::texts(tx)?;
    if let Some(other) = texts.iter().find(|other| layer.excludes(&other.layer)) {
        return Err(Refusal::Conflict(format!(
            "{} is in force and is for some of the same users: one kind of user has one layer",
            other.layer
        )));
    }
    // What another collège adds never meets what this one does.
    texts.retain(|other| other.layer != *layer && other.layer.college().is_none());
    let (mine, text) = (layer.to_string(), rows::content(tx, row.id)?);
    let mut sources: Vec<Source<'_>> =
        texts.iter().map(|other| Source { file: &other.name, text: other.content.expose() }).collect();
    sources.push(Source { file: &mine, text: text.expose() });
    let report = lint(&sources, Day::of(now));
    let wrong: Vec<_> = report
        .together
        .into_iter()
        .filter(|together| together.files.contains(&mine))
        .flat_map(|together| together.refusals)
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::DoesNotFit(wrong)) }
}

/// The collèges whose users a change of this layer concerns.
pub(super) fn groups(tx: &mut Tx<'_>, layer: &LayerKey) -> Result<Vec<Uai>, Refusal> {
    // An emergency base concerns nobody until it is ordered.
    match layer {
        LayerKey::College(uai) => Ok(vec![uai.clone()]),
        LayerKey::Emergency(_) => Ok(Vec::new()),
        _ => all_colleges(tx),
    }
}

pub(super) fn all_colleges(tx: &mut Tx<'_>) -> Result<Vec<Uai>, Refusal> {
    let found = organisations::list(tx, &Within::Everything, None, ALL)?;
    let active = found
        .into_iter()
        .filter(|it| it.kind == OrganisationKind::College && it.state == OrganisationState::Active);
    Ok(active.filter_map(|it| it.uai).collect())
}

/// Leaves a notice for each collège whose users must be told (C5.2.6).
pub(super) fn notify(
    tx: &mut Tx<'_>,
    subject: &str,
    groups: &[Uai],
    title: &str,
    now: Instant,
) -> Result<(), Refusal> {
    for uai in groups {
        let notice = notices_due::Notice {
            id: NoticeId::new(now),
            subject: subject.to_owned(),
            uai: Some(uai.clone()),
            title: title.to_owned(),
            due_at: now,
            told_at: None,
        };
        notices_due::insert(tx, &notice)?;
    }
    Ok(())
}

/// Takes a version back. What is in force of a joint layer stays until another approved version takes its place:
/// without it, tablets would be less restricted, and nobody approved that (C3.1.1). What a collège added, it may take
/// away; an emergency base, while no order rests on it.
///
/// # Errors
/// [`Refusal::Forbidden`], to whoever is neither its author nor may approve it as well; [`Refusal::Conflict`] for what has
/// ended.
pub async fn withdraw(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    why: &str,
    now: Instant,
) -> Result<read::Shown, Refusal> {
    let why = reason(why)?;
    about(fleet, principal, id, now, move |tx, principal, Sight { person, row, layer }| {
        let in_force = row.state == VersionState::Published;
        may_take_back(&person, &row, &layer, now)?;
        if in_force {
            may_be_taken_away(tx, &row, &layer, now)?;
            let concerned = groups(tx, &layer)?;
            notify(tx, &format!("profile-version:{id}"), &concerned, &row.title, now)?;
        }
        let by: Option<AccountId> = account(principal);
        end(tx, &row, &End { rejected: false, by, reason: why.clone(), at: now })?;
        let change = Change::new("profile.withdraw").reason(Some(why.clone())).detail(detail(&row, &layer));
        audit::record(tx, principal, change, now)?;
        if in_force {
            rollouts::end_with(tx, id, &why, now)?;
            after(tx, principal, &layer, now)?;
        }
        read::again(tx, &person, id, now)
    })
    .await
}

pub(super) fn may_be_taken_away(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
    layer: &LayerKey,
    now: Instant,
) -> Result<(), Refusal> {
    match layer {
        LayerKey::College(_) => Ok(()),
        LayerKey::Emergency(_) => {
            let ordered = emergency_orders::not_past(tx, Day::of(now))?;
            if ordered.iter().any(|order| order.version_id == row.id) {
                let what = "an emergency order rests on it: end the order first".to_owned();
                Err(Refusal::Forbidden { rule: RuleId::C5_3_7, what })
            } else {
                Ok(())
            }
        }
        _ => Err(Refusal::Forbidden {
            rule: RuleId::C3_1_1,
            what: "without it, tablets would be less restricted, and nobody approved that: publish another approved \
                   version, or go back to the one before it while it is rolled out"
                .to_owned(),
        }),
    }
}
