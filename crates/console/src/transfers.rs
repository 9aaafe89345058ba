//! `/transfers`: tablets that go from one collège to another, with the consent of both.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::lending::transfers::{self, Shown};
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use types::TransferId;
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, State, field};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// Where a tablet is to go, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferNew {
    /// The UAI code of the collège that takes it.
    to: String,
    /// Why, in at most 500 characters: it is recorded.
    reason: String,
}

/// Which transfers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransfersQuery {
    /// Those that are over too.
    #[serde(default)]
    all: bool,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// A transfer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransferView {
    /// Its id.
    id: String,
    /// The tablet's id.
    tablet: String,
    /// The tablet's serial number.
    serial: String,
    /// The collège that gives it.
    from: String,
    /// The collège that takes it.
    to: String,
    /// Why.
    reason: String,
    /// `proposed`, `done` or `withdrawn`.
    state: String,
    /// When it was proposed.
    proposed_at: Timestamp,
    /// When the collège that gives consented.
    given_at: Option<Timestamp>,
    /// When the collège that takes consented.
    taken_at: Option<Timestamp>,
    /// When it was done, or taken back.
    ended_at: Option<Timestamp>,
}

impl From<Shown> for TransferView {
    fn from(shown: Shown) -> Self {
        let Shown { transfer, serial } = shown;
        Self {
            id: transfer.id.to_string(),
            tablet: transfer.tablet_id.to_string(),
            serial: serial.to_string(),
            from: transfer.from_uai.to_string(),
            to: transfer.to_uai.to_string(),
            reason: transfer.reason.as_str().to_owned(),
            state: transfer.state.to_string(),
            proposed_at: transfer.proposed_at.into(),
            given_at: transfer.given_at.map(Into::into),
            taken_at: transfer.taken_at.map(Into::into),
            ended_at: transfer.ended_at.map(Into::into),
        }
    }
}

/// Transfers from or to collèges within reach: those that wait for a consent, or all.
#[utoipa::path(get, path = "/api/v1/transfers", tag = "lending", params(TransfersQuery), responses(
    (status = 200, body = Page<TransferView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<TransfersQuery>,
) -> Answer<Page<TransferView>> {
    let part = Part::<TransferId>::read(query.after.as_deref(), query.limit)?;
    let listed = transfers::list(&state.fleet, caller.principal(), query.all, part, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

/// Proposes that a tablet goes to another collège. It goes once both heads have consented.
#[utoipa::path(post, path = "/api/v1/tablets/{id}/transfers", tag = "lending", request_body = TransferNew,
    params(("id" = String, Path, description = "The tablet’s id, serial number or label")), responses(
    (status = 201, body = TransferView), (status = "default", body = Problem)))]
pub(crate) async fn propose(
    state: State,
    caller: Caller,
    tablet: Path<String>,
    new: Json<TransferNew>,
) -> Created<TransferView> {
    let (tablet, to) = (input::parse("tablet", &tablet)?, field("to", &new.to)?);
    let where_to = (to, field("reason", &new.reason)?);
    let shown = transfers::propose(&state.fleet, caller.principal(), tablet, where_to, state.now()).await?;
    Ok((Json(shown.into()), StatusCode::CREATED))
}

/// Consents for one's collège. With the second consent the tablet is the other collège's.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/consent", tag = "lending",
    params(("id" = String, Path, description = "The transfer’s id")), responses(
    (status = 200, body = TransferView), (status = "default", body = Problem)))]
pub(crate) async fn consent(state: State, caller: Caller, id: Path<String>) -> Answer<TransferView> {
    let id = input::parse("transfer", &id)?;
    Ok(Json(transfers::consent(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Takes a transfer back, or refuses it.
#[utoipa::path(post, path = "/api/v1/transfers/{id}/withdraw", tag = "lending",
    params(("id" = String, Path, description = "The transfer’s id")), responses(
    (status = 200, body = TransferView), (status = "default", body = Problem)))]
pub(crate) async fn withdraw(state: State, caller: Caller, id: Path<String>) -> Answer<TransferView> {
    let id = input::parse("transfer", &id)?;
    Ok(Json(transfers::withdraw(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}
