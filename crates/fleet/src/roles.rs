//! Roles: given to the accounts of one's own organisation, and taken back (C3.1.7).
//!
//! Nobody gives one to themselves. A right to approve waits for a second person of the organisation, who is asked as
//! it is given, and counts 24 hours after their answer.

use std::collections::BTreeSet;

use governance::countersignature::{Purpose, Question, SecondPerson};
use governance::{GrantReach, Maker, NotConfirmed, OrganisationState, Permission, RoleGrant, Standing};
use serde_json::json;
use store::{Tx, account_makers, countersignatures as requests, organisations, role_grants, standings};
use types::{CountersignatureId, Instant, Role, RoleGrantId, Uai};

use crate::accounts::{Named, checked_reason, other_managers, reached};
use crate::audit::{self, Change};
use crate::coming_in::Person;
use crate::countersignatures::{self, Use};
use crate::{Fleet, Principal, Refusal, first_accounts};

/// A role to give.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// To whom.
    pub to: Named,
    /// The role.
    pub role: Role,
    /// The only collèges it is for; `None`: as far as the organisation reaches.
    pub colleges: Option<BTreeSet<Uai>>,
    /// Why: the second person of a right to approve decides by it.
    pub reason: Option<String>,
}

/// A role that was given.
#[derive(Debug, Clone)]
pub struct Given {
    /// The grant.
    pub grant: RoleGrant,
    /// The request that a second person answers, for a right to approve.
    pub countersignature: Option<CountersignatureId>,
}

/// Gives a role to somebody of one's own organisation. A right to approve is at once asked of a second person.
///
/// # Errors
/// [`Refusal::NotGranted`] says why not; [`Refusal::Invalid`] for a collège that there is not; [`Refusal::NotFound`].
pub async fn give(
    fleet: &Fleet,
    principal: &Principal,
    wanted: Wanted,
    now: Instant,
) -> Result<Given, Refusal> {
    let reason = checked_reason(wanted.reason.clone())?;
    if wanted.role == Role::Approver && reason.is_none() {
        return Err(Refusal::invalid("reason", "say why: the second person decides by it"));
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (row, standing) = reached(tx, &person, Permission::GrantRoles, &wanted.to, now)?;
            let reach = match &wanted.colleges {
                None => GrantReach::Organisation,
                Some(colleges) => GrantReach::Colleges(known(tx, colleges)?),
            };
            let (id, to) = (RoleGrantId::new(now), (standing.whose(), standing.grants()));
            let (by, access) = (&person.standing, &person.access);
            let grant = RoleGrant::give(id, to, wanted.role, reach, by, access, now)?;
            first_accounts::give(tx, &grant)?;
            let detail = json!({
                "grant": id, "account": row.id, "role": wanted.role, "colleges": wanted.colleges,
            });
            let change = Change::new("role.give").reason(reason.clone()).detail(detail);
            audit::record(tx, &principal, change, now)?;
            let countersignature = match wanted.role {
                Role::Approver => Some(ask(tx, &person, &grant, reason.clone().unwrap_or_default(), now)?),
                _ => None,
            };
            Ok(Given { grant, countersignature })
        })
        .await
}

/// Asks again for the confirmation of a right to approve that one gave, when nobody answered in time, or somebody
/// refused.
///
/// # Errors
/// [`Refusal::NotConfirmed`] for a right that was confirmed or taken back, or that somebody else gave;
/// [`Refusal::NotFound`].
pub async fn ask_again(
    fleet: &Fleet,
    principal: &Principal,
    id: RoleGrantId,
    reason: String,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (_, grant) = reached_grant(tx, &person, id, now)?;
            if grant.role() != Role::Approver {
                return Err(NotConfirmed::NotNeeded { role: grant.role() }.into());
            }
            if let Some(at) = grant.revoked_at() {
                return Err(NotConfirmed::Revoked { at }.into());
            }
            if let Some(at) = grant.confirmed_at() {
                return Err(NotConfirmed::Already { at }.into());
            }
            if grant.granted_by() != Maker::Account(person.standing.account()) {
                return Err(NotConfirmed::NotAskedByItsGiver.into());
            }
            ask(tx, &person, &grant, reason.clone(), now)
        })
        .await
}

/// Takes a role back, at once. What its bearer asked or signed, and nothing came of yet, is void, as is what was asked
/// about the role itself.
///
/// # Errors
/// [`Refusal::NotRevoked`] says why not; [`Refusal::NotFound`].
pub async fn take_back(
    fleet: &Fleet,
    principal: &Principal,
    id: RoleGrantId,
    reason: Option<String>,
    now: Instant,
) -> Result<RoleGrant, Refusal> {
    let (reason, principal) = (checked_reason(reason)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (standing, grant) = reached_grant(tx, &person, id, now)?;
            let of = standing.whose();
            let beside = [of.id(), person.standing.account()];
            let others = other_managers(tx, of.organisation().id(), beside, now)?;
            let revoked = grant.revoke(of, others, &person.standing, &person.access, now)?;
            role_grants::revoke(tx, id, principal.actor_account(), now)?;
            let (subject, _) = grant.question();
            for request in requests::about(tx, Purpose::ConfirmApprover.as_str(), &subject.to_string())? {
                requests::void(tx, request.id)?;
            }
            let void = countersignatures::void_of_account(tx, of.id(), now)?;
            let detail = json!({
                "grant": id, "account": of.id(), "role": grant.role(), "countersignatures": void,
            });
            let change = Change::new("role.take-back").reason(reason.clone()).detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(revoked)
        })
        .await
}

/// Confirms a right to approve by the signature that was just given: it counts 24 hours later (C3.1.7).
///
/// # Errors
/// [`Refusal::NotConfirmed`], and then the signature is not given either.
pub(crate) fn confirm(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (id, countersignature): (RoleGrantId, CountersignatureId),
    now: Instant,
) -> Result<(), Refusal> {
    let (_, grant) = load(tx, id)?;
    let (subject, content) = grant.question();
    let (purpose, used_for) = (Purpose::ConfirmApprover, format!("role-grant:{id}"));
    let used = Use { purpose, subject: &subject, content: &content, used_for: &used_for };
    let proof = countersignatures::proof(tx, countersignature, &used, now)?;
    let hands = account_makers::hands(tx, now)?;
    let confirmed = grant.confirm(proof, &hands, now)?;
    let row = confirmed.to_row();
    let (Some(by), Some(at), Some(from)) = (row.confirmed_by, row.confirmed_at, row.effective_at) else {
        return Err(Refusal::Internal("a confirmed right to approve says nothing of it".into()));
    };
    role_grants::confirm(tx, id, by, at, from)?;
    let detail = json!({
        "grant": id, "account": row.account, "countersignature": countersignature, "effective_at": from,
    });
    audit::record(tx, principal, Change::new("role.confirm").detail(detail), now)
}

fn ask(
    tx: &mut Tx<'_>,
    person: &Person,
    grant: &RoleGrant,
    reason: String,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let (subject, content) = grant.question();
    let second = SecondPerson::Manager { organisation: person.standing.organisation().id() };
    let question = Question { purpose: Purpose::ConfirmApprover, subject, content, second, reason };
    countersignatures::ask(tx, person, question, now)
}

/// The grant and whose it is, for whoever gives roles there.
fn reached_grant(
    tx: &mut Tx<'_>,
    person: &Person,
    id: RoleGrantId,
    now: Instant,
) -> Result<(Standing, RoleGrant), Refusal> {
    let not_found = || Refusal::not_found("role", id);
    // Asked first: without the right, whether there is such a grant is nobody's business.
    person.standing.may(Permission::GrantRoles, &person.access, now)?;
    let account = role_grants::get(tx, id)?.ok_or_else(not_found)?.account;
    reached(tx, person, Permission::GrantRoles, &Named::Id(account), now).map_err(
        |refusal| match refusal {
            Refusal::NotFound { .. } => not_found(),
            other => other,
        },
    )?;
    load(tx, id)
}

fn load(tx: &mut Tx<'_>, id: RoleGrantId) -> Result<(Standing, RoleGrant), Refusal> {
    let not_found = || Refusal::not_found("role", id);
    let account = role_grants::get(tx, id)?.ok_or_else(not_found)?.account;
    let standing = standings::of_account(tx, account)?.ok_or_else(not_found)?;
    let grant = standing.grants().iter().find(|grant| grant.id() == id).cloned().ok_or_else(not_found)?;
    Ok((standing, grant))
}

/// These collèges, if each of them takes part.
fn known(tx: &mut Tx<'_>, colleges: &BTreeSet<Uai>) -> Result<BTreeSet<Uai>, Refusal> {
    for uai in colleges {
        let college = organisations::by_uai(tx, uai)?;
        if college.is_none_or(|college| college.state != OrganisationState::Active) {
            return Err(Refusal::invalid("colleges", format!("there is no collège {uai}, or it is closed")));
        }
    }
    Ok(colleges.clone())
}
