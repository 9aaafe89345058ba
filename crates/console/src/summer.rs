//! `/deposits` and `/hand-outs`: a class that hands its tablets in for the summer, and gets them again (C5.2.2).

use actix_web::web::Json;
use fleet::lending::summer::{self, Way};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{Answer, State};
use crate::loans::LoanView;
use crate::problem::Problem;

/// Tablets that were scanned in a row.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TabletsInARow {
    /// 1 to 500 of them: each by its serial number, its id or the owner's label, as it was scanned or typed.
    tablets: Vec<String>,
}

/// A loan whose tablet went over the counter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GoneView {
    /// Whether it had before: nothing was done then.
    already: bool,
    /// The loan.
    loan: LoanView,
}

/// Takes tablets in for the summer: all of them, or none. Scanning one again changes nothing, so that a class may be scanned
/// anew after an interruption. The loans go on, and nothing is erased.
#[utoipa::path(post, path = "/api/v1/deposits", tag = "lending", request_body = TabletsInARow, responses(
    (status = 200, body = [GoneView], description = "The loans, in the order their tablets were scanned"),
    (status = "default", body = Problem)))]
pub(crate) async fn deposit(
    state: State,
    caller: Caller,
    scanned: Json<TabletsInARow>,
) -> Answer<Vec<GoneView>> {
    in_a_row(&state, &caller, Way::In, scanned.into_inner()).await
}

/// Hands tablets out again after the summer, each to the pupil whose it is: all of them, or none. Scanning one again changes
/// nothing.
#[utoipa::path(post, path = "/api/v1/hand-outs", tag = "lending", request_body = TabletsInARow, responses(
    (status = 200, body = [GoneView], description = "The loans, in the order their tablets were scanned"),
    (status = "default", body = Problem)))]
pub(crate) async fn hand_out(
    state: State,
    caller: Caller,
    scanned: Json<TabletsInARow>,
) -> Answer<Vec<GoneView>> {
    in_a_row(&state, &caller, Way::Out, scanned.into_inner()).await
}

async fn in_a_row(state: &State, caller: &Caller, way: Way, scanned: TabletsInARow) -> Answer<Vec<GoneView>> {
    let gone = summer::in_a_row(&state.fleet, caller.principal(), way, scanned.tablets, state.now()).await?;
    Ok(Json(gone.into_iter().map(|(loan, already)| GoneView { already, loan: loan.into() }).collect()))
}
