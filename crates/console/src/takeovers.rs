//! `/takeovers`: tablets of another server that may move here.

use actix_web::web::{Json, Query};
use fleet::page::Page as Part;
use fleet::takeover::{self, Handover, Imported};
use serde::{Deserialize, Serialize};
use store::takeovers::Takeover;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{Answer, Page, PageQuery, State, days};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// What another server hands over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTakeover {
    /// The certificate of the authority that issued its tablets' certificates, PEM.
    authority_pem: String,
    /// Its tablets, as JSON lines or CSV: `udid`, `serial`, `topic`, `push_token` (base64), `push_magic`,
    /// `unlock_token` (base64, may be absent), `certificate_sha256`.
    tablets: String,
    /// How many days each tablet may take to move: 1 to 90, 30 unless told.
    window_days: Option<u32>,
}

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TakeoverImportView {
    /// Tablets that may move now.
    tablets: u64,
    /// Whether the authority was not known before.
    new_authority: bool,
}

/// A tablet that may move here, or has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TakeoverView {
    /// Its id.
    id: String,
    /// Apple's identifier of the device.
    udid: String,
    /// The serial number.
    serial: String,
    /// The push topic it knows.
    topic: String,
    /// SHA-256 of the certificate it holds.
    certificate_sha256: String,
    /// When it was imported.
    imported_at: Timestamp,
    /// Who imported it, as the audit log names them.
    imported_by: String,
    /// The first instant it may no longer move.
    window_ends_at: Timestamp,
    /// When it moved.
    used_at: Option<Timestamp>,
    /// The enrolment it has here.
    enrolment_id: Option<String>,
}

impl From<Takeover> for TakeoverView {
    fn from(takeover: Takeover) -> Self {
        Self {
            id: takeover.id.to_string(),
            udid: takeover.udid.to_string(),
            serial: takeover.serial.to_string(),
            topic: takeover.topic,
            certificate_sha256: takeover.certificate_sha256.to_string(),
            imported_at: takeover.imported_at.into(),
            imported_by: takeover.imported_by,
            window_ends_at: takeover.window_ends_at.into(),
            used_at: takeover.used_at.map(Timestamp),
            enrolment_id: takeover.enrolment_id.map(|id| id.to_string()),
        }
    }
}

/// Lets the tablets of another server move here. Off unless the configuration opens it.
#[utoipa::path(post, path = "/api/v1/takeovers", tag = "enrolment", request_body = NewTakeover, responses(
    (status = 200, body = TakeoverImportView), (status = 409, description = "It is not open", body = Problem),
    (status = 422, description = "Every bad line is named", body = Problem), (status = "default", body = Problem)))]
pub(crate) async fn import(
    state: State,
    caller: Caller,
    new: Json<NewTakeover>,
) -> Answer<TakeoverImportView> {
    let NewTakeover { authority_pem, tablets, window_days } = new.into_inner();
    let window = days(Some(window_days.unwrap_or(30))).unwrap_or_default();
    let handover = Handover { authority: authority_pem.into_bytes(), tablets, window };
    let Imported { tablets, new_authority } =
        takeover::import(&state.fleet, caller.principal(), handover, state.now()).await?;
    Ok(Json(TakeoverImportView { tablets, new_authority }))
}

/// The tablets that may move here or have, in the order of their import. A part may hold fewer than asked and
/// still have a `next`.
#[utoipa::path(get, path = "/api/v1/takeovers", tag = "enrolment", params(PageQuery), responses(
    (status = 200, body = Page<TakeoverView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Answer<Page<TakeoverView>> {
    let part = Part::<i64>::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(takeover::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}
