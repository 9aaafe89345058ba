//! `/tablets`: each tablet with its enrolment, what it can do, what it reported.

use actix_web::web::{Json, Path, Query};
use fleet::page::Page as Part;
use fleet::tablet_why;
use fleet::tablets::{self, Detail, Filter, Line};
use serde::{Deserialize, Serialize};
use store::enrolments::Enrolment;
use types::TabletId;
use utoipa::{IntoParams, ToSchema};

use crate::alarms::AlarmView;
use crate::commands::WhyView;
use crate::gate::Caller;
use crate::input::{self, Answer, Page, State};
use crate::inventory::TabletView;
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// Which tablets, and which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TabletQuery {
    /// Those for this collège.
    uai: Option<String>,
    /// Those that run `ipad` or `android`.
    platform: Option<String>,
    /// Those that are `not-enrolled`, `enrolling` or `enrolled`.
    state: Option<String>,
    /// Those whose serial number, asset tag or model holds this text.
    text: Option<String>,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told. A filtered part may hold fewer and still have a `next`.
    limit: Option<u32>,
}

/// A tablet in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TabletLine {
    /// Its row in the inventory.
    #[serde(flatten)]
    tablet: TabletView,
    /// `not-enrolled`, `enrolling` or `enrolled`.
    state: &'static str,
    /// Its enrolment in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolment: Option<EnrolmentView>,
    /// When it last spoke to us, in that enrolment.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_at: Option<Timestamp>,
}

/// An enrolment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnrolmentView {
    /// Its id.
    id: String,
    /// `authenticated` or `active`.
    state: &'static str,
    /// How it came about: `link`, `automated` or `taken-over`.
    kind: &'static str,
    /// `supervised`, `unsupervised` or `unknown`.
    supervision: &'static str,
    /// Apple's identifier of the device.
    udid: Option<String>,
    /// The push topic it enrolled with.
    topic: Option<String>,
    /// Whether Setup Assistant waits for us.
    awaiting_configuration: bool,
    /// The version of its system.
    os_version: Option<String>,
    /// The build of its system.
    build_version: Option<String>,
    /// The product name, such as `iPad13,18`.
    product_name: Option<String>,
    /// When it was invited.
    created_at: Timestamp,
    /// When the tablet said Authenticate.
    authenticated_at: Option<Timestamp>,
    /// When the tablet last sent its push token.
    token_updated_at: Option<Timestamp>,
}

/// All that is known of one tablet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TabletDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    line: TabletLine,
    /// What it can do, and why not.
    capabilities: Vec<CapabilityView>,
    /// What it last reported about itself, by kind.
    observations: Vec<ObservationView>,
    /// What is open about it.
    alarms: Vec<AlarmView>,
}

/// One thing that a tablet can or cannot do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CapabilityView {
    /// A stable name, such as `lost-mode`.
    name: &'static str,
    /// Whether it can; null when the tablet has not told us what decides it.
    able: Option<bool>,
    /// Why it cannot, or why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// The rule that this matters for.
    rule: &'static str,
}

/// What a tablet reported of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObservationView {
    /// The kind: the request it answers.
    kind: String,
    /// When it was reported.
    reported_at: Timestamp,
    /// What was reported.
    body: serde_json::Value,
}

/// The tablets that pass the filter, in a stable order.
#[utoipa::path(get, path = "/api/v1/tablets", tag = "tablets", params(TabletQuery), responses(
    (status = 200, body = Page<TabletLine>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<TabletQuery>,
) -> Answer<Page<TabletLine>> {
    let TabletQuery { uai, platform, state: standing, text, after, limit } = query.into_inner();
    let filter = Filter {
        uai: input::optional("uai", uai.as_deref())?,
        platform: input::optional("platform", platform.as_deref())?,
        standing: standing.map(|standing| standing.parse()).transpose()?,
        text,
    };
    let part = Part::<TabletId>::read(after.as_deref(), limit)?;
    Ok(Json(Page::of(tablets::list(&state.fleet, caller.principal(), filter, part, state.now()).await?)))
}

/// One tablet, by its id or its serial number.
#[utoipa::path(get, path = "/api/v1/tablets/{id}", tag = "tablets",
    params(("id" = String, Path, description = "Id or serial number")), responses(
    (status = 200, body = TabletDetail), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<TabletDetail> {
    Ok(Json(tablets::show(&state.fleet, caller.principal(), id.parse()?, state.now()).await?.into()))
}

/// How a tablet stands with being woken, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TabletWhyView {
    /// The answer; about the first command that waits, if one does.
    #[serde(flatten)]
    why: WhyView,
    /// The first command that waits for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// How many wait.
    waiting: u64,
    /// When it last spoke to us.
    last_seen_at: Option<Timestamp>,
    /// When it was last pushed.
    pushed_at: Option<Timestamp>,
    /// How many pushes Apple took since it last came for them.
    unanswered_pushes: u32,
    /// When it is pushed next, unless it comes by itself before.
    next_push_at: Option<Timestamp>,
}

/// Why a tablet does not come, or is not woken.
#[utoipa::path(get, path = "/api/v1/tablets/{id}/why", tag = "tablets",
    params(("id" = String, Path, description = "Id or serial number")), responses(
    (status = 200, body = TabletWhyView), (status = "default", body = Problem)))]
pub(crate) async fn why(state: State, caller: Caller, id: Path<String>) -> Answer<TabletWhyView> {
    let told = tablet_why::why(&state.fleet, caller.principal(), id.parse()?, state.now()).await?;
    Ok(Json(TabletWhyView {
        why: told.why.into(),
        command: told.command.map(|id| id.to_string()),
        waiting: told.waiting,
        last_seen_at: told.last_seen.map(Timestamp),
        pushed_at: told.pushed.map(Timestamp),
        unanswered_pushes: told.unanswered,
        next_push_at: told.next_push.map(Timestamp),
    }))
}

impl From<Line> for TabletLine {
    fn from(line: Line) -> Self {
        Self {
            state: line.standing().as_str(),
            tablet: line.tablet.into(),
            enrolment: line.enrolment.map(EnrolmentView::from),
            last_seen_at: line.last_seen.map(Timestamp),
        }
    }
}

impl From<Enrolment> for EnrolmentView {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            id: enrolment.id.to_string(),
            state: enrolment.state.as_str(),
            kind: enrolment.kind.as_str(),
            supervision: enrolment.supervision.as_str(),
            udid: enrolment.udid.map(String::from),
            topic: enrolment.topic,
            awaiting_configuration: enrolment.awaiting_configuration,
            os_version: enrolment.os_version,
            build_version: enrolment.build_version,
            product_name: enrolment.product_name,
            created_at: enrolment.created_at.into(),
            authenticated_at: enrolment.authenticated_at.map(Timestamp),
            token_updated_at: enrolment.token_updated_at.map(Timestamp),
        }
    }
}

impl From<Detail> for TabletDetail {
    fn from(detail: Detail) -> Self {
        let capability = |one: fleet::Capability| CapabilityView {
            name: one.name,
            able: one.able,
            why: one.why,
            rule: one.rule.as_str(),
        };
        let observation = |one: store::observations::Observation| ObservationView {
            kind: one.kind,
            reported_at: one.reported_at.into(),
            body: one.body,
        };
        Self {
            line: detail.line.into(),
            capabilities: detail.capabilities.into_iter().map(capability).collect(),
            observations: detail.observations.into_iter().map(observation).collect(),
            alarms: detail.alarms.into_iter().map(AlarmView::from).collect(),
        }
    }
}
