//! `/restitutions`: tablets that were given back, from the receipt to the proof that they are empty (C5.3.5, M3).

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::lending::notices;
use fleet::lending::orders::{self, Ordered, Wish};
use fleet::lending::overdue::{self, Overdue};
use fleet::lending::restitutions::{self, Line, Scanned};
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use types::{LoanId, RestitutionId};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, PageQuery, State, field};
use crate::notices::LetterView;
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// A tablet that lies on the counter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TabletScanned {
    /// Its serial number, its id or the owner's label, as it was scanned or typed.
    pub(crate) tablet: String,
    /// What came with it.
    #[serde(default)]
    pub(crate) accessories: BTreeSet<String>,
    /// The state it is in, in a few words.
    pub(crate) condition: String,
    /// Whether the holder, or a guardian, confirmed that their data is saved: the erasure then does not wait for a notice.
    #[serde(default)]
    pub(crate) saved: bool,
}

/// Tablets that are received: all of them, or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TabletsReceived {
    /// 1 to 500 of them.
    tablets: Vec<TabletScanned>,
}

/// Whether a check keeps a tablet as it is (C5.4.1).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckWanted {
    /// Whether it is kept.
    held: bool,
}

/// Where an empty tablet goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShelfWanted {
    /// `in-stock` or `in-repair`.
    place: String,
}

/// Which restitutions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestitutionsQuery {
    /// Those that are over too.
    #[serde(default)]
    all: bool,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// What a restitution waits for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitsView {
    /// For what, for programs, such as `within-notice`.
    code: String,
    /// For what, in English.
    english: String,
    /// For what, in French.
    french: String,
    /// Until when, if that is known.
    until: Option<Timestamp>,
    /// Whether it goes on only by somebody's hand.
    by_hand: bool,
}

/// A restitution.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestitutionView {
    /// Its id.
    id: String,
    /// The tablet's id.
    tablet: String,
    /// The tablet's serial number.
    serial: String,
    /// The owner's label.
    asset_tag: Option<String>,
    /// The loan that it ended.
    loan: String,
    /// The collège that received it.
    uai: String,
    /// When it was received.
    received_at: Timestamp,
    /// Who received it, by their account's id.
    received_by: String,
    /// What came with it.
    accessories: BTreeSet<String>,
    /// What was handed over with it and did not come back, by the names that were written then.
    missing_accessories: BTreeSet<String>,
    /// The state it is in.
    condition: String,
    /// When the holder confirmed that their data is saved.
    saved_at: Option<Timestamp>,
    /// Whether a check keeps it as it is (C5.4.1).
    held_for_check: bool,
    /// `received`, `ordered`, `delivered`, `acknowledged`, `erased`, `in-stock`, `in-repair` or `undone`. Acknowledged is not
    /// erased.
    stage: String,
    /// The erase order that it waits for, or was erased by.
    order: Option<String>,
    /// When the tablet said that it erases itself.
    acknowledged_at: Option<Timestamp>,
    /// How it is known to be empty: `attested` or `reenrolled`.
    proof: Option<String>,
    /// What it waits for, and what to do.
    waits: WaitsView,
}

impl From<Line> for RestitutionView {
    fn from(line: Line) -> Self {
        let Line { restitution: row, serial, asset_tag, missing, waits } = line;
        Self {
            id: row.id.to_string(),
            tablet: row.tablet_id.to_string(),
            serial: serial.to_string(),
            asset_tag,
            loan: row.loan_id.to_string(),
            uai: row.uai.to_string(),
            received_at: row.received_at.into(),
            received_by: row.received_by.to_string(),
            accessories: row.accessories,
            missing_accessories: missing,
            condition: row.condition.as_str().to_owned(),
            saved_at: row.saved_at.map(Into::into),
            held_for_check: row.held_for_check,
            stage: row.stage.as_str().to_owned(),
            order: row.order_id.map(|id| id.to_string()),
            acknowledged_at: row.acknowledged_at.map(Into::into),
            proof: row.proof.map(|proof| proof.as_str().to_owned()),
            waits: WaitsView {
                code: waits.why.code.to_owned(),
                english: waits.why.english,
                french: waits.why.french,
                until: waits.until.map(Into::into),
                by_hand: waits.by_hand,
            },
        }
    }
}

/// A restitution, and whether it had been received before.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceivedView {
    /// Whether an earlier request, or a colleague, had received it.
    already: bool,
    /// The restitution.
    restitution: RestitutionView,
}

/// What became of tablets that were received.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptView {
    /// The tablets, in the order they were scanned.
    tablets: Vec<ReceivedView>,
    /// The request of a second person that their erasures wait for, above the budgets of the day (M5).
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    /// Whether the brake has counted their erasures. While its switch is thrown it counts nothing, and they must be ordered
    /// by hand afterwards.
    counted: bool,
}

/// What became of a wish that a tablet be erased.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasureView {
    /// The restitution.
    restitution: RestitutionView,
    /// The request of a second person that it waits for (M5).
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
}

/// A tablet whose loan is over, and that nobody has received since.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OverdueView {
    /// The loan.
    loan: String,
    /// The tablet's serial number.
    serial: String,
    /// The owner's label.
    asset_tag: Option<String>,
    /// The class of the pupil who has it.
    class: Option<String>,
    /// The collège that lent it.
    uai: String,
    /// The day on which it was due.
    due_on: String,
    /// How many days ago that was; 0 on the day itself.
    days_late: u32,
    /// Whether it is time to ask whether an incident is to be declared. A person decides.
    propose_incident: bool,
}

impl From<Overdue> for OverdueView {
    fn from(overdue: Overdue) -> Self {
        Self {
            loan: overdue.loan.to_string(),
            serial: overdue.serial.to_string(),
            asset_tag: overdue.asset_tag,
            class: overdue.class.map(|class| class.as_str().to_owned()),
            uai: overdue.uai.to_string(),
            due_on: overdue.due_on.to_string(),
            days_late: overdue.days_late,
            propose_incident: overdue.propose_incident,
        }
    }
}

/// Tablets whose loan is over, and that nobody has received since: the head's list (C5.2.3). Nothing is erased for it.
#[utoipa::path(get, path = "/api/v1/overdue-tablets", tag = "restitutions", params(PageQuery), responses(
    (status = 200, body = Page<OverdueView>), (status = "default", body = Problem)))]
pub(crate) async fn overdue(
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Answer<Page<OverdueView>> {
    let part = Part::<LoanId>::read(query.after.as_deref(), query.limit)?;
    let listed = overdue::list(&state.fleet, caller.principal(), part, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

/// Writes the letter that tells whoever held the tablet that it will be erased, or gives it again (C5.3.5).
#[utoipa::path(post, path = "/api/v1/restitutions/{id}/letter", tag = "restitutions",
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = LetterView), (status = "default", body = Problem)))]
pub(crate) async fn letter(state: State, caller: Caller, id: Path<String>) -> Answer<LetterView> {
    let id = input::parse("restitution", &id)?;
    Ok(Json(notices::letter(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Records that the letter was handed over: from now on it counts as a notice (M3).
#[utoipa::path(post, path = "/api/v1/restitutions/{id}/letter/handed-over", tag = "restitutions",
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = LetterView), (status = "default", body = Problem)))]
pub(crate) async fn letter_handed_over(state: State, caller: Caller, id: Path<String>) -> Answer<LetterView> {
    let id = input::parse("restitution", &id)?;
    Ok(Json(notices::handed_over(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Tablets that were given back, the newest first: those that are not over, with what each waits for.
#[utoipa::path(get, path = "/api/v1/restitutions", tag = "restitutions", params(RestitutionsQuery), responses(
    (status = 200, body = Page<RestitutionView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<RestitutionsQuery>,
) -> Answer<Page<RestitutionView>> {
    let part = Part::<RestitutionId>::read(query.after.as_deref(), query.limit)?;
    let listed = restitutions::list(&state.fleet, caller.principal(), !query.all, part, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

/// Receives tablets. Receiving one again changes nothing, so that a class may be scanned anew after an interruption. Those that
/// cannot be received are all named, by their place among those that were scanned, and then none is received. Nothing is erased
/// by it, and no erasure is ordered within 60 seconds.
#[utoipa::path(post, path = "/api/v1/restitutions", tag = "restitutions", request_body = TabletsReceived, responses(
    (status = 201, body = ReceiptView), (status = "default", body = Problem)))]
pub(crate) async fn receive(
    state: State,
    caller: Caller,
    wanted: Json<TabletsReceived>,
) -> Created<ReceiptView> {
    let scanned = wanted
        .into_inner()
        .tablets
        .into_iter()
        .map(|one| {
            let condition = field("condition", &one.condition)?;
            Ok(Scanned { tablet: one.tablet, accessories: one.accessories, condition, saved: one.saved })
        })
        .collect::<Result<_, crate::problem::Failure>>()?;
    let receipt = restitutions::receive(&state.fleet, caller.principal(), scanned, state.now()).await?;
    let tablets = receipt.lines.into_iter();
    let view = ReceiptView {
        tablets: tablets.map(|(line, already)| ReceivedView { already, restitution: line.into() }).collect(),
        held: receipt.held.map(|id| id.to_string()),
        counted: receipt.counted,
    };
    Ok((Json(view), StatusCode::CREATED))
}

/// One restitution.
#[utoipa::path(get, path = "/api/v1/restitutions/{id}", tag = "restitutions",
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = RestitutionView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<RestitutionView> {
    let id = input::parse("restitution", &id)?;
    Ok(Json(restitutions::show(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// The holder, or a guardian, confirms that their data is saved: the erasure waits no longer for a notice (C5.3.5).
#[utoipa::path(post, path = "/api/v1/restitutions/{id}/saved", tag = "restitutions",
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = RestitutionView), (status = "default", body = Problem)))]
pub(crate) async fn saved(state: State, caller: Caller, id: Path<String>) -> Answer<RestitutionView> {
    let id = input::parse("restitution", &id)?;
    Ok(Json(restitutions::saved(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Keeps a tablet as it is for a check, or lets it go again (C5.4.1).
#[utoipa::path(put, path = "/api/v1/restitutions/{id}/check", tag = "restitutions", request_body = CheckWanted,
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = RestitutionView), (status = "default", body = Problem)))]
pub(crate) async fn check(
    state: State,
    caller: Caller,
    id: Path<String>,
    wanted: Json<CheckWanted>,
) -> Answer<RestitutionView> {
    let id = input::parse("restitution", &id)?;
    let held =
        restitutions::hold_for_check(&state.fleet, caller.principal(), id, wanted.held, state.now()).await?;
    Ok(Json(held.into()))
}

/// Orders the erasure of a tablet that was given back, or has it told again. The calendar orders by itself what is due; by
/// hand it counts against whoever asks, unless the receipt was counted. While an order stands and is under way the answer is
/// 200 with that order: nothing is ordered a second time.
#[utoipa::path(post, path = "/api/v1/restitutions/{id}/order", tag = "restitutions",
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = ErasureView), (status = 201, body = ErasureView), (status = "default", body = Problem)))]
pub(crate) async fn order(state: State, caller: Caller, id: Path<String>) -> Created<ErasureView> {
    let id = input::parse("restitution", &id)?;
    let Ordered { line, held, wish } =
        orders::order(&state.fleet, caller.principal(), id, state.now()).await?;
    let view = ErasureView { restitution: line.into(), held: held.map(|id| id.to_string()) };
    Ok((Json(view), status_of(wish)))
}

/// 201 for an order that is given, 200 for one that stood.
pub(crate) const fn status_of(wish: Wish) -> StatusCode {
    match wish {
        Wish::Granted => StatusCode::CREATED,
        Wish::StoodAlready => StatusCode::OK,
    }
}

/// A technician attests that a tablet under an order is empty, whatever way it was erased (M3).
#[utoipa::path(post, path = "/api/v1/restitutions/{id}/attest", tag = "restitutions",
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = RestitutionView), (status = "default", body = Problem)))]
pub(crate) async fn attest(state: State, caller: Caller, id: Path<String>) -> Answer<RestitutionView> {
    let id = input::parse("restitution", &id)?;
    Ok(Json(restitutions::attest(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Puts a tablet that is proven empty into stock, or into repair.
#[utoipa::path(post, path = "/api/v1/restitutions/{id}/shelve", tag = "restitutions", request_body = ShelfWanted,
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = RestitutionView), (status = "default", body = Problem)))]
pub(crate) async fn shelve(
    state: State,
    caller: Caller,
    id: Path<String>,
    wanted: Json<ShelfWanted>,
) -> Answer<RestitutionView> {
    let id = input::parse("restitution", &id)?;
    let place = field("place", &wanted.place)?;
    let shelved = restitutions::shelve(&state.fleet, caller.principal(), id, place, state.now()).await?;
    Ok(Json(shelved.into()))
}

/// Takes back a receipt that was a slip, as long as nothing was ordered: the loan stands as it stood.
#[utoipa::path(post, path = "/api/v1/restitutions/{id}/undo", tag = "restitutions",
    params(("id" = String, Path, description = "The restitution's id")), responses(
    (status = 200, body = RestitutionView), (status = "default", body = Problem)))]
pub(crate) async fn undo(state: State, caller: Caller, id: Path<String>) -> Answer<RestitutionView> {
    let id = input::parse("restitution", &id)?;
    Ok(Json(restitutions::undo(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}
