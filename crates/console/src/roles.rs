//! `/accounts/{id}/roles`, `/roles`: roles given, confirmed by a second person, and taken back (C3.1.7).

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path};
use fleet::roles::{self, Given, Wanted};
use governance::{GrantReach, RoleGrant};
use serde::{Deserialize, Serialize};
use types::Uai;
use utoipa::ToSchema;

use crate::countersignatures::AskedView;
use crate::gate::Caller;
use crate::input::{self, Answer, Created, PerhapsWhy, State, field};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// A role that was given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleView {
    /// Its id.
    id: String,
    /// Whose it is.
    account_id: String,
    /// The role.
    role: String,
    /// The only collèges it is for; absent if it reaches as far as the organisation.
    colleges: Option<Vec<String>>,
    /// Who gave it: `host`, or `account:` and the id.
    granted_by: String,
    /// When.
    granted_at: Timestamp,
    /// Who confirmed a right to approve.
    confirmed_by: Option<String>,
    /// When.
    confirmed_at: Option<Timestamp>,
    /// From when on a confirmed right to approve counts: 24 hours later.
    effective_at: Option<Timestamp>,
    /// When it was taken back.
    revoked_at: Option<Timestamp>,
    /// By whom.
    revoked_by: Option<String>,
}

impl From<RoleGrant> for RoleView {
    fn from(grant: RoleGrant) -> Self {
        let colleges = match grant.reach() {
            GrantReach::Organisation => None,
            GrantReach::Colleges(colleges) => Some(colleges.iter().map(Uai::to_string).collect()),
        };
        Self {
            id: grant.id().to_string(),
            account_id: grant.account().to_string(),
            role: grant.role().to_string(),
            colleges,
            granted_by: grant.granted_by().to_string(),
            granted_at: grant.granted_at().into(),
            confirmed_by: grant.confirmed_by().map(|account| account.to_string()),
            confirmed_at: grant.confirmed_at().map(Timestamp),
            effective_at: grant.effective_at().map(Timestamp),
            revoked_at: grant.revoked_at().map(Timestamp),
            revoked_by: grant.revoked_by().map(|maker| maker.to_string()),
        }
    }
}

/// A role to give.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// `operator`, `administrator`, `approver`, `head`, `referent`, `ati`, `dpo` or `auditor`.
    role: String,
    /// The UAI codes of the only collèges it is for: an ATI’s, or an operator’s.
    colleges: Option<BTreeSet<String>>,
    /// Why; the second person of a right to approve decides by it.
    reason: Option<String>,
}

/// A role that was just given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GivenRole {
    /// The role.
    #[serde(flatten)]
    role: RoleView,
    /// The request that a second person answers before a right to approve counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    countersignature: Option<String>,
}

impl From<Given> for GivenRole {
    fn from(given: Given) -> Self {
        Self { role: given.grant.into(), countersignature: given.countersignature.map(|id| id.to_string()) }
    }
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// Why, in 1 to 500 characters: the second person decides by it.
    pub(crate) reason: String,
}

/// Gives a role to somebody of your organisation. A right to approve is at once asked of a second person.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/roles", tag = "accounts", request_body = NewRole,
    params(("id" = String, Path, description = "The account’s id, or its login")), responses(
    (status = 201, body = GivenRole), (status = "default", body = Problem)))]
pub(crate) async fn give(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<NewRole>,
) -> Created<GivenRole> {
    let NewRole { role, colleges, reason } = new.into_inner();
    let colleges = colleges
        .map(|colleges| colleges.iter().map(|uai| field("colleges", uai)).collect::<Result<_, _>>())
        .transpose()?;
    let wanted = Wanted { to: input::parse("account", &id)?, role: field("role", &role)?, colleges, reason };
    let given = roles::give(&state.fleet, caller.principal(), wanted, state.now()).await?;
    Ok((Json(given.into()), StatusCode::CREATED))
}

/// Asks again for the confirmation of a right to approve that you gave.
#[utoipa::path(post, path = "/api/v1/roles/{id}/confirmation", tag = "accounts", request_body = Question,
    params(("id" = String, Path, description = "The role’s id")), responses(
    (status = 201, body = AskedView), (status = "default", body = Problem)))]
pub(crate) async fn ask_again(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Question>,
) -> Created<AskedView> {
    let (id, reason) = (input::parse("role", &id)?, why.into_inner().reason);
    let asked = roles::ask_again(&state.fleet, caller.principal(), id, reason, state.now()).await?;
    Ok((Json(AskedView { countersignature: asked.to_string() }), StatusCode::CREATED))
}

/// Takes a role back, at once.
#[utoipa::path(post, path = "/api/v1/roles/{id}/take-back", tag = "accounts", request_body = PerhapsWhy,
    params(("id" = String, Path, description = "The role’s id")), responses(
    (status = 200, body = RoleView), (status = "default", body = Problem)))]
pub(crate) async fn take_back(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<PerhapsWhy>,
) -> Answer<RoleView> {
    let (id, reason) = (input::parse("role", &id)?, why.into_inner().reason);
    Ok(Json(roles::take_back(&state.fleet, caller.principal(), id, reason, state.now()).await?.into()))
}
