//! Whether the server lives, whether it can serve, and how the fleet stands.

use actix_web::HttpResponse;
use actix_web::web::Json;
use fleet::status::{self, Status};
use serde::Serialize;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{Answer, State};
use crate::problem::{Failure, Problem};

/// How the fleet stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusView {
    /// Tablets of the inventory.
    tablets: u64,
    /// Tablets that are managed.
    enrolled: u64,
    /// Tablets that have begun to enrol and have not finished.
    enrolling: u64,
    /// Open alarms, counted up to 1,000.
    open_alarms: u64,
    /// Whole days for which the push certificate is still valid; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    push_certificate_days_left: Option<u64>,
    /// Whether notices go by mail. Without a mail server (`mail.host`) letters are printed and handed over.
    notices_by_mail: bool,
    /// Which engine keeps the memory.
    database: String,
    /// The version of the program.
    build: &'static str,
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "server", security(()), responses((status = 204, description = "It lives")))]
pub(crate) async fn alive() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// The server can serve: its database answers, and the shared folder is there.
#[utoipa::path(get, path = "/readyz", tag = "server", security(()), responses(
    (status = 204, description = "It can serve"), (status = 503, description = "It cannot, now", body = Problem)))]
pub(crate) async fn ready(state: State) -> Result<HttpResponse, Failure> {
    match state.fleet.is_ready().await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err(Failure::NotReady)
        }
    }
}

/// How the fleet stands.
#[utoipa::path(get, path = "/api/v1/status", tag = "server", responses(
    (status = 200, body = StatusView), (status = "default", body = Problem)))]
pub(crate) async fn status(state: State, caller: Caller) -> Answer<StatusView> {
    let Status { tablets, enrolled, enrolling, open_alarms, push_certificate_days_left, notices_by_mail } =
        status::show(&state.fleet, caller.principal(), state.now()).await?;
    let (database, build) = (state.fleet.store().engine().to_string(), env!("CARGO_PKG_VERSION"));
    Ok(Json(StatusView {
        tablets,
        enrolled,
        enrolling,
        open_alarms,
        push_certificate_days_left,
        notices_by_mail,
        database,
        build,
    }))
}
