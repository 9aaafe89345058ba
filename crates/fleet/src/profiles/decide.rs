//! Decisions: a draft is submitted, and those who decide it approve or refuse exactly its text.

use ::profiles::LayerKey;
use governance::Permission;
use governance::countersignature::{Asked, NotCountersigned, Purpose, Question, SecondPerson, Verdict};
use serde_json::Value as Json;
use store::profile_approvals::{self as approvals, Approval};
use store::profile_versions::{self as rows, End, ProfileVersion, VersionState};
use store::{Digest, Tx, account_makers, countersignatures as requests, organisations};
use types::{CountersignatureId, Instant, OrganisationKind, ProfileVersionId, RuleId};

use super::write::detail;
use super::{Sight, about, look_at, may, must_be, publish, question, read, reason, requests_of, seen};
use crate::audit::{self, Change};
use crate::coming_in::Person;
use crate::countersignatures::{self, Said};
use crate::{Fleet, Principal, Refusal};

/// Submits one's own draft. The département and the académie are each asked for a signature under exactly its text;
/// what a collège adds is decided by submitting it.
///
/// # Errors
/// [`Refusal::DoesNotFit`] if it contradicts what is in force; [`Refusal::Conflict`] if it is no draft;
/// [`Refusal::Forbidden`] for somebody else's draft: whoever asks for signatures answers for the text.
pub async fn submit(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    why: &str,
    now: Instant,
) -> Result<read::Shown, Refusal> {
    let why = reason(why)?;
    about(fleet, principal, id, now, move |tx, principal, Sight { person, row, layer }| {
        may(&person, Permission::DraftProfiles, &layer, now)?;
        must_be(&row, VersionState::Draft)?;
        if row.author_id != person.standing.account() {
            return Err(Refusal::Forbidden {
                rule: RuleId::C3_1_7,
                what: "a draft is submitted by its author; edit it, and it is yours".to_owned(),
            });
        }
        publish::must_fit(tx, &row, &layer, now)?;
        if !rows::submit(tx, id, now)? {
            return Err(super::not_in(&row, "a draft"));
        }
        match layer.college() {
            None => ask_both(tx, &person, &row, &why, now)?,
            Some(_) => decide_alone(tx, &person, &row, now)?,
        }
        let change = Change::new("profile.submit").reason(Some(why.clone())).detail(detail(&row, &layer));
        audit::record(tx, principal, change, now)?;
        read::again(tx, &person, id, now)
    })
    .await
}

/// Asks the département and the académie, each for itself.
fn ask_both(
    tx: &mut Tx<'_>,
    person: &Person,
    row: &ProfileVersion,
    why: &str,
    now: Instant,
) -> Result<(), Refusal> {
    for kind in [OrganisationKind::Departement, OrganisationKind::Academie] {
        let organisation = organisations::of_kind(tx, kind)?.ok_or_else(|| {
            Refusal::Conflict(format!(
                "there is no {kind} yet, and both decide this: create it first (`ardoise organisation create`)"
            ))
        })?;
        let (subject, content) = question(row, organisation.id)?;
        let second = SecondPerson::Approver { organisation: organisation.id };
        let question =
            Question { purpose: Purpose::Approve, subject, content, second, reason: why.to_owned() };
        countersignatures::ask_within(tx, person, question, now)?;
    }
    Ok(())
}

/// A collège decides what it adds, by whoever submits it (C3.1.3).
fn decide_alone(tx: &mut Tx<'_>, person: &Person, row: &ProfileVersion, now: Instant) -> Result<(), Refusal> {
    let approval = Approval {
        version_id: row.id,
        organisation_id: person.standing.organisation().id(),
        account_id: person.standing.account(),
        content_sha256: row.content_sha256,
        approved_at: now,
        countersignature_id: None,
    };
    approvals::insert(tx, &approval)?;
    rows::approve(tx, row.id)?;
    Ok(())
}

/// Approves a version for one's organisation, as the second person: exactly the text whose digest one looked at.
///
/// # Errors
/// [`Refusal::NotCountersigned`] says why the signature does not count: it is one's own text, one's account was made or
/// reset by its author in the last 30 days, the text is not the one that waits (C3.1.1, C3.1.7).
pub async fn approve(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    looked_at: Digest,
    now: Instant,
) -> Result<read::Shown, Refusal> {
    answer(fleet, principal, id, (Verdict::Give, looked_at, None), now).await
}

/// Refuses a version for one's organisation. It ends, and every signature under it.
///
/// # Errors
/// As [`approve`]; [`Refusal::Invalid`] without a reason.
pub async fn reject(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    why: &str,
    now: Instant,
) -> Result<read::Shown, Refusal> {
    let why = reason(why)?;
    let sha256 = look_at(fleet, principal, id, now, |_tx, seen| Ok(seen.row.content_sha256)).await?;
    answer(fleet, principal, id, (Verdict::Refuse, sha256, Some(why)), now).await
}

async fn answer(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    (verdict, looked_at, why): (Verdict, Digest, Option<String>),
    now: Instant,
) -> Result<read::Shown, Refusal> {
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::AnswerCountersignature, &person.access, now)?;
            let (row, layer) = seen(tx, &person, id, now)?;
            must_wait(&row, &layer)?;
            if row.content_sha256 != looked_at {
                return Err(Refusal::not_countersigned(Purpose::Approve, NotCountersigned::NotSeen));
            }
            let mine = person.standing.organisation();
            let waiting = requests_of(tx, &row)?;
            let (request, asked) = waiting
                .iter()
                .find(|(_id, request)| request.answer_organisation == Some(mine.id()))
                .ok_or_else(|| Refusal::Forbidden {
                    rule: RuleId::C3_1_1,
                    what: format!(
                        "the département and the académie approve this, and {} is neither; it changes nothing here",
                        mine.kind()
                    ),
                })?;
            let said = Said { verdict, seen: asked.content_sha256, reason: why.clone() };
            countersignatures::answer_within(tx, (&principal, &person), (*request, said), &terms, now).map_err(
                // Whoever lacks the right is told so, not that there is no such request.
                |refusal| match refusal {
                    Refusal::NotFound { .. } => Refusal::not_countersigned(
                        Purpose::Approve,
                        NotCountersigned::NotTheSecond {
                            second: SecondPerson::Approver { organisation: mine.id() },
                        },
                    ),
                    other => other,
                },
            )?;
            read::again(tx, &person, id, now)
        })
        .await
}

fn must_wait(row: &ProfileVersion, layer: &LayerKey) -> Result<(), Refusal> {
    match layer.college() {
        None => must_be(row, VersionState::Submitted),
        Some(uai) => Err(Refusal::Conflict(format!("collège {uai} decides this by submitting it"))),
    }
}

/// What comes of a second person's answer about a version, with its one entry of the audit log: an approval, and the
/// version is approved once both organisations did; or its end.
///
/// # Errors
/// [`Refusal::Conflict`] if the version no longer waits; [`Refusal::NotCountersigned`] if one person may stand behind
/// both signatures (C3.1.7). Nothing is answered then.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    principal: &Principal,
    asked: &Asked,
    answer: &requests::Answer,
    now: Instant,
) -> Result<(), Refusal> {
    let question = asked.question();
    let row = version_of(tx, question.content.text())?
        .ok_or_else(|| Refusal::Conflict("the version that was asked about is not there".to_owned()))?;
    let layer = row.layer()?;
    must_be(&row, VersionState::Submitted)?;
    let action = if answer.given {
        publish::must_fit(tx, &row, &layer, now)?;
        let organisation = question
            .second
            .organisation()
            .ok_or_else(|| Refusal::Internal("an approval is asked of an organisation".to_owned()))?;
        let before = approvals::of_version(tx, row.id)?;
        let hands = account_makers::hands(tx, now)?;
        // Where the département and the académie both sign, nobody may stand behind both.
        if before.iter().any(|other| !hands.independent(other.account_id, answer.by)) {
            return Err(Refusal::not_countersigned(Purpose::Approve, NotCountersigned::OneHand));
        }
        let approval = Approval {
            version_id: row.id,
            organisation_id: organisation,
            account_id: answer.by,
            content_sha256: row.content_sha256,
            approved_at: answer.at,
            countersignature_id: Some(asked.id()),
        };
        approvals::insert(tx, &approval)?;
        if !before.is_empty() {
            rows::approve(tx, row.id)?;
        }
        "profile.approve"
    } else {
        let why = answer.reason.clone().unwrap_or_default();
        super::end(tx, &row, &End { rejected: true, by: Some(answer.by), reason: why, at: now })?;
        "profile.reject"
    };
    let mut told = detail(&row, &layer);
    if let Some(told) = told.as_object_mut() {
        told.insert("countersignature".to_owned(), serde_json::json!(asked.id()));
    }
    audit::record(tx, principal, Change::new(action).reason(answer.reason.clone()).detail(told), now)
}

/// Ends the version that a signature, or a request for one, was about: it was taken back, or whoever gave or asked it
/// lost the right. Anything else is left alone. The caller's entry of the audit log tells it.
pub(crate) fn fell(tx: &mut Tx<'_>, id: CountersignatureId, now: Instant) -> Result<(), Refusal> {
    let Some(request) = requests::get(tx, &id)? else { return Ok(()) };
    let Some(content) = request.content.filter(|_content| request.purpose == Purpose::Approve.as_str())
    else {
        return Ok(());
    };
    let Some(row) = version_of(tx, &content)? else { return Ok(()) };
    if matches!(row.state, VersionState::Submitted | VersionState::Approved) {
        let why = "a signature it rests on is void: whoever asked or signed took it back, or lost the right";
        super::end(tx, &row, &End { rejected: false, by: None, reason: why.to_owned(), at: now })?;
    }
    Ok(())
}

/// The version that a question is about.
fn version_of(tx: &mut Tx<'_>, content: &str) -> Result<Option<ProfileVersion>, Refusal> {
    let content: Json = serde_json::from_str(content).unwrap_or_default();
    let id = content.get("version").and_then(Json::as_str).and_then(|id| id.parse::<ProfileVersionId>().ok());
    Ok(id.map(|id| rows::get(tx, &id)).transpose()?.flatten())
}
