//! `/apple/authorities`: Apple's authorities of device certificates, needed for automated enrolment.

use actix_web::web::{Bytes, Json};
use fleet::apple_authorities::{self, Shown};
use serde::Serialize;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{Answer, Page, State};
use crate::problem::Problem;

/// One of Apple's authorities, and whether it is here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AppleAuthorityView {
    /// Its name.
    name: &'static str,
    /// The SHA-256 of its certificate: no other file is admitted.
    sha256: String,
    /// Whether it was added.
    present: bool,
}

impl From<Shown> for AppleAuthorityView {
    fn from(shown: Shown) -> Self {
        Self { name: shown.name, sha256: shown.sha256, present: shown.present }
    }
}

/// The three authorities, and which are missing.
#[utoipa::path(get, path = "/api/v1/apple/authorities", tag = "enrolment", responses(
    (status = 200, body = Page<AppleAuthorityView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller) -> Answer<Page<AppleAuthorityView>> {
    Ok(shown(apple_authorities::list(&state.fleet, caller.principal(), state.now()).await?))
}

/// Adds one of the three: the file itself, PEM or DER.
#[utoipa::path(post, path = "/api/v1/apple/authorities", tag = "enrolment",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, body = Page<AppleAuthorityView>), (status = "default", body = Problem)))]
pub(crate) async fn add(state: State, caller: Caller, file: Bytes) -> Answer<Page<AppleAuthorityView>> {
    Ok(shown(apple_authorities::add(&state.fleet, caller.principal(), &file, state.now()).await?))
}

fn shown(authorities: Vec<Shown>) -> Json<Page<AppleAuthorityView>> {
    Json(Page { items: authorities.into_iter().map(AppleAuthorityView::from).collect(), next: None })
}
