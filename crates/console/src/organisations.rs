//! `/organisations`: the département, the académie and the collèges, and what each collège decides for itself.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Json, Path, Query};
use fleet::organisations::{self, Decisions, Detail, Imported, Kind, Leader, Network};
use fleet::page::Page as Part;
use governance::OrganisationState;
use serde::{Deserialize, Serialize};
use store::organisations::Organisation;
use types::Secret;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Done, Page, PageQuery, PerhapsWhy, State, optional};
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationView {
    /// Its id.
    id: String,
    /// What it is: `departement`, `academie` or `college`.
    kind: String,
    /// Its name.
    name: String,
    /// A collège’s code.
    uai: Option<String>,
    /// Whether it takes part: `active` or `closed`.
    state: String,
    /// What a collège decided about tablets at home (C3.3.3): `undecided`, `allowed` or `not-allowed`.
    home_use: String,
    /// The day a collège adopted its charter (C3.3.5).
    charter_adopted_on: Option<String>,
    /// The account of a collège’s référent (C3.3.1).
    referent_account_id: Option<String>,
    /// When it was created here.
    created_at: Timestamp,
    /// When its row last changed.
    updated_at: Timestamp,
}

impl From<Organisation> for OrganisationView {
    fn from(organisation: Organisation) -> Self {
        Self {
            id: organisation.id.to_string(),
            kind: organisation.kind.to_string(),
            name: organisation.name,
            uai: organisation.uai.map(String::from),
            state: organisation.state.to_string(),
            home_use: organisation.home_use.to_string(),
            charter_adopted_on: organisation.charter_adopted_on.map(|day| day.to_string()),
            referent_account_id: organisation.referent_account_id.map(|id| id.to_string()),
            created_at: organisation.created_at.into(),
            updated_at: organisation.updated_at.into(),
        }
    }
}

/// Somebody who leads the way in a collège.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeaderView {
    /// Their role there: `head`, `referent` or `ati`.
    role: String,
    /// Their account.
    account_id: String,
    /// What they sign in with.
    login: String,
    /// Their name.
    name: String,
}

impl From<Leader> for LeaderView {
    fn from(leader: Leader) -> Self {
        let Leader { role, account, login, name } = leader;
        Self { role: role.to_string(), account_id: account.to_string(), login, name }
    }
}

/// An organisation, and who leads the way there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationDetail {
    /// The organisation.
    #[serde(flatten)]
    organisation: OrganisationView,
    /// Whether a network was named that its tablets join after an erasure. Which one is never shown again.
    has_network: bool,
    /// Its head, its référent, its technicians.
    leaders: Vec<LeaderView>,
}

impl From<Detail> for OrganisationDetail {
    fn from(detail: Detail) -> Self {
        Self {
            organisation: detail.organisation.into(),
            has_network: detail.has_network,
            leaders: detail.leaders.into_iter().map(LeaderView::from).collect(),
        }
    }
}

/// An organisation to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganisation {
    /// A collège’s code; left out for the académie.
    uai: Option<String>,
    /// Its name.
    name: String,
}

/// Another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewName {
    /// The name.
    name: String,
}

/// What changes of a collège’s decisions; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionsMade {
    /// Whether tablets may be used at home at all (C3.3.3): `allowed`, `not-allowed` or `undecided`.
    home_use: Option<String>,
    /// The day the charter was adopted (C3.3.5), such as `2026-09-15`; null: it is adopted no more.
    #[serde(default, deserialize_with = "input::present")]
    #[schema(value_type = Option<String>)]
    charter_adopted_on: Option<Option<String>>,
    /// The référent (C3.3.1), by the id or login of an account of the collège; null: nobody for now.
    #[serde(default, deserialize_with = "input::present")]
    #[schema(value_type = Option<String>)]
    referent: Option<Option<String>>,
}

/// A wireless network. It is sealed, and never shown again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNetwork {
    /// Its name.
    ssid: String,
    /// Its passphrase; left out for an open network.
    passphrase: Option<String>,
    /// Whether it does not announce itself.
    #[serde(default)]
    hidden: bool,
}

/// What an import of collèges did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CollegesView {
    /// Collèges that there were not.
    created: u64,
    /// Collèges that have another name now.
    renamed: u64,
    /// Collèges that were there just so.
    unchanged: u64,
}

/// The organisations that you may see, in the order of their ids.
#[utoipa::path(get, path = "/api/v1/organisations", tag = "organisations", params(PageQuery), responses(
    (status = 200, body = Page<OrganisationView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Answer<Page<OrganisationView>> {
    let part = Part::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(organisations::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// One organisation, by its id or its UAI code.
#[utoipa::path(get, path = "/api/v1/organisations/{id}", tag = "organisations",
    params(("id" = String, Path, description = "Its id, or its UAI code")), responses(
    (status = 200, body = OrganisationDetail), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<OrganisationDetail> {
    let named = input::parse("organisation", &id)?;
    Ok(Json(organisations::show(&state.fleet, caller.principal(), named, state.now()).await?.into()))
}

/// Creates a collège, or the académie.
#[utoipa::path(post, path = "/api/v1/organisations", tag = "organisations", request_body = NewOrganisation, responses(
    (status = 201, body = OrganisationView), (status = "default", body = Problem)))]
pub(crate) async fn create(
    state: State,
    caller: Caller,
    new: Json<NewOrganisation>,
) -> Created<OrganisationView> {
    let kind = optional("uai", new.uai.as_deref())?.map_or(Kind::Academie, Kind::College);
    let created =
        organisations::create(&state.fleet, caller.principal(), kind, &new.name, state.now()).await?;
    Ok((Json(created.into()), StatusCode::CREATED))
}

/// Imports collèges from a CSV with the columns `uai` and `name`: all of it, or nothing.
#[utoipa::path(post, path = "/api/v1/organisations/import", tag = "organisations",
    request_body(content = String, content_type = "text/csv", example = "uai,name\n0761234A,Collège Georges-Brassens\n"),
    responses((status = 200, body = CollegesView), (status = 422, description = "Every bad line is named", body = Problem),
        (status = "default", body = Problem)))]
pub(crate) async fn import(
    request: HttpRequest,
    state: State,
    caller: Caller,
    csv: Bytes,
) -> Answer<CollegesView> {
    if !crate::inventory::is_csv(&request) {
        return Err(Failure::UnsupportedMediaType { expected: crate::inventory::CSV });
    }
    let Imported { created, renamed, unchanged } =
        organisations::import(&state.fleet, caller.principal(), &csv, state.now()).await?;
    Ok(Json(CollegesView { created, renamed, unchanged }))
}

/// Gives an organisation another name.
#[utoipa::path(put, path = "/api/v1/organisations/{id}", tag = "organisations", request_body = NewName,
    params(("id" = String, Path, description = "Its id, or its UAI code")), responses(
    (status = 200, body = OrganisationView), (status = "default", body = Problem)))]
pub(crate) async fn rename(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<NewName>,
) -> Answer<OrganisationView> {
    let named = input::parse("organisation", &id)?;
    let renamed =
        organisations::rename(&state.fleet, caller.principal(), named, &new.name, state.now()).await?;
    Ok(Json(renamed.into()))
}

/// Closes an organisation: its accounts can do nothing from now on.
#[utoipa::path(post, path = "/api/v1/organisations/{id}/close", tag = "organisations", request_body = PerhapsWhy,
    params(("id" = String, Path, description = "Its id, or its UAI code")), responses(
    (status = 200, body = OrganisationView), (status = "default", body = Problem)))]
pub(crate) async fn close(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<PerhapsWhy>,
) -> Answer<OrganisationView> {
    turn(state, caller, id, OrganisationState::Closed, why).await
}

/// Lets a closed organisation take part again.
#[utoipa::path(post, path = "/api/v1/organisations/{id}/reopen", tag = "organisations", request_body = PerhapsWhy,
    params(("id" = String, Path, description = "Its id, or its UAI code")), responses(
    (status = 200, body = OrganisationView), (status = "default", body = Problem)))]
pub(crate) async fn reopen(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<PerhapsWhy>,
) -> Answer<OrganisationView> {
    turn(state, caller, id, OrganisationState::Active, why).await
}

async fn turn(
    state: State,
    caller: Caller,
    id: Path<String>,
    next: OrganisationState,
    why: Json<PerhapsWhy>,
) -> Answer<OrganisationView> {
    let (named, reason) = (input::parse("organisation", &id)?, why.into_inner().reason);
    let (fleet, principal) = (&state.fleet, caller.principal());
    Ok(Json(organisations::turn(fleet, principal, named, next, reason, state.now()).await?.into()))
}

/// Records what a collège decided: its head does it.
#[utoipa::path(put, path = "/api/v1/organisations/{id}/decisions", tag = "organisations", request_body = DecisionsMade,
    params(("id" = String, Path, description = "Its id, or its UAI code")), responses(
    (status = 200, body = OrganisationView), (status = "default", body = Problem)))]
pub(crate) async fn decide(
    state: State,
    caller: Caller,
    id: Path<String>,
    made: Json<DecisionsMade>,
) -> Answer<OrganisationView> {
    let DecisionsMade { home_use, charter_adopted_on, referent } = made.into_inner();
    let charter = charter_adopted_on.map(|day| optional("charter_adopted_on", day.as_deref()));
    let referent = referent.map(|account| optional("referent", account.as_deref()));
    let decisions = Decisions {
        home_use: optional("home_use", home_use.as_deref())?,
        charter_adopted_on: charter.transpose()?,
        referent: referent.transpose()?,
    };
    let named = input::parse("organisation", &id)?;
    let decided =
        organisations::decide(&state.fleet, caller.principal(), named, decisions, state.now()).await?;
    Ok(Json(decided.into()))
}

/// Names the network that a collège’s tablets join after an erasure. It is sealed, and never shown again.
#[utoipa::path(put, path = "/api/v1/organisations/{id}/network", tag = "organisations", request_body = NewNetwork,
    params(("id" = String, Path, description = "Its id, or its UAI code")), responses(
    (status = 204, description = "It is sealed"), (status = "default", body = Problem)))]
pub(crate) async fn set_network(
    state: State,
    caller: Caller,
    id: Path<String>,
    network: Json<NewNetwork>,
) -> Done {
    let NewNetwork { ssid, passphrase, hidden } = network.into_inner();
    let network = Network { ssid, passphrase: passphrase.map(Secret::new), hidden };
    let named = input::parse("organisation", &id)?;
    organisations::set_network(&state.fleet, caller.principal(), named, network, state.now()).await?;
    input::done()
}

/// Forgets the network of a collège.
#[utoipa::path(delete, path = "/api/v1/organisations/{id}/network", tag = "organisations",
    params(("id" = String, Path, description = "Its id, or its UAI code")), responses(
    (status = 204, description = "It is forgotten"), (status = "default", body = Problem)))]
pub(crate) async fn forget_network(state: State, caller: Caller, id: Path<String>) -> Done {
    let named = input::parse("organisation", &id)?;
    organisations::forget_network(&state.fleet, caller.principal(), named, state.now()).await?;
    input::done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_changes_something_and_what_is_left_out_does_not() {
        let made: DecisionsMade = serde_json::from_str(r#"{"referent":null}"#).unwrap();
        assert_eq!((made.referent, made.charter_adopted_on), (Some(None), None));
        assert!(serde_json::from_str::<DecisionsMade>(r#"{"homeuse":"allowed"}"#).is_err());
    }
}
