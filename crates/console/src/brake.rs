//! `/brake`, `/unenrolments`, `/campaigns`: what destroys, what holds it back, and what stops it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::brake::{campaigns, drill, held, status, switch};
use fleet::unenrolment;
use governance::brake::{CampaignPlan, Drill, Switch, What};
use serde::{Deserialize, Serialize};
use store::destructions::Destruction;
use utoipa::{IntoParams, ToSchema};

use crate::countersignatures::{AskedView, Signed};
use crate::gate::Caller;
use crate::input::{self, Answer, Created, Done, Page, PageQuery, State, field, optional};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// How the switch stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SwitchView {
    /// Whether everything destructive is stopped.
    engaged: bool,
    /// Since when.
    since: Option<Timestamp>,
    /// Who threw it.
    by: Option<String>,
    /// Why.
    reason: Option<String>,
}

impl From<Switch> for SwitchView {
    fn from(switch: Switch) -> Self {
        match switch {
            Switch::Released => Self { engaged: false, since: None, by: None, reason: None },
            Switch::Engaged(engaged) => Self {
                engaged: true,
                since: Some(engaged.since.into()),
                by: Some(engaged.by.to_string()),
                reason: Some(engaged.reason),
            },
        }
    }
}

/// How the brake stands today.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BrakeView {
    /// The switch.
    switch: SwitchView,
    /// The day that counts now, in Paris.
    day: String,
    /// How many acts a day one account may do without a second person.
    budget_of_an_account: u32,
    /// How many in one collège.
    budget_of_a_college: u32,
    /// How many in the whole fleet.
    budget_of_the_fleet: u32,
    /// What you have used today, with the accounts that count as one with yours.
    own: u32,
    /// What was used in each collège, by its UAI; the empty one: tablets of no collège. For those who see everything.
    colleges: BTreeMap<String, u64>,
    /// What was used by each account. For those who see everything.
    accounts: BTreeMap<String, u64>,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Why, in 1 to 500 characters: it is recorded.
    reason: String,
}

/// Tablets that are to leave management.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unenrolment {
    /// Their ids or serial numbers: all of them leave, or none.
    tablets: Vec<String>,
    /// Why, in 1 to 500 characters: it is recorded.
    reason: String,
}

/// What became of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecidedView {
    /// The tablets’ ids.
    tablets: Vec<String>,
    /// The countersignature that all of them wait for; absent if they are being told.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
}

/// How many acts went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleasedView {
    /// How many.
    acts: usize,
}

/// An act that destroys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActView {
    /// Its id.
    id: String,
    /// `erase`, `lost-mode` or `unenrol`.
    kind: String,
    /// The day it counts on.
    day: String,
    /// When it was ordered.
    at: Timestamp,
    /// Who ordered it.
    actor: String,
    /// The tablet’s collège.
    uai: Option<String>,
    /// The tablet.
    tablet_id: Option<String>,
    /// `counted`, `held`, `released` or `void`.
    state: String,
    /// The countersignature that it waits or waited for.
    countersignature: Option<String>,
    /// The campaign it counts in.
    campaign_id: Option<String>,
}

impl From<Destruction> for ActView {
    fn from(act: Destruction) -> Self {
        Self {
            id: act.id.to_string(),
            kind: act.kind.to_string(),
            day: act.day.to_string(),
            at: act.at.into(),
            actor: act.actor,
            uai: act.uai.map(|uai| uai.to_string()),
            tablet_id: act.tablet_id.map(|id| id.to_string()),
            state: act.state.to_string(),
            countersignature: act.countersignature_id.map(|id| id.to_string()),
            campaign_id: act.campaign_id.map(|id| id.to_string()),
        }
    }
}

/// Which acts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActsQuery {
    /// Only those in this state: `counted`, `held`, `released` or `void`.
    state: Option<String>,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// What the drill plays through.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrillPlan {
    /// What each act would do: `restitution`, `erasure`, `lost-mode` or `unenrolment`.
    what: String,
    /// How many acts, up to 200,000.
    acts: u32,
    /// The UAI of the tablets’ collège; none: tablets of no collège.
    uai: Option<String>,
    /// Whose acts they would be; yours unless told.
    account: Option<String>,
}

/// What would become of them. Nothing was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrillView {
    /// How many would go within the budgets.
    within_budgets: u32,
    /// How many would go under a campaign.
    under_campaigns: u32,
    /// How many would wait for a second person, by the budget that holds them.
    held: BTreeMap<String, u32>,
    /// How many the switch would stop.
    stopped: u32,
}

impl From<Drill> for DrillView {
    fn from(drill: Drill) -> Self {
        Self {
            within_budgets: drill.within_budgets,
            under_campaigns: drill.under_campaigns,
            held: drill.held.into_iter().map(|(budget, count)| (budget.to_string(), count)).collect(),
            stopped: drill.stopped,
        }
    }
}

/// A campaign of restitutions.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The UAI codes of its collèges.
    colleges: Vec<String>,
    /// Its first day, such as `2027-06-21`.
    starts_on: String,
    /// Its last day, at most 31 days later.
    ends_on: String,
    /// How many restitutions it lets pass, over all its days and collèges.
    ceiling: u32,
    /// Why.
    reason: String,
}

/// A campaign, as two persons decided it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedPlan {
    /// The plan, word for word as it was signed.
    plan: Plan,
    /// The countersignature.
    countersignature: String,
}

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignView {
    /// Its id.
    id: String,
    /// The UAI codes of its collèges.
    colleges: Vec<String>,
    /// Its first day.
    starts_on: String,
    /// Its last day.
    ends_on: String,
    /// How many restitutions it lets pass.
    ceiling: u32,
    /// How many passed.
    used: u64,
    /// Why.
    reason: String,
    /// Who opened it.
    opened_by: String,
    /// The countersignature it rests on.
    countersignature: String,
}

impl From<campaigns::Shown> for CampaignView {
    fn from(shown: campaigns::Shown) -> Self {
        let row = shown.campaign.to_row();
        Self {
            id: row.id.to_string(),
            colleges: row.colleges.iter().map(ToString::to_string).collect(),
            starts_on: row.starts_on.to_string(),
            ends_on: row.ends_on.to_string(),
            ceiling: row.ceiling,
            used: shown.used,
            reason: row.reason,
            opened_by: row.opened_by.to_string(),
            countersignature: row.countersignature.to_string(),
        }
    }
}

fn plan(plan: Plan) -> Result<CampaignPlan, crate::problem::Failure> {
    Ok(CampaignPlan {
        colleges: plan.colleges.iter().map(|uai| field("colleges", uai)).collect::<Result<_, _>>()?,
        starts_on: field("starts_on", &plan.starts_on)?,
        ends_on: field("ends_on", &plan.ends_on)?,
        ceiling: plan.ceiling,
        reason: plan.reason,
    })
}

/// Decides that tablets leave management: all of them, or none. Above the day’s budgets, all wait for a second person.
#[utoipa::path(post, path = "/api/v1/unenrolments", tag = "brake", request_body = Unenrolment, responses(
    (status = 201, body = DecidedView), (status = "default", body = Problem)))]
pub(crate) async fn unenrol(state: State, caller: Caller, wanted: Json<Unenrolment>) -> Created<DecidedView> {
    let Unenrolment { tablets, reason } = wanted.into_inner();
    let named = tablets.iter().map(|name| name.parse()).collect::<Result<Vec<_>, _>>()?;
    let decided = unenrolment::decide(&state.fleet, caller.principal(), named, &reason, state.now()).await?;
    let view = DecidedView {
        tablets: decided.tablets.iter().map(ToString::to_string).collect(),
        held: decided.held.map(|id| id.to_string()),
    };
    Ok((Json(view), StatusCode::CREATED))
}

/// How the brake stands: the switch, today’s budgets, and what was used of them.
#[utoipa::path(get, path = "/api/v1/brake", tag = "brake", responses(
    (status = 200, body = BrakeView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller) -> Answer<BrakeView> {
    let status = status::show(&state.fleet, caller.principal(), state.now()).await?;
    let college = |uai: Option<types::Uai>| uai.map(|uai| uai.to_string()).unwrap_or_default();
    Ok(Json(BrakeView {
        switch: status.switch.into(),
        day: status.day.to_string(),
        budget_of_an_account: status.budgets.actor,
        budget_of_a_college: status.budgets.college,
        budget_of_the_fleet: status.budgets.fleet,
        own: status.own,
        colleges: status.colleges.into_iter().map(|(uai, count)| (college(uai), count)).collect(),
        accounts: status.accounts.into_iter().map(|(id, count)| (id.to_string(), count)).collect(),
    }))
}

/// Throws the switch: everything destructive stops, what is queued included. One person does it, at once.
#[utoipa::path(post, path = "/api/v1/brake/engage", tag = "brake", request_body = Reason, responses(
    (status = 200, body = SwitchView), (status = "default", body = Problem)))]
pub(crate) async fn engage(state: State, caller: Caller, why: Json<Reason>) -> Answer<SwitchView> {
    Ok(Json(switch::engage(&state.fleet, caller.principal(), &why.reason, state.now()).await?.into()))
}

/// Asks a second person that the switch be released.
#[utoipa::path(post, path = "/api/v1/brake/ask-release", tag = "brake", request_body = Reason, responses(
    (status = 201, body = AskedView), (status = "default", body = Problem)))]
pub(crate) async fn ask_release(state: State, caller: Caller, why: Json<Reason>) -> Created<AskedView> {
    let id = switch::ask_release(&state.fleet, caller.principal(), &why.reason, state.now()).await?;
    Ok((Json(AskedView { countersignature: id.to_string() }), StatusCode::CREATED))
}

/// Releases the switch, once a second person signed.
#[utoipa::path(post, path = "/api/v1/brake/release", tag = "brake", request_body = Signed, responses(
    (status = 204, description = "It is released"), (status = "default", body = Problem)))]
pub(crate) async fn release(state: State, caller: Caller, signed: Json<Signed>) -> Done {
    let id = input::parse("countersignature", &signed.countersignature)?;
    switch::release(&state.fleet, caller.principal(), id, state.now()).await?;
    input::done()
}

/// The acts that destroy, the newest first.
#[utoipa::path(get, path = "/api/v1/brake/acts", tag = "brake", params(ActsQuery), responses(
    (status = 200, body = Page<ActView>), (status = "default", body = Problem)))]
pub(crate) async fn acts(state: State, caller: Caller, query: Query<ActsQuery>) -> Answer<Page<ActView>> {
    let wanted = optional("state", query.state.as_deref())?;
    let part = fleet::page::Page::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(held::list(&state.fleet, caller.principal(), wanted, part, state.now()).await?)))
}

/// Lets go exactly what a second person signed for: all of it, or nothing.
#[utoipa::path(post, path = "/api/v1/brake/let-go", tag = "brake", request_body = Signed, responses(
    (status = 200, body = ReleasedView), (status = "default", body = Problem)))]
pub(crate) async fn let_go(state: State, caller: Caller, signed: Json<Signed>) -> Answer<ReleasedView> {
    let id = input::parse("countersignature", &signed.countersignature)?;
    let acts = held::let_go(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok(Json(ReleasedView { acts }))
}

/// Plays acts through and says what the brake would do. Nothing is done.
#[utoipa::path(get, path = "/api/v1/brake/drill", tag = "brake", params(DrillPlan), responses(
    (status = 200, body = DrillView), (status = "default", body = Problem)))]
pub(crate) async fn play(state: State, caller: Caller, plan: Query<DrillPlan>) -> Answer<DrillView> {
    let DrillPlan { what, acts, uai, account } = plan.into_inner();
    let plan = drill::Plan {
        what: field::<What>("what", &what)?,
        acts,
        college: optional("uai", uai.as_deref())?,
        account: optional("account", account.as_deref())?,
    };
    Ok(Json(drill::play(&state.fleet, caller.principal(), plan, state.now()).await?.into()))
}

/// Every campaign, the newest first.
#[utoipa::path(get, path = "/api/v1/campaigns", tag = "brake", params(PageQuery), responses(
    (status = 200, body = Page<CampaignView>), (status = "default", body = Problem)))]
pub(crate) async fn campaigns(
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Answer<Page<CampaignView>> {
    let part = fleet::page::Page::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(campaigns::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// Asks a second person whether a campaign may be opened.
#[utoipa::path(post, path = "/api/v1/campaigns/ask", tag = "brake", request_body = Plan, responses(
    (status = 201, body = AskedView), (status = "default", body = Problem)))]
pub(crate) async fn ask_campaign(state: State, caller: Caller, wanted: Json<Plan>) -> Created<AskedView> {
    let wanted = plan(wanted.into_inner())?;
    let id = campaigns::ask(&state.fleet, caller.principal(), wanted, state.now()).await?;
    Ok((Json(AskedView { countersignature: id.to_string() }), StatusCode::CREATED))
}

/// Opens the campaign that a second person signed: exactly that one.
#[utoipa::path(post, path = "/api/v1/campaigns", tag = "brake", request_body = SignedPlan, responses(
    (status = 201, body = CampaignView), (status = "default", body = Problem)))]
pub(crate) async fn open_campaign(
    state: State,
    caller: Caller,
    signed: Json<SignedPlan>,
) -> Created<CampaignView> {
    let SignedPlan { plan: wanted, countersignature } = signed.into_inner();
    let (wanted, id) = (plan(wanted)?, input::parse("countersignature", &countersignature)?);
    let shown = campaigns::open(&state.fleet, caller.principal(), wanted, id, state.now()).await?;
    Ok((Json(shown.into()), StatusCode::CREATED))
}

/// Ends a campaign, at once and for good.
#[utoipa::path(delete, path = "/api/v1/campaigns/{id}", tag = "brake",
    params(("id" = String, Path, description = "The campaign")), responses(
    (status = 204, description = "It is over"), (status = "default", body = Problem)))]
pub(crate) async fn end_campaign(state: State, caller: Caller, id: Path<String>) -> Done {
    campaigns::end(&state.fleet, caller.principal(), input::parse("campaign", &id)?, state.now()).await?;
    input::done()
}
