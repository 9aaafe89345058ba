//! `/departures`: donations and retirements, from the facts to the deed (C5.1.2).

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::lending::departures::decisions::{self, Facts};
use fleet::lending::departures::release::{self, Deed};
use fleet::lending::departures::{self, Case, notices, way_out};
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use types::{CountersignatureId, LastDecisionId};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, State, field};
use crate::notices::LetterView;
use crate::problem::Problem;
use crate::restitutions::status_of;
use crate::timestamp::Timestamp;

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepartureReason {
    /// In at most 500 characters: it is recorded.
    reason: String,
}

/// A word about a year.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct YearWord {
    /// Whether the tablet was managed responsibly in it.
    responsible: bool,
}

/// The request that a second person answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepartureSigned {
    /// Its id.
    countersignature: String,
}

/// What shows that a tablet is its former owner's no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseAttested {
    /// What shows that it was released from the owner's accounts, such as the line of Apple's console.
    release: String,
    /// What shows that its activation lock is off.
    activation_lock: String,
}

/// Which decisions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeparturesQuery {
    /// Those that are over too.
    #[serde(default)]
    all: bool,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// A year of a loan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct YearWordView {
    /// The school year.
    school_year: String,
    /// Whether the tablet was managed responsibly in it.
    responsible: bool,
}

/// What is known of a pupil's years with a tablet. It decides nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DonationFactsView {
    /// Whether a counterpart *no donation* stands (C5.4.4).
    donation_ruled_out: bool,
    /// Whether an incident is open.
    incident_open: bool,
    /// Whether a sum was fixed and not paid (C5.4.4).
    counterpart_unpaid: bool,
    /// What was said about each year.
    years: Vec<YearWordView>,
}

impl From<Facts> for DonationFactsView {
    fn from(facts: Facts) -> Self {
        let Facts { facts, years } = facts;
        let years = years.into_iter();
        Self {
            donation_ruled_out: facts.donation_ruled_out,
            incident_open: facts.incident_open,
            counterpart_unpaid: facts.counterpart_unpaid,
            years: years
                .map(|(school_year, responsible)| YearWordView { school_year, responsible })
                .collect(),
        }
    }
}

/// A donation or a retirement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartureView {
    /// The decision's id.
    id: String,
    /// `donation` or `retirement`.
    kind: String,
    /// The tablet's id.
    tablet: String,
    /// The tablet's serial number.
    serial: String,
    /// The loan of the pupil who gets it.
    loan: Option<String>,
    /// Why.
    reason: String,
    /// How far it is: `proposed`, `decided`, `ordered`, `erased`, `let-go`, `released`, `taken-in` or
    /// `withdrawn`.
    way: String,
    /// When it was proposed, or begun.
    begun_at: Timestamp,
    /// When the département decided.
    decided_at: Option<Timestamp>,
    /// The erase order that it waits for, or was erased by.
    order: Option<String>,
    /// When it was proven empty.
    erased_at: Option<Timestamp>,
    /// How that is known: `attested` or `reenrolled`.
    proof: Option<String>,
    /// When whoever gets it said that their data is saved.
    saved_at: Option<Timestamp>,
    /// When a second person's signature was used.
    let_go_at: Option<Timestamp>,
    /// Whether the tablet is managed still.
    managed: bool,
    /// What shows that it was released from the owner's accounts.
    release: Option<String>,
    /// What shows that its activation lock is off.
    activation_lock: Option<String>,
    /// When both were attested.
    released_at: Option<Timestamp>,
    /// When it was taken into the inventory again.
    taken_in_at: Option<Timestamp>,
}

impl From<Case> for DepartureView {
    fn from(case: Case) -> Self {
        let Case { decision, tablet, departure, way, managed } = case;
        let way_out = departure.as_ref();
        Self {
            id: decision.id.to_string(),
            kind: decision.kind.to_string(),
            tablet: tablet.id.to_string(),
            serial: tablet.serial.to_string(),
            loan: decision.loan_id.map(|id| id.to_string()),
            reason: decision.reason.as_str().to_owned(),
            way: way.to_owned(),
            begun_at: decision.begun_at.into(),
            decided_at: decision.departement_at.map(Into::into),
            order: way_out.and_then(|way| way.order_id).map(|id| id.to_string()),
            erased_at: way_out.and_then(|way| way.erased_at).map(Into::into),
            proof: way_out.and_then(|way| way.proof).map(|proof| proof.as_str().to_owned()),
            saved_at: way_out.and_then(|way| way.saved_at).map(Into::into),
            let_go_at: way_out.and_then(|way| way.let_go_at).map(Into::into),
            managed,
            release: way_out
                .and_then(|way| way.release_reference.as_ref())
                .map(|text| text.as_str().to_owned()),
            activation_lock: way_out
                .and_then(|way| way.lock_reference.as_ref())
                .map(|text| text.as_str().to_owned()),
            released_at: way_out.and_then(|way| way.released_at).map(Into::into),
            taken_in_at: way_out.and_then(|way| way.taken_in_at).map(Into::into),
        }
    }
}

/// A departure, and what waits for a second person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartureHeldView {
    /// The departure.
    departure: DepartureView,
    /// The request of a second person that the act waits for, above the budgets of the day (M5).
    held: Option<String>,
}

impl From<(Case, Option<CountersignatureId>)> for DepartureHeldView {
    fn from((case, held): (Case, Option<CountersignatureId>)) -> Self {
        Self { departure: case.into(), held: held.map(|id| id.to_string()) }
    }
}

/// What a second person was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartureAskedView {
    /// The request's id.
    countersignature: String,
}

/// A deed to print.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeedView {
    /// In French.
    french: String,
    /// In English.
    english: String,
}

impl From<Deed> for DeedView {
    fn from(deed: Deed) -> Self {
        let Deed { french, english } = deed;
        Self { french, english }
    }
}

/// The facts about a pupil's years with a tablet, for whoever proposes or decides on a donation.
#[utoipa::path(get, path = "/api/v1/loans/{id}/donation-facts", tag = "departures",
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = DonationFactsView), (status = "default", body = Problem)))]
pub(crate) async fn facts(state: State, caller: Caller, id: Path<String>) -> Answer<DonationFactsView> {
    let id = input::parse("loan", &id)?;
    Ok(Json(decisions::facts(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// The head says whether a tablet was managed responsibly in a year of its loan: yes or no, and nothing else.
#[utoipa::path(put, path = "/api/v1/loans/{id}/years/{year}", tag = "departures", request_body = YearWord,
    params(("id" = String, Path, description = "The loan’s id"),
        ("year" = String, Path, description = "The school year, such as `2026-2027`")), responses(
    (status = 200, body = DonationFactsView), (status = "default", body = Problem)))]
pub(crate) async fn say_of_year(
    state: State,
    caller: Caller,
    path: Path<(String, String)>,
    word: Json<YearWord>,
) -> Answer<DonationFactsView> {
    let (id, year) = path.into_inner();
    let id = input::parse("loan", &id)?;
    let word = (year, word.responsible);
    Ok(Json(decisions::say_of_year(&state.fleet, caller.principal(), id, word, state.now()).await?.into()))
}

/// The head proposes that a tablet is given to the pupil who holds it.
#[utoipa::path(post, path = "/api/v1/loans/{id}/donation", tag = "departures", request_body = DepartureReason,
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 201, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn propose(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<DepartureReason>,
) -> Created<DepartureView> {
    let (id, reason) = (input::parse("loan", &id)?, field("reason", &why.reason)?);
    let case = decisions::propose(&state.fleet, caller.principal(), id, reason, state.now()).await?;
    Ok((Json(case.into()), StatusCode::CREATED))
}

/// The département decides that a tablet is retired.
#[utoipa::path(post, path = "/api/v1/tablets/{id}/retirement", tag = "departures", request_body = DepartureReason,
    params(("id" = String, Path, description = "The tablet’s id, serial number or label")), responses(
    (status = 201, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn retire(
    state: State,
    caller: Caller,
    tablet: Path<String>,
    why: Json<DepartureReason>,
) -> Created<DepartureView> {
    let (tablet, reason) = (input::parse("tablet", &tablet)?, field("reason", &why.reason)?);
    let case = decisions::retire(&state.fleet, caller.principal(), tablet, reason, state.now()).await?;
    Ok((Json(case.into()), StatusCode::CREATED))
}

/// Donations and retirements, in the order they were begun: those that are not over, or all.
#[utoipa::path(get, path = "/api/v1/departures", tag = "departures", params(DeparturesQuery), responses(
    (status = 200, body = Page<DepartureView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<DeparturesQuery>,
) -> Answer<Page<DepartureView>> {
    let part = Part::<LastDecisionId>::read(query.after.as_deref(), query.limit)?;
    let listed = departures::list(&state.fleet, caller.principal(), query.all, part, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

/// One donation or retirement.
#[utoipa::path(get, path = "/api/v1/departures/{id}", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<DepartureView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(departures::show(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// The département decides on a donation that the head proposed.
#[utoipa::path(post, path = "/api/v1/departures/{id}/decide", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn decide(state: State, caller: Caller, id: Path<String>) -> Answer<DepartureView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(decisions::decide(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// The head takes back what they proposed, as long as the département has not decided.
#[utoipa::path(post, path = "/api/v1/departures/{id}/take-back", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn take_back(state: State, caller: Caller, id: Path<String>) -> Answer<DepartureView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(decisions::take_back(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// The département takes a decision back, or refuses a proposal, as long as no second person has signed.
#[utoipa::path(post, path = "/api/v1/departures/{id}/withdraw", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn withdraw(state: State, caller: Caller, id: Path<String>) -> Answer<DepartureView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(decisions::withdraw(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Writes the letter to the pupil who is given their tablet, or gives it again (C5.3.5).
#[utoipa::path(post, path = "/api/v1/departures/{id}/letter", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = LetterView), (status = "default", body = Problem)))]
pub(crate) async fn letter(state: State, caller: Caller, id: Path<String>) -> Answer<LetterView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(notices::letter(&state.fleet, caller.principal(), id, false, state.now()).await?.into()))
}

/// Records that the letter was handed over: from now on it counts as a notice (M3).
#[utoipa::path(post, path = "/api/v1/departures/{id}/letter/handed-over", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = LetterView), (status = "default", body = Problem)))]
pub(crate) async fn letter_handed_over(state: State, caller: Caller, id: Path<String>) -> Answer<LetterView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(notices::letter(&state.fleet, caller.principal(), id, true, state.now()).await?.into()))
}

/// Whoever is given their tablet, or a guardian, says that their data is saved: its erasure waits no longer for a notice (C5.3.5).
#[utoipa::path(post, path = "/api/v1/departures/{id}/saved", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn saved(state: State, caller: Caller, id: Path<String>) -> Answer<DepartureView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(way_out::saved(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Orders the erasure of a tablet that leaves, or has it told again. It counts against whoever asks (M5). While an order
/// stands and is under way the answer is 200 with it: nothing is ordered a second time.
#[utoipa::path(post, path = "/api/v1/departures/{id}/order", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureHeldView), (status = 201, body = DepartureHeldView),
    (status = "default", body = Problem)))]
pub(crate) async fn order(state: State, caller: Caller, id: Path<String>) -> Created<DepartureHeldView> {
    let id = input::parse("decision", &id)?;
    let (case, held, wish) = way_out::order(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok((Json((case, held).into()), status_of(wish)))
}

/// A technician attests that a tablet under an order is empty, whatever way it was erased (M3).
#[utoipa::path(post, path = "/api/v1/departures/{id}/attest", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn attest(state: State, caller: Caller, id: Path<String>) -> Answer<DepartureView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(way_out::attest(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Asks a second person of the département whether a tablet that is proven empty may go.
#[utoipa::path(post, path = "/api/v1/departures/{id}/ask", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 201, body = DepartureAskedView), (status = "default", body = Problem)))]
pub(crate) async fn ask(state: State, caller: Caller, id: Path<String>) -> Created<DepartureAskedView> {
    let id = input::parse("decision", &id)?;
    let asked = release::ask(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok((Json(DepartureAskedView { countersignature: asked.to_string() }), StatusCode::CREATED))
}

/// Lets a tablet go that a second person signed for: it is told that it leaves management. Nothing is taken back after that.
#[utoipa::path(post, path = "/api/v1/departures/{id}/let-go", tag = "departures", request_body = DepartureSigned,
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureHeldView), (status = "default", body = Problem)))]
pub(crate) async fn let_go(
    state: State,
    caller: Caller,
    id: Path<String>,
    signed: Json<DepartureSigned>,
) -> Answer<DepartureHeldView> {
    let id = input::parse("decision", &id)?;
    let signed = input::parse("countersignature", &signed.countersignature)?;
    Ok(Json(release::let_go(&state.fleet, caller.principal(), id, signed, state.now()).await?.into()))
}

/// Has a tablet that was let go told again that it leaves management.
#[utoipa::path(post, path = "/api/v1/departures/{id}/leave-again", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureHeldView), (status = "default", body = Problem)))]
pub(crate) async fn leave_again(state: State, caller: Caller, id: Path<String>) -> Answer<DepartureHeldView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(release::leave_again(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Records that the tablet was released from the owner’s accounts, and that its activation lock is off. That ends it.
#[utoipa::path(post, path = "/api/v1/departures/{id}/release", tag = "departures", request_body = ReleaseAttested,
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn release(
    state: State,
    caller: Caller,
    id: Path<String>,
    attested: Json<ReleaseAttested>,
) -> Answer<DepartureView> {
    let id = input::parse("decision", &id)?;
    let shown = (field("release", &attested.release)?, field("activation_lock", &attested.activation_lock)?);
    Ok(Json(release::release(&state.fleet, caller.principal(), id, shown, state.now()).await?.into()))
}

/// Takes a tablet that has left into the inventory again: until then it is not admitted, whoever makes a link for it.
#[utoipa::path(post, path = "/api/v1/departures/{id}/take-in", tag = "departures", request_body = DepartureReason,
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DepartureView), (status = "default", body = Problem)))]
pub(crate) async fn take_in(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<DepartureReason>,
) -> Answer<DepartureView> {
    let (id, reason) = (input::parse("decision", &id)?, field("reason", &why.reason)?);
    Ok(Json(release::take_in(&state.fleet, caller.principal(), id, reason, state.now()).await?.into()))
}

/// The deed of a gift, to be printed and signed.
#[utoipa::path(get, path = "/api/v1/departures/{id}/deed", tag = "departures",
    params(("id" = String, Path, description = "The decision’s id")), responses(
    (status = 200, body = DeedView), (status = "default", body = Problem)))]
pub(crate) async fn deed(state: State, caller: Caller, id: Path<String>) -> Answer<DeedView> {
    let id = input::parse("decision", &id)?;
    Ok(Json(release::deed(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}
