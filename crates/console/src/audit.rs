//! `/audit`: who did what; whether the log is whole; the log itself, to take away.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Json, Query};
use fleet::Refusal;
use fleet::audit_log::{self, Export, Verification, Verified, Wanted, lines};
use fleet::page::Page as Part;
use futures_util::stream;
use governance::chain::Anchor;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::audit::{Entry, Order};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Page, State};
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// One JSON document a line.
const LINES: &str = "application/jsonl";
/// How many anchors one verification is held against.
const ANCHORS: usize = 64;

/// Which entries, and which part of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// By whom: `account:ID`, `token:ID`, `tablet:ENROLMENT`, `calendar` or `host`.
    actor: Option<String>,
    /// On which tablet: its id or serial number.
    tablet: Option<String>,
    /// What: `link.create`, or `link` for all that is done with links.
    action: Option<String>,
    /// Not before this instant.
    since: Option<Timestamp>,
    /// Before this instant.
    until: Option<Timestamp>,
    /// `oldest` first, unless told, or `newest` first.
    order: Option<String>,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// An entry of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// Its place in the log. Gaps are changes that were given up.
    seq: i64,
    /// Its id.
    id: String,
    /// When.
    at: Timestamp,
    /// Who.
    actor: String,
    /// What.
    action: String,
    /// On which tablet.
    tablet_id: Option<String>,
    /// On which enrolment.
    enrolment_id: Option<String>,
    /// Under which warrant, order or decision.
    order: Option<String>,
    /// Why; none if none was given, or once the body was emptied.
    reason: Option<String>,
    /// What else.
    detail: Option<Value>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            id: entry.id.to_string(),
            at: entry.at.into(),
            actor: entry.actor,
            action: entry.action,
            tablet_id: entry.tablet.map(|id| id.to_string()),
            enrolment_id: entry.enrolment.map(|id| id.to_string()),
            order: entry.order,
            reason: entry.reason,
            detail: entry.detail,
        }
    }
}

/// What to keep of the log elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnchorView {
    /// The number and digest of the last seal, as one word; none until something is sealed.
    #[schema(example = "42:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    anchor: Option<String>,
    /// When that seal was set.
    sealed_at: Option<Timestamp>,
    /// The place of the last entry under it.
    last_entry: Option<i64>,
}

/// What a verification is held against.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerificationQuery {
    /// Anchors that were kept elsewhere, separated by commas.
    against: Option<String>,
}

/// The audit log, part by part.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery), responses(
    (status = 200, body = Page<EntryView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, query: Query<AuditQuery>) -> Answer<Page<EntryView>> {
    let query = query.into_inner();
    let part = Part::<i64>::read(query.after.as_deref(), query.limit)?;
    let wanted = query.read()?;
    let listed = audit_log::list(&state.fleet, caller.principal(), wanted, part, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

impl AuditQuery {
    fn read(self) -> Result<Wanted, Failure> {
        let order = match self.order.as_deref() {
            None | Some("oldest") => Order::OldestFirst,
            Some("newest") => Order::NewestFirst,
            Some(_) => {
                let problem = "must be `oldest` or `newest`".to_owned();
                return Err(Refusal::Invalid { field: "order", problem }.into());
            }
        };
        Ok(Wanted {
            actor: input::optional("actor", self.actor.as_deref())?,
            tablet: self.tablet.as_deref().map(str::parse).transpose()?,
            action: input::optional("action", self.action.as_deref())?,
            since: self.since.map(|since| since.0),
            until: self.until.map(|until| until.0),
            order,
        })
    }
}

/// The last seal of the log: to be printed, or mailed to someone, and held against the log later.
#[utoipa::path(get, path = "/api/v1/audit/anchor", tag = "audit", responses(
    (status = 200, body = AnchorView), (status = "default", body = Problem)))]
pub(crate) async fn anchor(state: State, caller: Caller) -> Answer<AnchorView> {
    let last = audit_log::anchor(&state.fleet, caller.principal(), state.now()).await?;
    Ok(Json(AnchorView {
        anchor: last.as_ref().map(|(anchor, _seal)| anchor.to_string()),
        sealed_at: last.as_ref().map(|(_anchor, seal)| seal.at.into()),
        last_entry: last.map(|(_anchor, seal)| seal.last_seq),
    }))
}

/// Reads the whole chain again. Lines of JSON: `{"progress": {…}}` on the way, and at the end `{"account": {…}}`, or
/// `{"failure": {…}}` if it could not be read to its end.
#[utoipa::path(get, path = "/api/v1/audit/verification", tag = "audit", params(VerificationQuery), responses(
    (status = 200, content_type = "application/jsonl", body = String), (status = "default", body = Problem)))]
pub(crate) async fn verify(
    state: State,
    caller: Caller,
    query: Query<VerificationQuery>,
) -> Result<HttpResponse, Failure> {
    let anchors = anchors(query.against.as_deref())?;
    let begun = Verification::begin(&state.fleet, caller.principal(), &anchors, state.now()).await?;
    let steps = stream::unfold(Some(begun), move |going| {
        let state = state.clone();
        async move {
            Some(match going?.step(state.now()).await {
                Ok((Verified::SoFar(so_far), on)) => {
                    let progress =
                        json!({ "seals": so_far.seals, "of": so_far.of, "entries": so_far.entries });
                    (line(&json!({ "progress": progress })), on)
                }
                Ok((Verified::Account(account), on)) => (line(&json!({ "account": account.to_json() })), on),
                Err(refusal) => (failed(&refusal), None),
            })
        }
    });
    Ok(HttpResponse::Ok().content_type(LINES).streaming(steps))
}

/// The whole log as lines of JSON, with what is needed to verify it elsewhere; the log itself says that it was taken
/// away. The last line is `{"end": {…}}`: a file without it was cut short.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", responses(
    (status = 200, content_type = "application/jsonl", body = String), (status = "default", body = Problem)))]
pub(crate) async fn export(state: State, caller: Caller) -> Result<HttpResponse, Failure> {
    let begun = Export::begin(&state.fleet, caller.principal(), state.now()).await?;
    let heading = line(&lines::heading(state.now()));
    let parts = stream::unfold(Some(begun), move |going| {
        let state = state.clone();
        async move {
            Some(match going?.step(state.now()).await {
                Ok((exported, on)) => {
                    let mut text = Vec::new();
                    for one in &exported {
                        text.extend_from_slice(one.to_json().to_string().as_bytes());
                        text.push(b'\n');
                    }
                    (Ok(Bytes::from(text)), on)
                }
                Err(refusal) => (failed(&refusal), None),
            })
        }
    });
    let whole = futures_util::StreamExt::chain(stream::iter([heading]), parts);
    Ok(HttpResponse::Ok().content_type(LINES).streaming(whole))
}

fn anchors(text: Option<&str>) -> Result<Vec<Anchor>, Failure> {
    let texts: Vec<&str> = text.map(|text| text.split(',').collect()).unwrap_or_default();
    if texts.len() > ANCHORS {
        let problem = format!("at most {ANCHORS} anchors at once");
        return Err(Refusal::Invalid { field: "against", problem }.into());
    }
    texts.into_iter().map(|text| input::field("against", text)).collect()
}

fn line(document: &Value) -> Result<Bytes, actix_web::Error> {
    Ok(Bytes::from(format!("{document}\n")))
}

/// What stopped an answer that had begun: its status is sent already.
fn failed(refusal: &Refusal) -> Result<Bytes, actix_web::Error> {
    tracing::error!(%refusal, "an answer about the audit log stopped half-way");
    line(&json!({ "failure": { "code": refusal.code(), "detail": refusal.to_string() } }))
}
