//! Location warrants: asked of a second person, extended, ended, and whom they are told to (M1).

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path};
use fleet::incidents::notices;
use fleet::incidents::warrants::{self, Line, Petitioned, Wanted};
use serde::{Deserialize, Serialize};
use store::untold::OfWarrant;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, State, field};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// A warrant that somebody wants. What is absent is what is configured.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WarrantWanted {
    /// Why, in at most 500 characters: the second person decides by it, and it is recorded.
    reason: String,
    /// How many hours it lasts.
    hours: Option<u32>,
    /// How many positions it lets be asked for.
    fixes: Option<u32>,
    /// How many minutes two requests lie apart, at least.
    interval_minutes: Option<u32>,
}

/// Why a warrant ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WarrantEnded {
    /// In at most 500 characters: it is recorded.
    reason: String,
}

/// A delay that an authority asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticesDelayed {
    /// The day on which notices go, such as `2026-12-24`.
    until: String,
    /// How the authority names its request.
    reference: String,
}

/// What a second person was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WarrantAskedView {
    /// The request, which the head of the collège or an operator of the département answers.
    countersignature: String,
    /// The reason that they read, if the same was asked for before and still waits: that request stands as it was asked, and
    /// this one changed nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    stands_with: Option<String>,
}

impl From<Petitioned> for WarrantAskedView {
    fn from(asked: Petitioned) -> Self {
        Self { countersignature: asked.request.to_string(), stands_with: asked.stands }
    }
}

/// A warrant, and what was done under it. Never where a tablet was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WarrantView {
    /// Its id.
    id: String,
    /// The incident it rests on.
    incident: String,
    /// The only tablet it lets anyone locate.
    tablet: String,
    /// `open` or `ended`.
    state: String,
    /// Who asked, by their account's id.
    author: String,
    /// Their name; absent once they are forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    author_name: Option<String>,
    /// Who granted it, by their account's id.
    second: String,
    /// Their name; absent once they are forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_name: Option<String>,
    /// Why.
    reason: String,
    /// `firm`, or `provisional` while the complaint or the letter is awaited.
    footing: String,
    /// The warrant that it goes on from.
    extends: Option<String>,
    /// The first instant it covers.
    opens_at: Timestamp,
    /// The first instant it no longer covers.
    expires_at: Timestamp,
    /// When it ended, if it has and that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// How many positions it lets be asked for.
    fixes: u32,
    /// How far apart two requests lie, at least, in minutes.
    interval_minutes: u64,
    /// How many were asked for.
    asked: u32,
    /// How many were kept.
    kept: u32,
}

impl From<Line> for WarrantView {
    fn from(line: Line) -> Self {
        let Line { id, grant, state, asked, kept, ended_at, names } = line;
        let name = |account| names.get(account).cloned();
        Self {
            id: id.to_string(),
            incident: grant.incident.to_string(),
            tablet: grant.tablet.to_string(),
            state: state.to_string(),
            author: grant.author.to_string(),
            author_name: name(&grant.author),
            second: grant.second.to_string(),
            second_name: name(&grant.second),
            reason: grant.reason,
            footing: grant.footing.to_string(),
            extends: grant.extends.map(|before| before.to_string()),
            opens_at: grant.opens_at.into(),
            expires_at: grant.expires_at.into(),
            ended_at: ended_at.map(Timestamp::from),
            fixes: grant.fixes,
            interval_minutes: grant.interval.as_secs() / 60,
            asked,
            kept,
        }
    }
}

/// That a warrant must be told to the holder, or the guardians.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WarrantNoticeView {
    /// What it is called where it is told: the warrant's id, a colon, and the occasion.
    id: String,
    /// The warrant.
    warrant: String,
    /// `opened`, or `over`.
    occasion: String,
    /// The loan whose holder is told; absent if nobody had the tablet.
    loan: Option<String>,
    /// From when on it is sent.
    due_at: Timestamp,
    /// When it was told.
    told_at: Option<Timestamp>,
    /// How somebody told it: `letter` or `in-person`; absent for what went by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_how: Option<String>,
    /// Who told it, by their account's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_by: Option<String>,
    /// Their name; absent once they are forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_by_name: Option<String>,
}

impl From<notices::Line> for WarrantNoticeView {
    fn from(line: notices::Line) -> Self {
        let notices::Line { notice: row, told_by } = line;
        let of = OfWarrant { warrant: row.warrant_id, occasion: row.occasion };
        Self {
            id: of.to_string(),
            warrant: row.warrant_id.to_string(),
            occasion: row.occasion.to_string(),
            loan: row.loan_id.map(|loan| loan.to_string()),
            due_at: row.due_at.into(),
            told_at: row.told_at.map(Timestamp::from),
            told_how: row.told_how.map(|how| how.to_string()),
            told_by: row.told_by.map(|account| account.to_string()),
            told_by_name: told_by,
        }
    }
}

/// What a delay came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DelayView {
    /// How many notices that were written wait now until that day.
    waiting: usize,
    /// What the authority must be told.
    tell_the_authority: &'static str,
}

/// An iPad tells its user by itself.
const TELL: &str = "an iPad itself shows, once lost mode is off, that its location was read";

fn wanted(new: &WarrantWanted) -> Wanted {
    let WarrantWanted { hours, fixes, interval_minutes, .. } = *new;
    Wanted { hours, fixes, interval_minutes }
}

/// Asks a second person for the warrant of an incident: the head, or an operator of the département, who did not declare it.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/warrants", tag = "warrants", request_body = WarrantWanted,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 201, body = WarrantAskedView), (status = "default", body = Problem)))]
pub(crate) async fn ask(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<WarrantWanted>,
) -> Created<WarrantAskedView> {
    let id = input::parse("incident", &id)?;
    let (fleet, now) = (&state.fleet, state.now());
    let asked = warrants::ask(fleet, caller.principal(), id, wanted(&new), &new.reason, now).await?;
    Ok((Json(asked.into()), StatusCode::CREATED))
}

/// Asks a second person that a warrant goes on in another, whether it runs or has ended.
#[utoipa::path(post, path = "/api/v1/warrants/{id}/extend", tag = "warrants", request_body = WarrantWanted,
    params(("id" = String, Path, description = "The warrant's id")), responses(
    (status = 201, body = WarrantAskedView), (status = "default", body = Problem)))]
pub(crate) async fn extend(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<WarrantWanted>,
) -> Created<WarrantAskedView> {
    let id = input::parse("warrant", &id)?;
    let (fleet, now) = (&state.fleet, state.now());
    let asked = warrants::extend(fleet, caller.principal(), id, wanted(&new), &new.reason, now).await?;
    Ok((Json(asked.into()), StatusCode::CREATED))
}

/// Ends a warrant: nobody is located under it from now on.
#[utoipa::path(post, path = "/api/v1/warrants/{id}/end", tag = "warrants", request_body = WarrantEnded,
    params(("id" = String, Path, description = "The warrant's id")), responses(
    (status = 200, body = WarrantView), (status = "default", body = Problem)))]
pub(crate) async fn end(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<WarrantEnded>,
) -> Answer<WarrantView> {
    let id = input::parse("warrant", &id)?;
    let ended = warrants::end(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    Ok(Json(ended.into()))
}

/// The warrants of an incident, the first granted first.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/warrants", tag = "warrants",
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = Page<WarrantView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, id: Path<String>) -> Answer<Page<WarrantView>> {
    let id = input::parse("incident", &id)?;
    let lines = warrants::list(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok(Json(Page { items: lines.into_iter().map(WarrantView::from).collect(), next: None }))
}

/// Whom the warrants of an incident are told to, when, and whether they were.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/notices", tag = "warrants",
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = Page<WarrantNoticeView>), (status = "default", body = Problem)))]
pub(crate) async fn told(state: State, caller: Caller, id: Path<String>) -> Answer<Page<WarrantNoticeView>> {
    let id = input::parse("incident", &id)?;
    let rows = notices::list(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok(Json(Page { items: rows.into_iter().map(WarrantNoticeView::from).collect(), next: None }))
}

/// Records that an authority asked that nobody be told until a day. Tell it that an iPad itself shows that its location was
/// read.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notices/delay", tag = "warrants", request_body = NoticesDelayed,
    params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, body = DelayView), (status = "default", body = Problem)))]
pub(crate) async fn delay(
    state: State,
    caller: Caller,
    id: Path<String>,
    asked: Json<NoticesDelayed>,
) -> Answer<DelayView> {
    let id = input::parse("incident", &id)?;
    let until = field("until", &asked.until)?;
    let (fleet, now) = (&state.fleet, state.now());
    let waiting = notices::delay(fleet, caller.principal(), id, until, &asked.reference, now).await?;
    Ok(Json(DelayView { waiting, tell_the_authority: TELL }))
}
