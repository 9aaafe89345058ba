//! `/loans`: the light of a tablet, its handover, and what becomes of the loan (C5.2, C5.3).

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::lending::handover::{self, NewLoan};
use fleet::lending::loans::{self, Act, Shown, Wanted};
use fleet::page::Page as Part;
use lending::readiness::{Light, Obstacle};
use serde::{Deserialize, Serialize};
use store::restrictions::Restriction;
use types::LoanId;
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Done, Page, State, done, field, optional};
use crate::persons::name;
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// One thing that stands in the way of a handover.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObstacleView {
    /// The rule that puts it there.
    rule: String,
    /// What stands in the way, and what comes next.
    why: String,
    /// Whether a head may sign over it.
    may_be_signed_over: bool,
}

impl From<&Obstacle> for ObstacleView {
    fn from(obstacle: &Obstacle) -> Self {
        Self {
            rule: obstacle.rule().to_string(),
            why: obstacle.to_string(),
            may_be_signed_over: obstacle.may_be_signed_over(),
        }
    }
}

/// The light of a tablet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadinessView {
    /// Whether it can be handed over now.
    ready: bool,
    /// Everything that stands in the way.
    obstacles: Vec<ObstacleView>,
    /// Complementary apps that are not there yet: they only warn.
    warnings: Vec<String>,
}

impl From<Light> for ReadinessView {
    fn from(light: Light) -> Self {
        Self {
            ready: light.is_ready(),
            obstacles: light.obstacles().iter().map(ObstacleView::from).collect(),
            warnings: light.warnings().to_vec(),
        }
    }
}

/// For whom.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadinessQuery {
    /// The person who would get it; anybody of the collège, unless told.
    person: Option<String>,
}

/// A handover.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandOver {
    /// The person’s number.
    person: String,
    /// What goes over the counter with it.
    #[serde(default)]
    accessories: BTreeSet<String>,
    /// The state it is in.
    condition: String,
    /// Whether the head signs over what is not on it yet (C5.3.4).
    #[serde(default)]
    under_reserve: bool,
}

/// Why a tablet that is not supervised may be lent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExceptionReason {
    /// Why.
    reason: String,
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoanReason {
    /// In at most 500 characters: it is recorded.
    reason: String,
}

/// Until when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestrictionNew {
    /// The last day, such as `2026-12-18`.
    until: String,
}

/// Why a loan ends for the département.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoanEnd {
    /// Why; not for a breach, which is recorded without it.
    reason: Option<String>,
    /// Whether for a breach of the conditions (C5.2.5).
    #[serde(default)]
    breach: bool,
}

/// A registered letter to the head (C5.2.4).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoanLetter {
    /// `user` or `guardians`.
    from: String,
    /// Its date.
    dated: String,
    /// Its reference.
    reference: String,
}

/// Which loans.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoansQuery {
    /// Those that are over, too.
    #[serde(default)]
    all: bool,
    /// Only those under reserve.
    #[serde(default)]
    under_reserve: bool,
    /// Only those of this person.
    person: Option<String>,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// A measure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestrictionView {
    /// Its first day.
    from: String,
    /// Its last day.
    until: String,
    /// When it was lifted before its end.
    lifted_at: Option<Timestamp>,
}

impl From<Restriction> for RestrictionView {
    fn from(row: Restriction) -> Self {
        Self {
            from: row.from_day.to_string(),
            until: row.until_day.to_string(),
            lifted_at: row.lifted_at.map(Timestamp::from),
        }
    }
}

/// A loan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoanView {
    /// Its id.
    id: String,
    /// The tablet's id.
    tablet: String,
    /// The tablet's serial number.
    serial: String,
    /// The département's label.
    asset_tag: Option<String>,
    /// The holder's number.
    person: String,
    /// What they are called; absent once they are forgotten.
    name: Option<String>,
    /// The class of a pupil.
    class: Option<String>,
    /// The number by which the school’s register tells them from others of that name.
    number: Option<String>,
    /// Their first day, if it is to come.
    arrives_on: Option<String>,
    /// What they are to the programme.
    holder_kind: String,
    /// The collège.
    uai: String,
    /// The school year in which it began.
    school_year: String,
    /// `lent`, `deposited`, `suspended` or `ended`.
    state: String,
    /// Why it rests: `confiscated`, `incident` or `repair`.
    suspension: Option<String>,
    /// When it began.
    began_at: Timestamp,
    /// Since when it stands so.
    changed_at: Timestamp,
    /// Why it ended.
    ended_because: Option<String>,
    /// The date of the letter, or the last day of attendance.
    ended_on: Option<String>,
    /// Where the tablet may be used: `take-home`, `in-school`, `deposit`, `restricted` or `lost`; absent once it is back.
    mode: Option<String>,
    /// What went over the counter with it.
    accessories: Vec<String>,
    /// The state it was in.
    condition: String,
    /// What the head signed over, as long as it is not in order.
    reserve: Vec<String>,
    /// Measures.
    restrictions: Vec<RestrictionView>,
    /// The last day of those that hold today.
    restricted_until: Option<String>,
}

impl From<Shown> for LoanView {
    fn from(shown: Shown) -> Self {
        let loan = shown.loan;
        Self {
            id: loan.id.to_string(),
            tablet: loan.tablet_id.to_string(),
            serial: shown.serial.to_string(),
            asset_tag: shown.asset_tag,
            person: loan.person_id.to_string(),
            name: name(&shown.holder.name),
            class: shown.holder.class.map(|class| class.as_str().to_owned()),
            number: shown.holder.number.map(|number| number.as_str().to_owned()),
            arrives_on: shown.holder.arrives_on.map(|day| day.to_string()),
            holder_kind: loan.holder_kind.to_string(),
            uai: loan.uai.to_string(),
            school_year: loan.school_year,
            state: loan.state.to_string(),
            suspension: loan.suspension.map(|why| why.to_string()),
            began_at: loan.began_at.into(),
            changed_at: loan.changed_at.into(),
            ended_because: loan.ended_because,
            ended_on: loan.ended_on.map(|day| day.to_string()),
            mode: shown.mode.map(|mode| mode.mode.to_string()),
            accessories: loan.accessories.into_iter().collect(),
            condition: loan.condition.as_str().to_owned(),
            reserve: loan.reserve.into_iter().collect(),
            restrictions: shown.restrictions.into_iter().map(RestrictionView::from).collect(),
            restricted_until: shown.restricted_until.map(|day| day.to_string()),
        }
    }
}

/// The light of a tablet: ready, or not because of exactly what.
#[utoipa::path(get, path = "/api/v1/tablets/{id}/readiness", tag = "lending",
    params(("id" = String, Path, description = "The tablet’s id, serial number or label"), ReadinessQuery), responses(
    (status = 200, body = ReadinessView), (status = "default", body = Problem)))]
pub(crate) async fn readiness(
    state: State,
    caller: Caller,
    tablet: Path<String>,
    query: Query<ReadinessQuery>,
) -> Answer<ReadinessView> {
    let tablet = input::parse("tablet", &tablet)?;
    let person = query.person.as_deref().map(|id| input::parse("person", id)).transpose()?;
    let light = handover::readiness(&state.fleet, caller.principal(), tablet, person, state.now()).await?;
    Ok(Json(light.into()))
}

/// Hands a tablet over. Refused until everything that must be on it was reported within the last seven days.
#[utoipa::path(post, path = "/api/v1/tablets/{id}/loans", tag = "lending", request_body = HandOver,
    params(("id" = String, Path, description = "The tablet’s id, serial number or label")), responses(
    (status = 201, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn hand_over(
    state: State,
    caller: Caller,
    tablet: Path<String>,
    new: Json<HandOver>,
) -> Created<LoanView> {
    let HandOver { person, accessories, condition, under_reserve } = new.into_inner();
    let new = NewLoan { person: input::parse("person", &person)?, accessories, condition, under_reserve };
    let tablet = input::parse("tablet", &tablet)?;
    let loan = handover::hand_over(&state.fleet, caller.principal(), tablet, new, state.now()).await?;
    // Whoever hands over may see what they handed over.
    let shown = loans::show(&state.fleet, caller.principal(), loan.id, state.now()).await?;
    Ok((Json(shown.into()), StatusCode::CREATED))
}

/// Lets a tablet be lent that is not supervised.
#[utoipa::path(put, path = "/api/v1/tablets/{id}/supervision-exception", tag = "lending",
    request_body = ExceptionReason, params(("id" = String, Path, description = "The tablet’s id, serial number or label")),
    responses((status = 204, description = "It may be lent"), (status = "default", body = Problem)))]
pub(crate) async fn except(
    state: State,
    caller: Caller,
    tablet: Path<String>,
    why: Json<ExceptionReason>,
) -> Done {
    let (tablet, reason) = (input::parse("tablet", &tablet)?, Some(why.into_inner().reason));
    handover::except(&state.fleet, caller.principal(), tablet, reason, state.now()).await?;
    done()
}

/// Ends that exception. Loans that stand go on.
#[utoipa::path(delete, path = "/api/v1/tablets/{id}/supervision-exception", tag = "lending",
    params(("id" = String, Path, description = "The tablet’s id, serial number or label")), responses(
    (status = 204, description = "It is excepted no more"), (status = "default", body = Problem)))]
pub(crate) async fn end_exception(state: State, caller: Caller, tablet: Path<String>) -> Done {
    let tablet = input::parse("tablet", &tablet)?;
    handover::except(&state.fleet, caller.principal(), tablet, None, state.now()).await?;
    done()
}

/// Loans, in the order they began.
#[utoipa::path(get, path = "/api/v1/loans", tag = "lending", params(LoansQuery), responses(
    (status = 200, body = Page<LoanView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, query: Query<LoansQuery>) -> Answer<Page<LoanView>> {
    let part = Part::<LoanId>::read(query.after.as_deref(), query.limit)?;
    let person = optional("person", query.person.as_deref())?;
    let wanted = Wanted { over: query.all, under_reserve: query.under_reserve, person };
    Ok(Json(Page::of(loans::list(&state.fleet, caller.principal(), wanted, part, state.now()).await?)))
}

/// One loan.
#[utoipa::path(get, path = "/api/v1/loans/{id}", tag = "lending",
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<LoanView> {
    let id = input::parse("loan", &id)?;
    Ok(Json(loans::show(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

async fn act(state: &State, caller: &Caller, id: &str, act: Act) -> Answer<LoanView> {
    let id = input::parse("loan", id)?;
    Ok(Json(loans::act(&state.fleet, caller.principal(), id, act, state.now()).await?.into()))
}

/// The head has the tablet confiscated: the loan rests, and nothing is erased.
#[utoipa::path(post, path = "/api/v1/loans/{id}/confiscate", tag = "lending", request_body = LoanReason,
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn confiscate(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<LoanReason>,
) -> Answer<LoanView> {
    act(&state, &caller, &id, Act::Confiscate { reason: field("reason", &why.reason)? }).await
}

/// The holder has the tablet again.
#[utoipa::path(post, path = "/api/v1/loans/{id}/resume", tag = "lending",
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn resume(state: State, caller: Caller, id: Path<String>) -> Answer<LoanView> {
    act(&state, &caller, &id, Act::Resume).await
}

/// The tablet is handed in for the summer: the loan goes on, and nothing is erased.
#[utoipa::path(post, path = "/api/v1/loans/{id}/deposit", tag = "lending",
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn deposit(state: State, caller: Caller, id: Path<String>) -> Answer<LoanView> {
    act(&state, &caller, &id, Act::Deposit).await
}

/// The same pupil gets the same tablet again.
#[utoipa::path(post, path = "/api/v1/loans/{id}/hand-out", tag = "lending",
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn hand_out(state: State, caller: Caller, id: Path<String>) -> Answer<LoanView> {
    act(&state, &caller, &id, Act::HandOut).await
}

/// Restricts the use of the tablet from today until a day: at the latest the last one of the school year, or of its holder’s
/// attendance.
#[utoipa::path(post, path = "/api/v1/loans/{id}/restrict", tag = "lending", request_body = RestrictionNew,
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn restrict(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<RestrictionNew>,
) -> Answer<LoanView> {
    act(&state, &caller, &id, Act::Restrict { until: field("until", &new.until)? }).await
}

/// Lifts the restrictions of a loan.
#[utoipa::path(post, path = "/api/v1/loans/{id}/lift-restrictions", tag = "lending",
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn lift(state: State, caller: Caller, id: Path<String>) -> Answer<LoanView> {
    act(&state, &caller, &id, Act::Lift).await
}

/// The département ends the loan: the tablet is due back.
#[utoipa::path(post, path = "/api/v1/loans/{id}/end", tag = "lending", request_body = LoanEnd,
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn end(
    state: State,
    caller: Caller,
    id: Path<String>,
    end: Json<LoanEnd>,
) -> Answer<LoanView> {
    let because = match (&end.reason, end.breach) {
        (Some(reason), false) => Act::End { reason: field("reason", reason)? },
        (None, true) => Act::EndForBreach,
        _ => return Err(input::invalid("reason", "say why, or that it is for a breach, and not both")),
    };
    act(&state, &caller, &id, because).await
}

/// The user or the guardians end the loan by registered letter to the head.
#[utoipa::path(post, path = "/api/v1/loans/{id}/letter", tag = "lending", request_body = LoanLetter,
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 200, body = LoanView), (status = "default", body = Problem)))]
pub(crate) async fn letter(
    state: State,
    caller: Caller,
    id: Path<String>,
    letter: Json<LoanLetter>,
) -> Answer<LoanView> {
    let letter = Act::Letter {
        from: field("from", &letter.from)?,
        dated: field("dated", &letter.dated)?,
        reference: field("reference", &letter.reference)?,
    };
    act(&state, &caller, &id, letter).await
}
