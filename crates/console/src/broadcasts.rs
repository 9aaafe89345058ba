//! `/broadcasts`: one command for many tablets, and how far it has come.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path};
use fleet::broadcasts::{self, Audience, Sent};
use serde::{Deserialize, Serialize};
use store::commands::CommandState;
use utoipa::ToSchema;

use crate::commands::NewCommand;
use crate::gate::Caller;
use crate::input::{self, Answer, Created, State};
use crate::problem::Problem;

/// A command for many tablets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBroadcast {
    /// The collège whose tablets are asked; every tablet within reach, if it is left out.
    #[schema(example = "0761234A")]
    uai: Option<String>,
    /// What they are asked. Its `idempotency_key` names the whole: the same one goes on where a request was cut off.
    command: NewCommand,
}

/// For how many tablets a command was queued.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BroadcastView {
    /// What it is called from now on.
    key: String,
    /// Its kind.
    request_type: &'static str,
    /// For how many tablets it was queued now.
    queued: u64,
    /// How many had it already.
    already: u64,
}

/// How far a command for many has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProgressView {
    /// What it is called.
    key: String,
    /// For how many tablets it was queued.
    tablets: u64,
    /// How many of them may still get or answer it.
    pending: u64,
    /// How many did it.
    acknowledged: u64,
    /// How many could not.
    failed: u64,
    /// For how many it is over without an answer.
    called_off: u64,
}

impl From<Sent> for BroadcastView {
    fn from(sent: Sent) -> Self {
        let Sent { key, request_type, queued, already } = sent;
        Self { key, request_type: request_type.as_str(), queued, already }
    }
}

/// Queues a command that asks, and changes nothing, for many tablets.
#[utoipa::path(post, path = "/api/v1/broadcasts", tag = "commands", request_body = NewBroadcast, responses(
    (status = 201, description = "It waits for each of them", body = BroadcastView),
    (status = 403, description = "It changes a tablet (C3.1.1)", body = Problem),
    (status = "default", body = Problem)))]
pub(crate) async fn send(state: State, caller: Caller, new: Json<NewBroadcast>) -> Created<BroadcastView> {
    let NewBroadcast { uai, command } = new.into_inner();
    let audience = match uai {
        Some(uai) => Audience::College(input::parse("collège", &uai)?),
        None => Audience::Everyone,
    };
    let sent =
        broadcasts::send(&state.fleet, caller.principal(), audience, command.read()?, state.now()).await?;
    Ok((Json(sent.into()), StatusCode::CREATED))
}

/// How far a command for many has come, on the tablets within reach.
#[utoipa::path(get, path = "/api/v1/broadcasts/{key}", tag = "commands",
    params(("key" = String, Path, description = "What it is called")), responses(
    (status = 200, body = ProgressView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, key: Path<String>) -> Answer<ProgressView> {
    let key = key.into_inner();
    let counted = broadcasts::show(&state.fleet, caller.principal(), key.clone(), state.now()).await?;
    let sum = |is_it: fn(CommandState) -> bool| {
        counted.iter().filter(|(state, _count)| is_it(**state)).map(|(_state, count)| count).sum()
    };
    Ok(Json(ProgressView {
        key,
        tablets: counted.values().sum(),
        pending: sum(CommandState::is_pending),
        acknowledged: sum(|state| state == CommandState::Acknowledged),
        failed: sum(|state| state == CommandState::Failed),
        called_off: sum(|state| {
            matches!(state, CommandState::Expired | CommandState::Cancelled | CommandState::Void)
        }),
    }))
}
