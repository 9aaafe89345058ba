//! Roll-outs of published versions, and emergency orders (C5.3.7).

use ::profiles::{RolloutPlan, Wave};
use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::profiles::{self, Order, Progress, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{Answer, Created, Page, PageQuery, State, field, invalid, optional, parse};
use crate::problem::{Failure, Problem};
use crate::profiles::{Why, version, with_a_reason};
use crate::timestamp::Timestamp;

/// The waves of a roll-out. Everyone is the last one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WavesWanted {
    /// The collèges that are the first, by their UAI codes.
    #[serde(default)]
    colleges: Vec<String>,
    /// Then that many tablets in a hundred, each number more than the one before.
    #[serde(default)]
    percents: Vec<u8>,
    /// How many hours a wave lasts before the next; 24 unless told.
    hours_between: Option<u32>,
    /// It pauses by itself above that many failures in a thousand; 50 unless told.
    pause_above_permille: Option<u32>,
    /// Once that many tablets have reported; 20 unless told.
    pause_from: Option<u32>,
}

impl WavesWanted {
    /// The plan.
    pub(crate) fn plan(self) -> Result<RolloutPlan, Failure> {
        let mut waves = Vec::new();
        if !self.colleges.is_empty() {
            let colleges = self.colleges.iter().map(|uai| field("waves.colleges", uai));
            waves.push(Wave::Colleges(colleges.collect::<Result<_, _>>()?));
        }
        waves.extend(self.percents.into_iter().map(Wave::Percent));
        waves.push(Wave::Everyone);
        RolloutPlan::new(
            waves,
            self.hours_between.unwrap_or(24),
            self.pause_above_permille.unwrap_or(50),
            self.pause_from.unwrap_or(20),
        )
        .map_err(|not_a_plan| invalid("waves", &not_a_plan.to_string()))
    }
}

/// Waves, to see whom they would reach.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WavesQuery {
    /// The collèges that are the first, separated by commas.
    colleges: Option<String>,
    /// Then that many tablets in a hundred, separated by commas.
    percents: Option<String>,
}

impl WavesQuery {
    pub(crate) fn wanted(self) -> Result<Option<WavesWanted>, Failure> {
        if self.colleges.is_none() && self.percents.is_none() {
            return Ok(None);
        }
        let list = |text: Option<String>| -> Vec<String> {
            let text = text.unwrap_or_default();
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let percents =
            list(self.percents).iter().map(|text| field("percents", text)).collect::<Result<_, _>>()?;
        Ok(Some(WavesWanted {
            colleges: list(self.colleges),
            percents,
            hours_between: None,
            pause_above_permille: None,
            pause_from: None,
        }))
    }
}

/// How far a roll-out has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RolloutView {
    /// The version that comes.
    version: String,
    /// The one that tablets keep until their wave; none, if nothing of the layer was in force before.
    previous: Option<String>,
    /// `running`, `paused`, `done`, `rolled-back` or `replaced`.
    state: String,
    /// The wave that runs, from 1.
    wave: i32,
    /// The waves, in words.
    waves: Vec<String>,
    /// Since when that wave runs.
    wave_since: Timestamp,
    /// How many managed tablets have it by now.
    reached: u64,
    /// How many keep the one before, or have nothing of the layer yet.
    waiting: u64,
    /// How many of those reached report that it is in force.
    applied: u32,
    /// How many of them report a rule that failed, since this wave began.
    failed: u32,
    /// How many of those reached took on what they were told, since this wave began; that it is in force is another thing.
    answered: u32,
    /// How many of them refused it.
    refused: u32,
    /// Why it was last stopped or rolled back.
    reason: Option<String>,
    /// When it was over.
    ended_at: Option<Timestamp>,
}

impl From<Progress> for RolloutView {
    fn from(progress: Progress) -> Self {
        let row = progress.rollout;
        let words = |wave: &Wave| match wave {
            Wave::Colleges(colleges) => {
                colleges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
            Wave::Percent(percent) => format!("{percent} %"),
            Wave::Everyone => "everyone".to_owned(),
        };
        Self {
            version: row.version_id.to_string(),
            previous: row.previous_id.map(|id| id.to_string()),
            state: row.state.to_string(),
            wave: row.wave.saturating_add(1),
            waves: progress.plan.waves().iter().map(words).collect(),
            wave_since: row.wave_since.into(),
            reached: progress.reached,
            waiting: progress.waiting,
            applied: progress.tally.applied,
            failed: progress.tally.failed,
            answered: progress.answers.applied,
            refused: progress.answers.failed,
            reason: row.reason,
            ended_at: row.ended_at.map(Timestamp::from),
        }
    }
}

/// How the roll-out of a version has come on.
#[utoipa::path(get, path = "/api/v1/profiles/{id}/rollout", tag = "profiles", params(("id" = String, Path)), responses(
    (status = 200, body = RolloutView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<RolloutView> {
    let found = profiles::progress(&state.fleet, caller.principal(), version(&id)?, state.now()).await?;
    let none = || fleet::Refusal::NotFound { noun: "roll-out", id: id.chars().take(64).collect() };
    Ok(Json(found.ok_or_else(none)?.into()))
}

/// Begins the next wave before its time.
#[utoipa::path(post, path = "/api/v1/profiles/{id}/rollout/advance", tag = "profiles", params(("id" = String, Path)),
    responses((status = 200, body = RolloutView), (status = "default", body = Problem)))]
pub(crate) async fn advance(state: State, caller: Caller, id: Path<String>) -> Answer<RolloutView> {
    let moved = profiles::advance(&state.fleet, caller.principal(), version(&id)?, state.now()).await?;
    Ok(Json(moved.into()))
}

/// Stops at the wave that runs.
#[utoipa::path(post, path = "/api/v1/profiles/{id}/rollout/halt", tag = "profiles", params(("id" = String, Path)),
    request_body = Why, responses((status = 200, body = RolloutView), (status = "default", body = Problem)))]
pub(crate) async fn halt(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Why>,
) -> Answer<RolloutView> {
    with_a_reason((state, caller, id, why), profiles::halt).await
}

/// Goes on where it stopped.
#[utoipa::path(post, path = "/api/v1/profiles/{id}/rollout/resume", tag = "profiles", params(("id" = String, Path)),
    request_body = Why, responses((status = 200, body = RolloutView), (status = "default", body = Problem)))]
pub(crate) async fn resume(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Why>,
) -> Answer<RolloutView> {
    with_a_reason((state, caller, id, why), profiles::resume).await
}

/// Gives every tablet the version before again; it was approved, too. Of a layer’s first version nothing is left then.
#[utoipa::path(post, path = "/api/v1/profiles/{id}/rollout/roll-back", tag = "profiles", params(("id" = String, Path)),
    request_body = Why, responses((status = 200, body = RolloutView), (status = "default", body = Problem)))]
pub(crate) async fn roll_back(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Why>,
) -> Answer<RolloutView> {
    with_a_reason((state, caller, id, why), profiles::roll_back).await
}

/// An emergency order to give.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderWanted {
    /// The published version of an emergency base.
    base: String,
    /// The collèges it is for, by their UAI codes; all, if none is named. A head’s own, always.
    #[serde(default)]
    colleges: Vec<String>,
    /// Why.
    reason: String,
    /// Its first day, such as `2027-03-16`.
    starts_on: String,
    /// Its last day; thirty days in all, at most.
    ends_on: String,
    /// The order that it renews.
    renews: Option<String>,
    /// Orders that stand in its way and end with it, in the same act. It begins today then.
    #[serde(default)]
    instead_of: Vec<String>,
}

/// An emergency order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderView {
    /// Its id.
    id: String,
    /// The version of its base.
    base: String,
    /// What that is called.
    title: String,
    /// The collèges it is for; all, if none is named.
    colleges: Vec<String>,
    /// Why.
    reason: String,
    /// Its first day.
    starts_on: String,
    /// Its last day.
    ends_on: String,
    /// Whether it is in force today.
    in_force: bool,
    /// Who ordered it.
    ordered_by: String,
    /// When.
    ordered_at: Timestamp,
    /// The order that it renews.
    renews: Option<String>,
    /// When it was ended before its last day.
    ended_at: Option<Timestamp>,
    /// The orders by which it goes on for some of its collèges, and that stand: ending this one does not end them.
    goes_on_by: Vec<String>,
}

impl From<Order> for OrderView {
    fn from(shown: Order) -> Self {
        let row = shown.order;
        Self {
            id: row.id.to_string(),
            base: row.version_id.to_string(),
            title: shown.title,
            colleges: row.uais.iter().map(ToString::to_string).collect(),
            reason: row.reason,
            starts_on: row.starts_on.to_string(),
            ends_on: row.ends_on.to_string(),
            in_force: shown.in_force,
            ordered_by: row.ordered_by.to_string(),
            ordered_at: row.ordered_at.into(),
            renews: row.renews.map(|id| id.to_string()),
            ended_at: row.ended_at.map(Timestamp::from),
            goes_on_by: shown.goes_on_by.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Emergency orders, the newest first.
#[utoipa::path(get, path = "/api/v1/emergency-orders", tag = "profiles", params(PageQuery), responses(
    (status = 200, body = Page<OrderView>), (status = "default", body = Problem)))]
pub(crate) async fn emergencies(
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Answer<Page<OrderView>> {
    let page = fleet::page::Page::read(query.after.as_deref(), query.limit)?;
    let listed = profiles::list_emergencies(&state.fleet, caller.principal(), page, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

/// Puts a prepared base in force for a while: the académie, or a head for their own collège (C5.3.7).
#[utoipa::path(post, path = "/api/v1/emergency-orders", tag = "profiles", request_body = OrderWanted, responses(
    (status = 201, body = OrderView), (status = "default", body = Problem)))]
pub(crate) async fn order(state: State, caller: Caller, wanted: Json<OrderWanted>) -> Created<OrderView> {
    let wanted = wanted.into_inner();
    let colleges = wanted.colleges.iter().map(|uai| field("colleges", uai));
    let instead_of = wanted.instead_of.iter().map(|id| field("instead_of", id));
    let wanted = Wanted {
        instead_of: instead_of.collect::<Result<_, _>>()?,
        base: field("base", &wanted.base)?,
        colleges: colleges.collect::<Result<_, _>>()?,
        starts_on: field("starts_on", &wanted.starts_on)?,
        ends_on: field("ends_on", &wanted.ends_on)?,
        renews: optional("renews", wanted.renews.as_deref())?,
        reason: wanted.reason,
    };
    let ordered = profiles::order_emergency(&state.fleet, caller.principal(), wanted, state.now()).await?;
    Ok((Json(ordered.into()), StatusCode::CREATED))
}

/// Ends an emergency order before its last day.
#[utoipa::path(post, path = "/api/v1/emergency-orders/{id}/end", tag = "profiles", params(("id" = String, Path)),
    request_body = Why, responses((status = 200, body = OrderView), (status = "default", body = Problem)))]
pub(crate) async fn end_emergency(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Why>,
) -> Answer<OrderView> {
    let id = parse("emergency order", &id)?;
    let ended =
        profiles::end_emergency(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    Ok(Json(ended.into()))
}
