//! `/alarms`: what an operator should look at.

use actix_web::web::{Json, Path, Query};
use fleet::alarms;
use serde::{Deserialize, Serialize};
use store::alarms::Alarm;
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Page, State};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// How many alarms.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlarmQuery {
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// Something that an operator should look at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlarmView {
    /// Its id.
    id: String,
    /// What happened, as a stable name.
    kind: String,
    /// What it is about.
    subject: String,
    /// The tablet.
    tablet_id: Option<String>,
    /// The enrolment.
    enrolment_id: Option<String>,
    /// When it was first raised.
    raised_at: Timestamp,
    /// When it was last raised.
    last_raised_at: Timestamp,
    /// How often it was raised.
    times: i64,
    /// What is known.
    detail: serde_json::Value,
    /// When someone settled it.
    settled_at: Option<Timestamp>,
}

impl From<Alarm> for AlarmView {
    fn from(alarm: Alarm) -> Self {
        Self {
            id: alarm.id.to_string(),
            kind: alarm.kind.to_string(),
            subject: alarm.subject,
            tablet_id: alarm.tablet_id.map(|id| id.to_string()),
            enrolment_id: alarm.enrolment_id.map(|id| id.to_string()),
            raised_at: alarm.raised_at.into(),
            last_raised_at: alarm.last_raised_at.into(),
            times: alarm.times,
            detail: alarm.detail,
            settled_at: alarm.settled_at.map(Timestamp),
        }
    }
}

/// How an alarm is settled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settlement {
    /// What it was, for the audit log.
    note: Option<String>,
}

/// The open alarms, the latest first.
#[utoipa::path(get, path = "/api/v1/alarms", tag = "alarms", params(AlarmQuery), responses(
    (status = 200, body = Page<AlarmView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, query: Query<AlarmQuery>) -> Answer<Page<AlarmView>> {
    let alarms = alarms::list(&state.fleet, caller.principal(), query.limit, state.now()).await?;
    Ok(Json(Page { items: alarms.into_iter().map(AlarmView::from).collect(), next: None }))
}

/// Settles an alarm. Raised again, it is a new one.
#[utoipa::path(post, path = "/api/v1/alarms/{id}/settle", tag = "alarms", request_body = Settlement,
    params(("id" = String, Path, description = "The alarm")), responses(
    (status = 200, body = AlarmView), (status = "default", body = Problem)))]
pub(crate) async fn settle(
    state: State,
    caller: Caller,
    id: Path<String>,
    settlement: Json<Settlement>,
) -> Answer<AlarmView> {
    let id = input::parse("alarm", &id)?;
    let note = settlement.into_inner().note;
    Ok(Json(alarms::settle(&state.fleet, caller.principal(), id, note, state.now()).await?.into()))
}
