//! What is decided about a tablet after an incident: warranty, supplier, replacement and counterpart (C5.4.4, C5.4.5); and
//! that a stolen one is erased (M3).

use ::incidents::{Counterpart, Effect};
use actix_web::http::StatusCode;
use actix_web::web::{Json, Path};
use fleet::incidents::{decisions, theft};
use fleet::lending::counterparts::{self, Borne};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::incidents::{IncidentView, shown};
use crate::input::{self, Answer, Created, State, field, optional};
use crate::problem::Problem;

/// What was found on a tablet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TabletExamined {
    /// `nothing-of-the-user`, `shock-or-scratch` or `repair-by-the-user`.
    finding: String,
}

/// What the supplier does.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepairBySupplier {
    /// How the supplier names it.
    reference: String,
    /// The serial number of the tablet that came back instead.
    exchanged_serial: Option<String>,
}

/// What the head decides on a replacement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplacementDecided {
    /// Whether there is one.
    granted: bool,
    /// What is attached to it: `no-donation`, `sum` or `stays-at-school`; nothing, if it is absent.
    counterpart: Option<String>,
    /// The sum, in cents.
    sum_cents: Option<u32>,
    /// When the board (conseil d'administration) fixed the sum, such as `2026-11-26`.
    fixed_on: Option<String>,
}

/// That a sum was paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SumPaid {
    /// When, such as `2026-11-26`.
    paid_on: String,
}

/// Records what was found on the tablet: whether the warranty covers it follows from that (C5.4.5).
#[utoipa::path(put, path = "/api/v1/incidents/{id}/warranty", tag = "incidents", request_body = TabletExamined,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn judge(
    state: State,
    caller: Caller,
    id: Path<String>,
    found: Json<TabletExamined>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let finding = field("finding", &found.finding)?;
    decisions::judge(&state.fleet, caller.principal(), id, finding, state.now()).await?;
    shown(&state, &caller, id).await
}

/// Records how the supplier names the repair, and which tablet came back (C5.4.5).
#[utoipa::path(put, path = "/api/v1/incidents/{id}/supplier", tag = "incidents", request_body = RepairBySupplier,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn supplier(
    state: State,
    caller: Caller,
    id: Path<String>,
    repair: Json<RepairBySupplier>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let serial = optional("exchanged_serial", repair.exchanged_serial.as_deref())?;
    decisions::supplier(&state.fleet, caller.principal(), id, &repair.reference, serial, state.now()).await?;
    shown(&state, &caller, id).await
}

/// The head decides whether there is a replacement, and what is attached to it (C5.4.4).
#[utoipa::path(put, path = "/api/v1/incidents/{id}/replacement", tag = "incidents", request_body = ReplacementDecided,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn replace(
    state: State,
    caller: Caller,
    id: Path<String>,
    decided: Json<ReplacementDecided>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let ReplacementDecided { granted, counterpart, sum_cents, fixed_on } = decided.into_inner();
    let counterpart = match (counterpart.as_deref(), sum_cents, fixed_on.as_deref()) {
        (None, None, None) => None,
        (Some("no-donation"), None, None) => Some(Counterpart::NoDonation),
        (Some("stays-at-school"), None, None) => Some(Counterpart::StaysAtSchool),
        (Some("sum"), Some(cents), Some(day)) => {
            Some(Counterpart::Sum { cents, fixed_on: field("fixed_on", day)?, paid_on: None })
        }
        _ => {
            let right = "must be `no-donation`, `stays-at-school`, or `sum` with `sum_cents` and `fixed_on`";
            return Err(input::invalid("counterpart", right));
        }
    };
    decisions::replace(&state.fleet, caller.principal(), id, granted, counterpart, state.now()).await?;
    shown(&state, &caller, id).await
}

/// Records that the sum of a counterpart was paid: it speaks against nothing any more.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/payment", tag = "incidents", request_body = SumPaid,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn pay(
    state: State,
    caller: Caller,
    id: Path<String>,
    paid: Json<SumPaid>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let on = field("paid_on", &paid.paid_on)?;
    decisions::pay(&state.fleet, caller.principal(), id, on, state.now()).await?;
    shown(&state, &caller, id).await
}

/// That a stolen tablet is erased, or that it is not after all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasureReason {
    /// Why, in at most 500 characters: it is recorded.
    reason: String,
}

/// A proposal, and whom it waits for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasureProposedView {
    /// The request that somebody of the département answers: their yes is its decision.
    countersignature: String,
}

/// Proposes, as the head, that a stolen tablet is erased wherever it is; the département decides (M3).
#[utoipa::path(post, path = "/api/v1/incidents/{id}/erasure", tag = "incidents", request_body = ErasureReason,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 201, body = ErasureProposedView), (status = "default", body = Problem)))]
pub(crate) async fn propose_erasure(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<ErasureReason>,
) -> Created<ErasureProposedView> {
    let id = input::parse("incident", &id)?;
    let asked = theft::propose(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    Ok((Json(ErasureProposedView { countersignature: asked.to_string() }), StatusCode::CREATED))
}

/// Has a stolen tablet erased again by the decision that stands: its order ran out, or the tablet refused it (M3).
#[utoipa::path(post, path = "/api/v1/incidents/{id}/erasure/repeat", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn repeat_erasure(state: State, caller: Caller, id: Path<String>) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    theft::repeat(&state.fleet, caller.principal(), id, state.now()).await?;
    shown(&state, &caller, id).await
}

/// Takes back that a stolen tablet is erased: nothing is erased by it from then on (M3).
#[utoipa::path(post, path = "/api/v1/incidents/{id}/erasure/take-back", tag = "incidents", request_body = ErasureReason,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn take_erasure_back(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<ErasureReason>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    theft::take_back(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    shown(&state, &caller, id).await
}

/// A counterpart that the holder of a loan bears (C5.4.4).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CounterpartView {
    /// The incident after which it was attached.
    incident: String,
    /// `no-donation`, `sum` or `stays-at-school`.
    counterpart: &'static str,
    /// The sum, in cents.
    sum_cents: Option<u32>,
    /// When it was paid.
    paid_on: Option<String>,
    /// What it does now: `speaks-against-donation`, `in-school-only`, or nothing any more.
    effect: Option<&'static str>,
}

impl From<Borne> for CounterpartView {
    fn from(borne: Borne) -> Self {
        let (counterpart, sum_cents, paid_on) = match borne.counterpart {
            Counterpart::NoDonation => ("no-donation", None, None),
            Counterpart::StaysAtSchool => ("stays-at-school", None, None),
            Counterpart::Sum { cents, paid_on, .. } => ("sum", Some(cents), paid_on),
        };
        Self {
            incident: borne.incident.to_string(),
            counterpart,
            sum_cents,
            paid_on: paid_on.map(|day| day.to_string()),
            effect: borne.effect.map(effect),
        }
    }
}

/// What a counterpart does, in a word.
pub(crate) const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::SpeaksAgainstDonation => "speaks-against-donation",
        Effect::InSchoolOnly => "in-school-only",
    }
}

/// What the holder of a loan bears after incidents: facts for whoever proposes or decides a donation (C5.1.2, C5.4.4).
#[utoipa::path(get, path = "/api/v1/loans/{id}/counterparts", tag = "lending",
    params(("id" = String, Path, description = "The loan's id")), responses(
    (status = 200, body = Vec<CounterpartView>), (status = "default", body = Problem)))]
pub(crate) async fn counterparts(
    state: State,
    caller: Caller,
    id: Path<String>,
) -> Answer<Vec<CounterpartView>> {
    let id = input::parse("loan", &id)?;
    let borne = counterparts::list(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok(Json(borne.into_iter().map(CounterpartView::from).collect()))
}
