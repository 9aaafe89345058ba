//! `/incidents`: what happened to tablets, papers and their clocks, steps, and lost mode (C5.4.*, M1).

use std::collections::BTreeMap;

use ::incidents::life::Step;
use ::incidents::lost_mode::Message;
use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::incidents::theft::Erasure;
use fleet::incidents::{self, Asked, Line, NewIncident};
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use store::replacements::Replacement;
use types::{AccountId, IncidentId, Secret};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::incident_decisions;
use crate::incident_papers::{FormerPaperView, FormerlyNoticedView, PaperClockView};
use crate::input::{self, Answer, Created, Page, State, field};
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// What happened to a tablet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentDeclared {
    /// `loss`, `theft`, `breakage`, `damage`, `fault`, `compromised-code` or `authority-request`.
    kind: String,
    /// When the user noticed it, such as `2026-11-26T07:30:00Z`.
    #[schema(format = DateTime)]
    noticed_at: String,
    /// What happened, in words.
    circumstances: Option<String>,
    /// How the authority names its request; an authority's request needs it.
    authority_reference: Option<String>,
}

/// A step in the life of an incident.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentStep {
    /// `take-up`, `find`, `give-up` or `close`.
    step: String,
}

/// Why it goes on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentReopened {
    /// In at most 500 characters: it is recorded.
    reason: String,
}

/// What a tablet in lost mode shows. Without any of it, it shows the département's own words.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LostModeWanted {
    /// The message.
    message: Option<String>,
    /// A phone number.
    phone: Option<String>,
    /// The text at the bottom.
    footnote: Option<String>,
    /// Why, in at most 500 characters: it is recorded.
    reason: String,
}

/// Which incidents.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentsQuery {
    /// Those that are closed too.
    #[serde(default)]
    all: bool,
    /// Only those that wait to be confirmed after a restore (M5).
    #[serde(default)]
    to_confirm: bool,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// Lost mode of the tablet, by what it said last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LostModeView {
    /// `off`, `asked`, `on`, `refused` or `ending`.
    state: String,
    /// Since when.
    since: Timestamp,
    /// The message that it shows.
    message: Option<String>,
    /// The phone number that it shows.
    phone: Option<String>,
    /// The footnote that it shows.
    footnote: Option<String>,
}

/// An incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentView {
    /// Its id.
    id: String,
    /// The tablet's id.
    tablet: String,
    /// The tablet's serial number.
    serial: String,
    /// The collège it belonged to when it was declared.
    uai: String,
    /// What happened.
    kind: String,
    /// `declared`, `in-progress`, `found`, `not-found` or `closed`.
    state: String,
    /// When it was noticed: the clocks of its papers run from there.
    noticed_at: Timestamp,
    /// When it was said before that it was noticed; in no list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    formerly_noticed: Vec<FormerlyNoticedView>,
    /// When it was declared.
    declared_at: Timestamp,
    /// Who declared it, by their account's id.
    declared_by: String,
    /// Their name; in no list, and absent once they are forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_by_name: Option<String>,
    /// Since when it is open.
    opened_at: Timestamp,
    /// The incident that was closed too soon, which it goes on from.
    reopens: Option<String>,
    /// The incident that goes on from it.
    goes_on_in: Option<String>,
    /// How the authority names its request.
    authority_reference: Option<String>,
    /// The papers it needs, and their clocks.
    papers: Vec<PaperClockView>,
    /// What was said of its papers before it was put right; in no list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    former_papers: Vec<FormerPaperView>,
    /// What happened, in words, for whoever handles it; in no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    circumstances: Option<String>,
    /// Lost mode, if it rests or rested on this incident.
    lost_mode: Option<LostModeView>,
    /// Whether it waits to be confirmed, because the database was restored since it was opened (M5).
    to_confirm: bool,
    /// Whether the warranty covers it: `covered`, `not-covered` or `does-not-arise`, once that was judged (C5.4.5).
    warranty: Option<String>,
    /// How the supplier names the repair (C5.4.5).
    supplier_reference: Option<String>,
    /// The serial number of the tablet that came back from the supplier instead.
    exchanged_serial: Option<String>,
    /// What the head decided on a replacement (C5.4.4).
    replacement: Option<ReplacementView>,
    /// How far its erasure has come, if the head proposed that the stolen tablet is erased (M3).
    erasure: Option<ErasureView>,
}

/// The erasure of a stolen tablet, which head and département both decide (M3).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasureView {
    /// `proposed`, `decided`, `ordered`, `delivered`, `failed`, `acknowledged` or `called-off`.
    state: String,
    /// Why, in the words of the head.
    reason: String,
    /// The head, by their account's id.
    head_by: Option<String>,
    /// Their name; in no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    head_by_name: Option<String>,
    /// When they proposed it.
    head_at: Option<Timestamp>,
    /// Who decided it for the département, by their account's id.
    departement_by: Option<String>,
    /// Their name; in no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    departement_by_name: Option<String>,
    /// When.
    departement_at: Option<Timestamp>,
    /// The request of a second person that it waits for.
    waits_for: Option<String>,
    /// The first instant at which its order erases nothing any more.
    expires_at: Option<Timestamp>,
}

impl ErasureView {
    fn of(erasure: Erasure, names: &BTreeMap<AccountId, String>) -> Self {
        let Erasure { decision, state, waits_for, order } = erasure;
        let name = |account: Option<AccountId>| account.and_then(|account| names.get(&account).cloned());
        Self {
            head_by_name: name(decision.head_by),
            departement_by_name: name(decision.departement_by),
            state: state.to_string(),
            reason: decision.reason.as_str().to_owned(),
            head_by: decision.head_by.map(|account| account.to_string()),
            head_at: decision.head_at.map(Timestamp::from),
            departement_by: decision.departement_by.map(|account| account.to_string()),
            departement_at: decision.departement_at.map(Timestamp::from),
            waits_for: waits_for.map(|id| id.to_string()),
            expires_at: order.map(|order| order.expires_at.into()),
        }
    }
}

/// A decision on a replacement (C5.4.4).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplacementView {
    /// Whether there is one.
    granted: bool,
    /// `no-donation`, `sum` or `stays-at-school`.
    counterpart: Option<String>,
    /// The sum, in cents.
    sum_cents: Option<i64>,
    /// When the board fixed it.
    fixed_on: Option<String>,
    /// When it was paid.
    paid_on: Option<String>,
    /// What follows from it: `speaks-against-donation` or `in-school-only`.
    effect: Option<&'static str>,
}

impl From<Replacement> for ReplacementView {
    fn from(row: Replacement) -> Self {
        let effect = row.attached().ok().flatten().and_then(|counterpart| counterpart.effect());
        Self {
            granted: row.granted,
            counterpart: row.counterpart.map(|name| name.to_string()),
            sum_cents: row.sum_cents,
            fixed_on: row.fixed_on.map(|day| day.to_string()),
            paid_on: row.paid_on.map(|day| day.to_string()),
            effect: effect.map(incident_decisions::effect),
        }
    }
}

impl From<Line> for IncidentView {
    fn from(line: Line) -> Self {
        let Line {
            incident,
            serial,
            clocks,
            former_papers,
            formerly_noticed,
            names,
            circumstances,
            lost_mode,
            goes_on_in,
            to_confirm,
            warranty,
            supplier,
            replacement,
            erasure,
        } = line;
        let (supplier_reference, exchanged_serial) = match supplier {
            Some(repair) => {
                (Some(repair.reference), repair.exchanged_serial.map(|serial| serial.to_string()))
            }
            None => (None, None),
        };
        Self {
            to_confirm,
            warranty: warranty.map(|judged| judged.verdict.to_string()),
            supplier_reference,
            exchanged_serial,
            replacement: replacement.map(ReplacementView::from),
            erasure: erasure.map(|erasure| ErasureView::of(erasure, &names)),
            id: incident.id.to_string(),
            tablet: incident.tablet.to_string(),
            serial: serial.to_string(),
            uai: incident.college.to_string(),
            kind: incident.kind.to_string(),
            state: incident.state.to_string(),
            noticed_at: incident.noticed_at.into(),
            declared_at: incident.declared_at.into(),
            declared_by: incident.declarant.0.to_string(),
            declared_by_name: names.get(&incident.declarant.0).cloned(),
            opened_at: incident.opened_at.into(),
            reopens: incident.reopens.map(|id| id.to_string()),
            goes_on_in: goes_on_in.map(|id| id.to_string()),
            papers: clocks.into_iter().map(|clock| PaperClockView::of(clock, &incident.papers)).collect(),
            formerly_noticed: formerly_noticed
                .into_iter()
                .map(|former| FormerlyNoticedView::of(former, &names))
                .collect(),
            former_papers: former_papers
                .into_iter()
                .map(|former| FormerPaperView::of(former, &names))
                .collect(),
            circumstances: circumstances.map(|words| words.expose().clone()),
            authority_reference: incident.papers.authority.map(|reference| reference.as_str().to_owned()),
            lost_mode: lost_mode.map(|mode| LostModeView {
                state: mode.state.to_string(),
                since: mode.since.into(),
                message: mode.message,
                phone: mode.phone,
                footnote: mode.footnote,
            }),
        }
    }
}

/// What became of a wish for lost mode.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LostModeAskedView {
    /// The tablet's id.
    tablet: String,
    /// The request of a second person that it waits for, above the budgets of the day (M5).
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
}

/// A sound that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SoundView {
    /// The command.
    command: String,
}

/// Incidents, the oldest first: those that are open, with the clocks that run.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(IncidentsQuery), responses(
    (status = 200, body = Page<IncidentView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<IncidentsQuery>,
) -> Answer<Page<IncidentView>> {
    let part = Part::<IncidentId>::read(query.after.as_deref(), query.limit)?;
    let (fleet, now) = (&state.fleet, state.now());
    let listed = if query.to_confirm {
        incidents::unconfirmed(fleet, caller.principal(), part, now).await?
    } else {
        incidents::list(fleet, caller.principal(), !query.all, part, now).await?
    };
    Ok(Json(Page::of(listed)))
}

/// One incident.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<IncidentView> {
    shown(&state, &caller, input::parse("incident", &id)?).await
}

/// Says that an incident still stands after a restore, so that something may rest on it again (M5).
#[utoipa::path(post, path = "/api/v1/incidents/{id}/confirm", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn confirm(state: State, caller: Caller, id: Path<String>) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    incidents::confirm(&state.fleet, caller.principal(), id, state.now()).await?;
    shown(&state, &caller, id).await
}

pub(crate) async fn shown(state: &State, caller: &Caller, id: IncidentId) -> Answer<IncidentView> {
    Ok(Json(incidents::show(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Declares what happened to a tablet of one's collège. Late is shown, never refused.
#[utoipa::path(post, path = "/api/v1/tablets/{id}/incidents", tag = "incidents", request_body = IncidentDeclared,
    params(("id" = String, Path, description = "The tablet's id or serial number")), responses(
    (status = 201, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn declare(
    state: State,
    caller: Caller,
    tablet: Path<String>,
    new: Json<IncidentDeclared>,
) -> Created<IncidentView> {
    let new = new.into_inner();
    let new = NewIncident {
        kind: field("kind", &new.kind)?,
        noticed_at: field("noticed_at", &new.noticed_at)?,
        circumstances: new.circumstances.map(Secret::new),
        authority_reference: new.authority_reference,
    };
    let named = input::parse("tablet", &tablet)?;
    let incident = incidents::declare(&state.fleet, caller.principal(), named, new, state.now()).await?;
    Ok((shown(&state, &caller, incident.id).await?, StatusCode::CREATED))
}

/// Takes a step. Closing ends what rests on the incident, and turns lost mode off.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/steps", tag = "incidents", request_body = IncidentStep,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn step(
    state: State,
    caller: Caller,
    id: Path<String>,
    wanted: Json<IncidentStep>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let step = match wanted.step.as_str() {
        "take-up" => Step::TakeUp,
        "find" => Step::Find,
        "give-up" => Step::GiveUp,
        "close" => Step::Close,
        _ => return Err(input::invalid("step", "must be `take-up`, `find`, `give-up` or `close`")),
    };
    incidents::step(&state.fleet, caller.principal(), id, step, state.now()).await?;
    shown(&state, &caller, id).await
}

/// Goes on from an incident that was closed too soon, in a new one that keeps its papers and clocks.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/reopen", tag = "incidents", request_body = IncidentReopened,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 201, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn reopen(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<IncidentReopened>,
) -> Created<IncidentView> {
    let id = input::parse("incident", &id)?;
    let new = incidents::reopen(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    Ok((shown(&state, &caller, new.id).await?, StatusCode::CREATED))
}

/// Puts the tablet of an open incident in lost mode. It counts against the budgets of the day (M5).
#[utoipa::path(post, path = "/api/v1/incidents/{id}/lost-mode", tag = "incidents", request_body = LostModeWanted,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 201, body = LostModeAskedView), (status = "default", body = Problem)))]
pub(crate) async fn lose(
    state: State,
    caller: Caller,
    id: Path<String>,
    wanted: Json<LostModeWanted>,
) -> Created<LostModeAskedView> {
    let id = input::parse("incident", &id)?;
    let LostModeWanted { message, phone, footnote, reason } = wanted.into_inner();
    let message = match (&message, &phone, &footnote) {
        (None, None, None) => None,
        _ => {
            let part = Option::unwrap_or_default;
            let message = Message::new(&part(message), &part(phone), &part(footnote));
            Some(message.map_err(|refused| Failure::Refusal(refused.into()))?)
        }
    };
    let Asked { tablet, held } =
        incidents::lose(&state.fleet, caller.principal(), id, message, &reason, state.now()).await?;
    let view = LostModeAskedView { tablet: tablet.to_string(), held: held.map(|id| id.to_string()) };
    Ok((Json(view), StatusCode::CREATED))
}

/// Makes a tablet in lost mode sound.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/sound", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 201, body = SoundView), (status = "default", body = Problem)))]
pub(crate) async fn sound(state: State, caller: Caller, id: Path<String>) -> Created<SoundView> {
    let id = input::parse("incident", &id)?;
    let command = incidents::sound(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok((Json(SoundView { command: command.to_string() }), StatusCode::CREATED))
}
