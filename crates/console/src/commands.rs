//! `/tablets/{id}/commands` and `/commands`: what tablets are asked, and what became of it.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::Refusal;
use fleet::commands::{self, Accepted, Content};
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use store::commands::Command;
use types::CommandId;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, PageQuery, State};
use crate::parameters::Parameters;
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// A command to queue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCommand {
    /// Its kind, by its name in Apple's documentation.
    #[schema(example = "DeviceInformation")]
    request_type: String,
    /// Its keys; data as `{"$data": "base64"}`, dates as `{"$date": "RFC 3339"}`.
    parameters: Option<Parameters>,
    /// Its keys as an XML property list, instead of `parameters`.
    property_list: Option<String>,
    /// The higher goes first: -10 to 10, 0 unless told.
    priority: Option<i32>,
    /// The first instant it is offered.
    not_before: Option<Timestamp>,
    /// The first instant it is not offered any more.
    expires_at: Option<Timestamp>,
    /// The same key for the same tablet queues one command, however often it is sent.
    idempotency_key: Option<String>,
}

/// A command, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandView {
    /// Its id; on Apple's wire its `CommandUUID`.
    id: String,
    /// The tablet.
    tablet_id: String,
    /// The enrolment it was queued for.
    enrolment_id: String,
    /// Its kind.
    request_type: String,
    /// `queued`, `sent`, `not-now`, `acknowledged`, `failed`, `expired`, `cancelled` or `void`.
    state: &'static str,
    /// Whether the tablet may still get or answer it.
    pending: bool,
    /// The higher goes first.
    priority: i32,
    /// When it was queued.
    queued_at: Timestamp,
    /// Who queued it, as the audit log names them.
    queued_by: String,
    /// The first instant it is offered.
    not_before: Option<Timestamp>,
    /// The first instant it is not offered any more.
    expires_at: Option<Timestamp>,
    /// When it was last given to the tablet.
    sent_at: Option<Timestamp>,
    /// How often the tablet said NotNow.
    not_now_count: i32,
    /// When the tablet answered.
    answered_at: Option<Timestamp>,
    /// The answer, of kinds whose answer is kept.
    result: Option<serde_json::Value>,
    /// The tablet's errors; `words` says them for people.
    error: Option<serde_json::Value>,
}

/// Why a command is where it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhyView {
    /// For programs.
    #[schema(example = "pushed-silent")]
    code: &'static str,
    /// For people, in English.
    english: String,
    /// For people, in French.
    french: String,
}

impl From<fleet::why::Why> for WhyView {
    fn from(why: fleet::why::Why) -> Self {
        Self { code: why.code, english: why.english, french: why.french }
    }
}

impl From<Command> for CommandView {
    fn from(command: Command) -> Self {
        Self {
            id: command.id.to_string(),
            tablet_id: command.tablet_id.to_string(),
            enrolment_id: command.enrolment_id.to_string(),
            request_type: command.request_type,
            state: command.state.as_str(),
            pending: command.state.is_pending(),
            priority: command.priority,
            queued_at: command.queued_at.into(),
            queued_by: command.queued_by,
            not_before: command.not_before.map(Timestamp),
            expires_at: command.expires_at.map(Timestamp),
            sent_at: command.sent_at.map(Timestamp),
            not_now_count: command.not_now_count,
            answered_at: command.answered_at.map(Timestamp),
            result: command.result,
            error: command.error,
        }
    }
}

/// Queues a command. Dangerous kinds, and those that decide what layers do, are refused with the rule that forbids them.
#[utoipa::path(post, path = "/api/v1/tablets/{id}/commands", tag = "commands", request_body = NewCommand,
    params(("id" = String, Path, description = "Id or serial number of the tablet")), responses(
    (status = 201, description = "It waits for the tablet", body = CommandView),
    (status = 200, description = "It was queued before, with the same idempotency key", body = CommandView),
    (status = 403, description = "A rule forbids it", body = Problem), (status = "default", body = Problem)))]
pub(crate) async fn enqueue(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<NewCommand>,
) -> Created<CommandView> {
    let new = new.into_inner().read()?;
    let Accepted { command, new } =
        commands::enqueue(&state.fleet, caller.principal(), id.parse()?, new, state.now()).await?;
    Ok((Json(command.into()), if new { StatusCode::CREATED } else { StatusCode::OK }))
}

/// The commands of a tablet, the newest first.
#[utoipa::path(get, path = "/api/v1/tablets/{id}/commands", tag = "commands",
    params(("id" = String, Path, description = "Id or serial number of the tablet"), PageQuery), responses(
    (status = 200, body = Page<CommandView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    id: Path<String>,
    query: Query<PageQuery>,
) -> Answer<Page<CommandView>> {
    let part = Part::<CommandId>::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(
        commands::list(&state.fleet, caller.principal(), id.parse()?, part, state.now()).await?,
    )))
}

/// One command, with the tablet's answer.
#[utoipa::path(get, path = "/api/v1/commands/{id}", tag = "commands",
    params(("id" = String, Path, description = "The command")), responses(
    (status = 200, body = CommandView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<CommandView> {
    let id = input::parse("command", &id)?;
    Ok(Json(commands::show(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// Why a command is where it is, in one sentence.
#[utoipa::path(get, path = "/api/v1/commands/{id}/why", tag = "commands",
    params(("id" = String, Path, description = "The command")), responses(
    (status = 200, body = WhyView), (status = "default", body = Problem)))]
pub(crate) async fn why(state: State, caller: Caller, id: Path<String>) -> Answer<WhyView> {
    let id = input::parse("command", &id)?;
    let why = commands::why(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok(Json(why.into()))
}

/// Cancels a pending command.
#[utoipa::path(delete, path = "/api/v1/commands/{id}", tag = "commands",
    params(("id" = String, Path, description = "The command")), responses(
    (status = 200, body = CommandView), (status = 409, description = "It is over", body = Problem),
    (status = "default", body = Problem)))]
pub(crate) async fn cancel(state: State, caller: Caller, id: Path<String>) -> Answer<CommandView> {
    let id = input::parse("command", &id)?;
    Ok(Json(commands::cancel(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

impl NewCommand {
    /// What was asked for, for the use cases.
    pub(crate) fn read(self) -> Result<commands::NewCommand, Failure> {
        let content = match (self.parameters, self.property_list) {
            (None, None) => None,
            (Some(parameters), None) => Some(Content::Keys(parameters.0)),
            (None, Some(text)) => Some(Content::PropertyList(text.into_bytes())),
            (Some(_), Some(_)) => {
                let problem = "give either `parameters` or `property_list`".into();
                return Err(Refusal::Invalid { field: "property_list", problem }.into());
            }
        };
        Ok(commands::NewCommand {
            request_type: self.request_type,
            content,
            priority: self.priority.unwrap_or(0),
            not_before: self.not_before.map(|timestamp| timestamp.0),
            expires_at: self.expires_at.map(|timestamp| timestamp.0),
            idempotency_key: self.idempotency_key,
        })
    }
}
