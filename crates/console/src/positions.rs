//! Where a missing tablet is: asked under a warrant, and looked at with a reason (M1, M2).

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path};
use fleet::incidents::positions::{self, Line, Looked};
use serde::{Deserialize, Serialize};
use store::position_looks::PositionLook;
use store::position_requests::PositionRequest;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, State};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// Why somebody asks for a position, or looks at one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PositionWanted {
    /// In at most 500 characters: it is recorded.
    reason: String,
}

/// A request for a position, and what became of it. Never where.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PositionRequestView {
    /// Its id: that of the command.
    id: String,
    /// The warrant it rests on.
    warrant: String,
    /// Who asked, by their account's id.
    asked_by: String,
    /// When.
    asked_at: Timestamp,
    /// Why.
    reason: String,
    /// `awaited`, `kept`, `dropped` or `cancelled`.
    outcome: String,
    /// Why it was dropped or called off.
    why: Option<String>,
    /// When it was over.
    outcome_at: Option<Timestamp>,
    /// Whether a position was kept that can still be read.
    readable: bool,
    /// Who looked at it.
    looks: Vec<PositionLookView>,
}

/// A look at a position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PositionLookView {
    /// Who looked, by their account's id.
    looked_by: String,
    /// When.
    looked_at: Timestamp,
    /// Why.
    reason: String,
}

/// A position that somebody looks at.
#[derive(Serialize, ToSchema)]
pub(crate) struct PositionView {
    /// The request that it answered.
    id: String,
    /// Degrees, north is positive.
    latitude: f64,
    /// Degrees, east is positive.
    longitude: f64,
    /// The radius, in metres, within which the tablet says it is.
    accuracy: Option<f64>,
    /// When the tablet says it was there.
    measured_at: Option<Timestamp>,
    /// When it was kept.
    kept_at: Timestamp,
}

impl From<PositionLook> for PositionLookView {
    fn from(look: PositionLook) -> Self {
        Self { looked_by: look.looked_by.to_string(), looked_at: look.looked_at.into(), reason: look.reason }
    }
}

impl PositionRequestView {
    fn of(request: PositionRequest, readable: bool, looks: Vec<PositionLook>) -> Self {
        Self {
            id: request.command_id.to_string(),
            warrant: request.warrant_id.to_string(),
            asked_by: request.asked_by.to_string(),
            asked_at: request.asked_at.into(),
            reason: request.reason,
            outcome: request.outcome.to_string(),
            why: request.why,
            outcome_at: request.outcome_at.map(Timestamp::from),
            readable,
            looks: looks.into_iter().map(PositionLookView::from).collect(),
        }
    }
}

impl From<Line> for PositionRequestView {
    fn from(line: Line) -> Self {
        Self::of(line.request, line.readable, line.looks)
    }
}

impl From<Looked> for PositionView {
    fn from(looked: Looked) -> Self {
        let Looked { request, fix, kept_at } = looked;
        Self {
            id: request.to_string(),
            latitude: fix.latitude,
            longitude: fix.longitude,
            accuracy: fix.accuracy,
            measured_at: fix.measured_at.map(Timestamp::from),
            kept_at: kept_at.into(),
        }
    }
}

/// Asks the tablet of an incident where it is, once, under its warrant.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/positions", tag = "warrants", request_body = PositionWanted,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 201, body = PositionRequestView), (status = "default", body = Problem)))]
pub(crate) async fn locate(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<PositionWanted>,
) -> Created<PositionRequestView> {
    let id = input::parse("incident", &id)?;
    let asked = positions::locate(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    Ok((Json(PositionRequestView::of(asked, false, Vec::new())), StatusCode::CREATED))
}

/// The requests for a position of an incident, and what became of each; never where the tablet was.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/positions", tag = "warrants",
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = Page<PositionRequestView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    id: Path<String>,
) -> Answer<Page<PositionRequestView>> {
    let id = input::parse("incident", &id)?;
    let lines = positions::list(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok(Json(Page { items: lines.into_iter().map(PositionRequestView::from).collect(), next: None }))
}

/// Looks at a position that was kept. That you looked, and why, is recorded.
#[utoipa::path(post, path = "/api/v1/positions/{id}/looks", tag = "warrants", request_body = PositionWanted,
    params(("id" = String, Path, description = "The id of the request that it answered")), responses(
    (status = 201, body = PositionView), (status = "default", body = Problem)))]
pub(crate) async fn look(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<PositionWanted>,
) -> Created<PositionView> {
    let id = input::parse("position", &id)?;
    let looked = positions::look(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    Ok((Json(looked.into()), StatusCode::CREATED))
}
