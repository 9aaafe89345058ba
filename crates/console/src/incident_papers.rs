//! The papers of an incident: the letter and the complaint, their clocks, and what is put right of them (C5.4.2).

use std::collections::BTreeMap;

use ::incidents::papers::{Clock, PaperKind, Papers, Standing};
use actix_web::web::{Json, Path};
use fleet::incidents::{self, FormerPaper, FormerlyNoticed, NewComplaint, NewLetter, TruePaper};
use serde::{Deserialize, Serialize};
use types::AccountId;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::incidents::{IncidentView, shown};
use crate::input::{self, Answer, State, field};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// The letter to the collège, which gives the circumstances.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LetterRecorded {
    /// Where the collège keeps it.
    reference: String,
    /// Its date, such as `2026-11-26`.
    dated: String,
}

/// A complaint about a theft (dépôt de plainte).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ComplaintRecorded {
    /// Its number.
    number: String,
    /// Its date, such as `2026-11-26`.
    dated: String,
    /// The police or gendarmerie station.
    station: String,
}

/// A paper that was recorded wrongly, as it is in truth.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperPutRight {
    /// `letter` or `complaint`.
    paper: String,
    /// Where the collège keeps the letter, or the number of the complaint.
    reference: String,
    /// Its date, such as `2026-11-26`.
    dated: String,
    /// The police or gendarmerie station, of a complaint.
    station: Option<String>,
    /// Why, in at most 500 characters: it is recorded, and so is what was said before.
    reason: String,
}

/// A paper that was recorded, and that there is not.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaperTakenBack {
    /// `letter` or `complaint`.
    paper: String,
    /// Why, in at most 500 characters: it is recorded, and so is what was said before.
    reason: String,
}

/// When an incident was noticed in truth.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticedPutRight {
    /// When the user noticed it, such as `2026-11-26T07:30:00Z`.
    #[schema(format = DateTime)]
    noticed_at: String,
    /// Why, in at most 500 characters: it is recorded, and so is what was said before.
    reason: String,
}

/// When it was said that an incident was noticed, before that was put right.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FormerlyNoticedView {
    /// What was said.
    noticed_at: Timestamp,
    /// Why it was put right, for whoever handles the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When.
    corrected_at: Timestamp,
    /// By whom, by their account's id.
    corrected_by: String,
    /// Their name; absent once they are forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_by_name: Option<String>,
}

impl FormerlyNoticedView {
    pub(crate) fn of(former: FormerlyNoticed, names: &BTreeMap<AccountId, String>) -> Self {
        Self {
            corrected_by_name: names.get(&former.corrected_by).cloned(),
            noticed_at: former.noticed_at.into(),
            reason: former.reason,
            corrected_at: former.corrected_at.into(),
            corrected_by: former.corrected_by.to_string(),
        }
    }
}

/// A paper that an incident needs, and its clock (C5.4.2).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaperClockView {
    /// `letter` or `complaint`.
    paper: String,
    /// The last instant at which it is in time.
    due_at: Timestamp,
    /// `in-time`, `came-late`, `awaited` or `missing`.
    standing: String,
    /// How late it came, or is, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_seconds: Option<u64>,
    /// Where the collège keeps the letter, or the number of the complaint, once it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Its date.
    #[serde(skip_serializing_if = "Option::is_none")]
    dated: Option<String>,
    /// The police or gendarmerie station, of a complaint.
    #[serde(skip_serializing_if = "Option::is_none")]
    station: Option<String>,
}

/// What was said of a paper before it was put right.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FormerPaperView {
    /// `letter` or `complaint`.
    paper: String,
    /// Where it was said to be kept, or its number; absent if it had been taken back.
    reference: Option<String>,
    /// The date that was said.
    dated: Option<String>,
    /// The station that was said.
    station: Option<String>,
    /// Why it was put right, or taken back, for whoever handles the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether it was taken back: there was no such paper.
    taken_back: bool,
    /// When.
    corrected_at: Timestamp,
    /// By whom, by their account's id.
    corrected_by: String,
    /// Their name; absent once they are forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_by_name: Option<String>,
}

impl FormerPaperView {
    pub(crate) fn of(former: FormerPaper, names: &BTreeMap<AccountId, String>) -> Self {
        let corrected_by_name = names.get(&former.corrected_by).cloned();
        let (reference, dated, station) = match former.before {
            Some(paper) => (Some(paper.reference), Some(paper.dated.to_string()), paper.station),
            None => (None, None, None),
        };
        Self {
            paper: former.kind.to_string(),
            reference,
            dated,
            station,
            reason: former.reason,
            taken_back: former.taken_back,
            corrected_at: former.corrected_at.into(),
            corrected_by: former.corrected_by.to_string(),
            corrected_by_name,
        }
    }
}

impl PaperClockView {
    pub(crate) fn of(clock: Clock, papers: &Papers) -> Self {
        let (letter, complaint) = (papers.letter.as_ref(), papers.complaint.as_ref());
        let (reference, dated, station) = match clock.paper {
            PaperKind::Letter => {
                (letter.map(|letter| letter.reference.clone()), letter.map(|letter| letter.dated), None)
            }
            PaperKind::Complaint => (
                complaint.map(|complaint| complaint.number.clone()),
                complaint.map(|complaint| complaint.dated),
                complaint.map(|complaint| complaint.station.clone()),
            ),
        };
        let (standing, late) = match clock.standing {
            Standing::InTime => ("in-time", None),
            Standing::CameLate(late) => ("came-late", Some(late)),
            Standing::Awaited => ("awaited", None),
            Standing::Missing(late) => ("missing", Some(late)),
        };
        Self {
            paper: clock.paper.to_string(),
            due_at: clock.due_at.into(),
            standing: standing.to_owned(),
            late_seconds: late.map(|late| late.as_secs()),
            reference,
            dated: dated.map(|day| day.to_string()),
            station,
        }
    }
}

/// Records the letter to the collège.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/letter", tag = "incidents", request_body = LetterRecorded,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn letter(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<LetterRecorded>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let new = NewLetter { dated: field("dated", &new.dated)?, reference: new.into_inner().reference };
    incidents::letter(&state.fleet, caller.principal(), id, new, state.now()).await?;
    shown(&state, &caller, id).await
}

/// Records the complaint about a theft.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/complaint", tag = "incidents", request_body = ComplaintRecorded,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn complaint(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<ComplaintRecorded>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let dated = field("dated", &new.dated)?;
    let ComplaintRecorded { number, station, .. } = new.into_inner();
    let new = NewComplaint { number, dated, station };
    incidents::complaint(&state.fleet, caller.principal(), id, new, state.now()).await?;
    shown(&state, &caller, id).await
}

/// Puts right a letter or a complaint that was recorded wrongly; what was said before stays. A warrant that is firm because
/// of it ends if it does not count any more (M1).
#[utoipa::path(post, path = "/api/v1/incidents/{id}/papers/correct", tag = "incidents", request_body = PaperPutRight,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn correct(
    state: State,
    caller: Caller,
    id: Path<String>,
    right: Json<PaperPutRight>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let PaperPutRight { paper, reference, dated, station, reason } = right.into_inner();
    let truth = TruePaper { reference, dated: field("dated", &dated)?, station };
    let what = (field("paper", &paper)?, Some(truth));
    incidents::put_right(&state.fleet, caller.principal(), id, what, &reason, state.now()).await?;
    shown(&state, &caller, id).await
}

/// Takes back a letter or a complaint that was recorded and that there is not; what was said before stays.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/papers/take-back", tag = "incidents", request_body = PaperTakenBack,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn take_back(
    state: State,
    caller: Caller,
    id: Path<String>,
    wrong: Json<PaperTakenBack>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let what = (field("paper", &wrong.paper)?, None);
    incidents::put_right(&state.fleet, caller.principal(), id, what, &wrong.reason, state.now()).await?;
    shown(&state, &caller, id).await
}

/// Puts right when an incident was noticed; what was said before stays, and the clocks of its papers follow.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/noticed", tag = "incidents", request_body = NoticedPutRight,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = IncidentView), (status = "default", body = Problem)))]
pub(crate) async fn correct_noticed(
    state: State,
    caller: Caller,
    id: Path<String>,
    right: Json<NoticedPutRight>,
) -> Answer<IncidentView> {
    let id = input::parse("incident", &id)?;
    let noticed_at = field("noticed_at", &right.noticed_at)?;
    let (fleet, now) = (&state.fleet, state.now());
    incidents::put_noticed_right(fleet, caller.principal(), id, noticed_at, &right.reason, now).await?;
    shown(&state, &caller, id).await
}
