//! `/tablets/{id}/rules` and `/segments`: what tablets are given, and how far they have come with it.

use actix_web::web::{Json, Path, Query};
use fleet::page::Page as Part;
use fleet::segments::{self, RuleLine, SegmentLine, TabletRules};
use serde::Serialize;
use types::SegmentId;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{Answer, Page, PageQuery, State};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// How the rules of one tablet stand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TabletRulesView {
    /// The segment it is in; null if it is not enrolled, has not said what it is, or nothing is in force.
    segment: Option<String>,
    /// The class of tablets that segment is for, such as `ipad 18.4 supervised`.
    class: Option<String>,
    /// Whether everything was delivered.
    delivered: bool,
    /// When it is looked at again.
    due_at: Option<Timestamp>,
    /// Every rule, by its name.
    rules: Vec<RuleView>,
}

/// How one rule stands: from what the tablet told, never from what was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleView {
    /// The rule, as a layer speaks of it, such as `restrictions.allowCamera`.
    rule: String,
    /// `applied`, `requested`, `failed` or `unsupported`.
    state: &'static str,
    /// Why it failed, in the tablet's words, or is not supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Why it is not supported, in French.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_french: Option<String>,
    /// When the tablet told what this rests on.
    observed_at: Option<Timestamp>,
}

/// How a segment stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SegmentView {
    /// Its id.
    id: String,
    /// The class of tablets it is for.
    class: String,
    /// Its tablets within reach.
    tablets: u64,
    /// Those to which everything was delivered.
    delivered: u64,
    /// The rules that its class of tablets does not do.
    unsupported: Vec<UnsupportedView>,
}

/// A rule that a class of tablets does not do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnsupportedView {
    /// The rule.
    rule: String,
    /// Why.
    why: String,
}

/// A rule that tablets refuse.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailingView {
    /// The rule.
    rule: String,
    /// How many tablets within reach refuse it.
    tablets: u64,
}

/// How each rule stands on a tablet.
#[utoipa::path(get, path = "/api/v1/tablets/{id}/rules", tag = "segments",
    params(("id" = String, Path, description = "Id or serial number")), responses(
    (status = 200, body = TabletRulesView), (status = "default", body = Problem)))]
pub(crate) async fn of_tablet(state: State, caller: Caller, id: Path<String>) -> Answer<TabletRulesView> {
    let rules = segments::rules_of(&state.fleet, caller.principal(), id.parse()?, state.now()).await?;
    Ok(Json(rules.into()))
}

/// The segments that have tablets, in a stable order.
#[utoipa::path(get, path = "/api/v1/segments", tag = "segments", params(PageQuery), responses(
    (status = 200, body = Page<SegmentView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, query: Query<PageQuery>) -> Answer<Page<SegmentView>> {
    let part = Part::<SegmentId>::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(segments::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// The rules that tablets refuse, and how many.
#[utoipa::path(get, path = "/api/v1/rules/failing", tag = "segments", responses(
    (status = 200, body = Vec<FailingView>), (status = "default", body = Problem)))]
pub(crate) async fn failing(state: State, caller: Caller) -> Answer<Vec<FailingView>> {
    let rules = segments::failing(&state.fleet, caller.principal(), state.now()).await?;
    let view = |one: store::deliveries::Failing| FailingView { rule: one.rule, tablets: one.tablets };
    Ok(Json(rules.into_iter().map(view).collect()))
}

impl From<TabletRules> for TabletRulesView {
    fn from(rules: TabletRules) -> Self {
        Self {
            segment: rules.segment.map(|id| id.to_string()),
            class: rules.class,
            delivered: rules.delivered,
            due_at: rules.due_at.map(Timestamp),
            rules: rules.rules.into_iter().map(RuleView::from).collect(),
        }
    }
}

impl From<RuleLine> for RuleView {
    fn from(line: RuleLine) -> Self {
        let RuleLine { rule, state, why, why_french, observed_at } = line;
        Self { rule, state, why, why_french, observed_at: observed_at.map(Timestamp) }
    }
}

impl From<SegmentLine> for SegmentView {
    fn from(line: SegmentLine) -> Self {
        Self {
            id: line.id.to_string(),
            class: line.class,
            tablets: line.tablets,
            delivered: line.delivered,
            unsupported: line
                .unsupported
                .into_iter()
                .map(|(rule, why)| UnsupportedView { rule, why })
                .collect(),
        }
    }
}
