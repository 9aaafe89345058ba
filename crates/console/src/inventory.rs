//! `/inventory`: the tablets that may enrol (C3.3.4), imported as CSV.

use actix_web::http::header::{ACCEPT, CONTENT_TYPE, LINK};
use actix_web::web::{Bytes, Json, Query};
use actix_web::{HttpRequest, HttpResponse};
use fleet::inventory::{self, Imported};
use fleet::page::Page as Part;
use serde::Serialize;
use store::tablets::Tablet;
use types::TabletId;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{Answer, Page, PageQuery, State};
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// What imports take.
pub(crate) const CSV: &str = "text/csv";

/// A tablet of the inventory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TabletView {
    /// Its id, whatever happens to its enrolments.
    id: String,
    /// Its maker's serial number.
    serial: String,
    /// The département's own label.
    asset_tag: Option<String>,
    /// The maker's model.
    model: Option<String>,
    /// `ipad` or `android`.
    platform: &'static str,
    /// The collège that it is for.
    uai: Option<String>,
    /// When it was first imported.
    created_at: Timestamp,
    /// When its row last changed.
    updated_at: Timestamp,
}

impl From<Tablet> for TabletView {
    fn from(tablet: Tablet) -> Self {
        Self {
            id: tablet.id.to_string(),
            serial: tablet.serial.to_string(),
            asset_tag: tablet.asset_tag,
            model: tablet.model,
            platform: tablet.platform.as_str(),
            uai: tablet.uai.map(String::from),
            created_at: tablet.created_at.into(),
            updated_at: tablet.updated_at.into(),
        }
    }
}

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportView {
    /// Tablets that were not in the inventory.
    created: u64,
    /// Tablets whose row changed.
    updated: u64,
    /// Tablets that were there just so.
    unchanged: u64,
}

/// Imports a CSV with the columns `serial`, `asset_tag`, `model`, `platform`, `uai`: all of it, or nothing.
#[utoipa::path(post, path = "/api/v1/inventory", tag = "inventory",
    request_body(content = String, content_type = "text/csv", example = "serial,asset_tag,model,platform,uai\nDMPXK1ABCD12,76-0001,iPad (9th generation),ipad,0761234A\n"),
    responses((status = 200, body = ImportView), (status = 422, description = "Every bad line is named", body = Problem),
        (status = "default", body = Problem)))]
pub(crate) async fn import(
    request: HttpRequest,
    state: State,
    caller: Caller,
    csv: Bytes,
) -> Answer<ImportView> {
    if !is_csv(&request) {
        return Err(Failure::UnsupportedMediaType { expected: CSV });
    }
    let Imported { created, updated, unchanged } =
        inventory::import(&state.fleet, caller.principal(), &csv, state.now()).await?;
    Ok(Json(ImportView { created, updated, unchanged }))
}

/// The inventory, as JSON, or as CSV that can be imported again if `Accept` names `text/csv`. What follows a part of the CSV
/// is named by its `Link` header (RFC 8288).
#[utoipa::path(get, path = "/api/v1/inventory", tag = "inventory", params(PageQuery), responses(
    (status = 200, content((Page<TabletView> = "application/json"), (String = "text/csv"))),
    (status = "default", body = Problem)))]
pub(crate) async fn list(
    request: HttpRequest,
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Failure> {
    let part = Part::<TabletId>::read(query.after.as_deref(), query.limit)?;
    let listed = inventory::list(&state.fleet, caller.principal(), part, state.now()).await?;
    if !names(&request, ACCEPT) {
        return Ok(HttpResponse::Ok().json(Page::<TabletView>::of(listed)));
    }
    let mut answer = HttpResponse::Ok();
    if let Some(next) = &listed.next {
        // An id, and a number: neither holds what a header or an address would have to escape.
        let limit = query.limit.map(|limit| format!("&limit={limit}")).unwrap_or_default();
        answer.insert_header((LINK, format!("</api/v1/inventory?after={next}{limit}>; rel=\"next\"")));
    }
    Ok(answer.content_type("text/csv; charset=utf-8").body(to_csv(&listed.items)?))
}

/// Whether the body says that it is CSV.
pub(crate) fn is_csv(request: &HttpRequest) -> bool {
    names(request, CONTENT_TYPE)
}

/// Whether a header names CSV.
pub(crate) fn names(request: &HttpRequest, header: actix_web::http::header::HeaderName) -> bool {
    let value = request.headers().get(header).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split([';', ',']).next().unwrap_or_default().trim().eq_ignore_ascii_case(CSV)
}

fn to_csv(tablets: &[Tablet]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: [&str; 5]| writer.write_record(row.map(harmless)).map_err(Failure::internal);
    write(fleet::INVENTORY_COLUMNS)?;
    for tablet in tablets {
        let text = |field: &'_ Option<String>| field.clone().unwrap_or_default();
        let (asset_tag, model) = (text(&tablet.asset_tag), text(&tablet.model));
        let uai = tablet.uai.as_ref().map_or("", |uai| uai.as_str());
        write([tablet.serial.as_str(), &asset_tag, &model, tablet.platform.as_str(), uai])?;
    }
    writer.into_inner().map_err(|error| Failure::internal(error.into_error()))
}

/// What a spreadsheet would take for a formula is shown as text (T-C10).
pub(crate) fn harmless(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{field}") } else { field.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c10_a_cell_is_never_a_formula() {
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert!(harmless(formula).starts_with('\''), "{formula:?}");
        }
        assert_eq!(harmless("76-0001"), "76-0001");
    }
}
