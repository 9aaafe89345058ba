//! What is on tablets: versions of layers, from a draft to publication, and orders that put an emergency base in force.
//!
//! The base, and every other layer but a collège's additions, is decided by one person of the département and one of
//! the académie, neither of them its author (C3.1.1, C3.1.2, C3.1.7): each signs, as a second person, exactly the text
//! that was submitted. What was submitted is never changed. An edit of it is another version, and the one before is
//! withdrawn with every signature it had.

mod decide;
mod emergency;
mod publish;
mod read;
mod rollouts;
mod suspensions;
mod write;

use std::collections::BTreeSet;

use governance::countersignature::{Content, Purpose, Subject};
use governance::{NotAllowed, Permission, Place};
use serde_json::json;
use store::profile_versions::{self as rows, ProfileVersion, VersionState};
use store::{Tx, countersignatures as requests};
use types::{
    AccountId, CountersignatureId, Instant, OrganisationId, OrganisationKind, ProfileVersionId, Role, RuleId,
    Uai,
};

use ::profiles::{LayerKey, RolloutPlan, Wave};

use crate::coming_in::Person;
use crate::{Fleet, Principal, Refusal};

pub(crate) use decide::{answered, fell};
pub use decide::{approve, reject, submit};
pub use emergency::{
    Order, Wanted, end as end_emergency, list as list_emergencies, order as order_emergency,
};
pub use publish::{When, publish, publish_due, withdraw};
pub use read::{
    Approval, Difference, ElsewhereApprove, Line, MayApprove, NotThisOne, Plan, Shown, changes, diff,
    history, list, plan, plan_of_draft, show,
};
pub use rollouts::{Progress, advance, advance_due, halt, progress, resume, roll_back};
pub(crate) use suspensions::review;
pub use write::{draft, edit};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// A reason that was given.
fn reason(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let fits =
        !text.is_empty() && text.chars().count() <= LONGEST_REASON && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Refusal::invalid("reason", format!("say why, in 1 to {LONGEST_REASON} characters")))
    }
}

/// Passes collèges that there are. Where one is named that is not, nothing would come to anybody, and nobody would see it.
fn must_exist<'u>(
    tx: &mut Tx<'_>,
    field: &'static str,
    uais: impl IntoIterator<Item = &'u Uai>,
) -> Result<(), Refusal> {
    let mut named = uais.into_iter().peekable();
    if named.peek().is_none() {
        return Ok(());
    }
    let active: BTreeSet<Uai> = publish::all_colleges(tx)?.into_iter().collect();
    for uai in named {
        if !active.contains(uai) {
            let problem = format!(
                "there is no collège {uai}, or it is closed; `ardoise organisation list` shows those that there are"
            );
            return Err(Refusal::invalid(field, problem));
        }
    }
    Ok(())
}

/// Passes waves whose collèges there are and have the layer: what a collège adds comes to nobody else, and an emergency base
/// comes to those for whom it is ordered (C5.3.7).
fn must_reach_somebody(tx: &mut Tx<'_>, layer: &LayerKey, waves: &RolloutPlan) -> Result<(), Refusal> {
    if matches!(layer, LayerKey::Emergency(_)) && !waves.is_at_once() {
        let problem = "an emergency base takes effect by its orders, not by waves: publish it without waves, then order it \
                       for some collèges first (`ardoise profile emergency order`)";
        return Err(Refusal::invalid("waves", problem));
    }
    let named: BTreeSet<&Uai> = waves
        .waves()
        .iter()
        .filter_map(|wave| match wave {
            Wave::Colleges(colleges) => Some(colleges),
            Wave::Percent(_) | Wave::Everyone => None,
        })
        .flatten()
        .collect();
    if let Some(own) = layer.college()
        && let Some(other) = named.iter().find(|uai| **uai != own)
    {
        let problem = format!(
            "what collège {own} adds comes to its own tablets only: leave out {other}, or name percentages"
        );
        return Err(Refusal::invalid("waves", problem));
    }
    must_exist(tx, "waves", named)
}

/// Where a layer is decided: everywhere, or in one collège.
fn place(layer: &LayerKey) -> Place {
    layer.college().map_or(Place::Fleet, |uai| Place::College(Some(uai.clone())))
}

/// Whether whoever reads may see a layer: what is decided jointly concerns every tablet.
fn may_see(reach: &governance::Reach, layer: &LayerKey) -> bool {
    layer.college().is_none() || reach.covers(&place(layer))
}

/// A version that the person may see.
fn seen(
    tx: &mut Tx<'_>,
    person: &Person,
    id: ProfileVersionId,
    now: Instant,
) -> Result<(ProfileVersion, LayerKey), Refusal> {
    let reach = person.standing.may(Permission::ViewProfiles, &person.access, now)?;
    let not_found = || Refusal::not_found("profile version", id);
    let row = rows::get(tx, &id)?.ok_or_else(not_found)?;
    let layer = row.layer()?;
    if may_see(&reach, &layer) { Ok((row, layer)) } else { Err(not_found()) }
}

/// A version that somebody works on.
struct Sight {
    /// Who they are.
    person: Person,
    /// The version.
    row: ProfileVersion,
    /// Its layer.
    layer: LayerKey,
}

/// One transaction about a version that whoever asks may see.
async fn about<T: Send + 'static>(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    now: Instant,
    mut act: impl FnMut(&mut Tx<'_>, &Principal, Sight) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let sight = sight(tx, &principal, id, now)?;
            act(tx, &principal, sight)
        })
        .await
}

/// As [`about`], for what changes nothing.
async fn look_at<T: Send + 'static>(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    now: Instant,
    mut look: impl FnMut(&mut Tx<'_>, Sight) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let sight = sight(tx, &principal, id, now)?;
            look(tx, sight)
        })
        .await
}

fn sight(
    tx: &mut Tx<'_>,
    principal: &Principal,
    id: ProfileVersionId,
    now: Instant,
) -> Result<Sight, Refusal> {
    let person = principal.person(tx, now)?;
    let (row, layer) = seen(tx, &person, id, now)?;
    Ok(Sight { person, row, layer })
}

/// Passes whoever may do this with that layer. A collège decides what it adds, and nobody for it (C3.1.3).
fn may(person: &Person, permission: Permission, layer: &LayerKey, now: Instant) -> Result<(), Refusal> {
    let reach = person.standing.may(permission, &person.access, now)?;
    if !reach.covers(&place(layer)) {
        return Err(NotAllowed::OutOfReach { permission }.into());
    }
    match layer.college() {
        Some(uai) if person.standing.organisation().uai() != Some(uai) => Err(Refusal::Forbidden {
            rule: RuleId::C3_1_3,
            what: format!("what collège {uai} adds is decided there: ask its head or référent"),
        }),
        _ => Ok(()),
    }
}

/// Passes whoever may take back what both organisations approve: its author while it is not in force, for they asked for
/// the signatures; and otherwise those who have the right that approving takes (C3.1.1).
fn may_take_back(
    person: &Person,
    row: &ProfileVersion,
    layer: &LayerKey,
    now: Instant,
) -> Result<(), Refusal> {
    let in_force = row.state == VersionState::Published;
    if row.author_id == person.standing.account() && !in_force {
        return may(person, Permission::DraftProfiles, layer, now);
    }
    may(person, Permission::PublishProfiles, layer, now)?;
    let decides_jointly = matches!(
        person.standing.organisation().kind(),
        OrganisationKind::Departement | OrganisationKind::Academie
    );
    let decided_by_one = layer.college().is_some() || row.state == VersionState::Draft;
    if decided_by_one || (decides_jointly && person.standing.has(Role::Approver, now)) {
        return Ok(());
    }
    let (title, number, state) = (&row.title, row.number, row.state);
    Err(Refusal::Forbidden {
        rule: RuleId::C3_1_1,
        what: format!(
            "version {number} of “{title}” is {state}: it is taken back by its author before it is in force, or by \
             somebody who may approve for the département or the académie; ask one of them (`ardoise profile show`)"
        ),
    })
}

/// What the people of one organisation sign: this text of this version, and no other.
fn question(row: &ProfileVersion, organisation: OrganisationId) -> Result<(Subject, Content), Refusal> {
    let content = json!({
        "version": row.id, "layer": row.layer()?.to_string(), "number": row.number, "title": row.title,
        "text_sha256": row.content_sha256, "organisation": organisation,
    });
    let content = Content::new(&content).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok((Subject::Version(row.content_sha256), content))
}

/// The requests for signatures under a version, whatever became of them.
fn requests_of(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
) -> Result<Vec<(CountersignatureId, requests::Countersignature)>, Refusal> {
    let subject = Subject::Version(row.content_sha256).to_string();
    let found = requests::about(tx, Purpose::Approve.as_str(), &subject)?;
    let of_it = |it: &requests::Countersignature| {
        it.answer_organisation.is_some_and(|organisation| {
            question(row, organisation).is_ok_and(|(_subject, content)| content.digest() == it.content_sha256)
        })
    };
    Ok(found.into_iter().filter(of_it).map(|it| (it.id, it)).collect())
}

/// Voids every signature under a version, and every request for one: it ended, or is edited.
fn void_signatures(tx: &mut Tx<'_>, row: &ProfileVersion) -> Result<usize, Refusal> {
    let mut voided = 0;
    for (id, _request) in requests_of(tx, row)? {
        voided += usize::from(requests::void(tx, id)?);
    }
    Ok(voided)
}

/// Ends a version with every signature under it.
fn end(tx: &mut Tx<'_>, row: &ProfileVersion, end: &rows::End) -> Result<(), Refusal> {
    if !rows::end(tx, row.id, end)? {
        return Err(not_in(row, "a version that has not ended"));
    }
    void_signatures(tx, row)?;
    Ok(())
}

/// It has another state than it would take.
fn not_in(row: &ProfileVersion, wanted: &str) -> Refusal {
    let (title, number, state) = (&row.title, row.number, row.state);
    Refusal::Conflict(format!("version {number} of “{title}” is {state}; this takes {wanted}"))
}

/// Passes a version in this state.
fn must_be(row: &ProfileVersion, state: VersionState) -> Result<(), Refusal> {
    if row.state == state { Ok(()) } else { Err(not_in(row, &format!("one that is {state}"))) }
}

/// The account of a person; the calendar has none.
fn account(principal: &Principal) -> Option<AccountId> {
    principal.actor_account()
}
