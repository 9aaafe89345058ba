//! One command for many tablets: for those of a collège, or for all that whoever asks reaches. Only what asks and changes
//! nothing is sent so: what is on tablets is decided by layers (C3.1.1), and what hurts is decided tablet by tablet.

use std::collections::BTreeMap;

use apple::command::RequestType;
use governance::{Permission, Place};
use orders::{EnrolmentProfile, Ordinary, Queueable};
use privacy::Activity;
use serde_json::json;
use store::Within;
use store::commands::{self, CommandState, Enqueue};
use types::{CommandId, EnrolmentId, Instant, RuleId, TabletId, Uai};

use crate::audit::{self, Change};
use crate::coming_in::within;
use crate::commands::{NewCommand, check_envelope};
use crate::request::{self, Request};
use crate::{Fleet, Principal, Refusal, push, register};

/// How many tablets one transaction is about: their enrolments are held for as long as it takes.
const TOGETHER: u32 = 2_000;

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every managed iPad within reach.
    Everyone,
    /// Those of this collège.
    College(Uai),
}

/// What became of a command for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its key: the same one is how far it has come, and goes on where an earlier request was cut off.
    pub key: String,
    /// The kind.
    pub request_type: RequestType,
    /// For how many tablets it was queued now.
    pub queued: u64,
    /// How many had it already.
    pub already: u64,
}

/// Queues a command for each of many tablets, and wants them to be woken. Cut off in the middle, it is asked again with the
/// same key, and goes on.
///
/// # Errors
/// [`Refusal::Forbidden`] for a kind that changes something; [`Refusal::NotFound`] for a collège out of reach;
/// [`Refusal::Conflict`] for a key that named another kind;
/// [`Refusal::NotValidated`] for what lists apps (C3.1.6); [`Refusal::Invalid`] names the field.
pub async fn send(
    fleet: &Fleet,
    principal: &Principal,
    audience: Audience,
    new: NewCommand,
    now: Instant,
) -> Result<Sent, Refusal> {
    check_envelope(&new, now)?;
    let request = request::read(&new.request_type, new.content.as_ref())?;
    let request_type = request.request_type;
    let ordinary = only_asks(&request)?;
    let key = new.idempotency_key.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let how = Enqueue {
        // Each gets its own; those of the tablets stand in their places.
        id: CommandId::new(now),
        enrolment: EnrolmentId::new(now),
        tablet: TabletId::new(now),
        priority: new.priority,
        replaces_key: request.replaces_key,
        idempotency_key: Some(key.clone()),
        at: now,
        by: principal.actor().to_string(),
        not_before: new.not_before,
        expires_at: new.expires_at,
    };
    announce(fleet, principal, &audience, (&key, request_type), now).await?;
    let due = new.not_before.unwrap_or(now).max(now);
    let mut sent = Sent { key, request_type, queued: 0, already: 0 };
    let mut after = None;
    loop {
        let (principal, audience) = (principal.clone(), audience.clone());
        let (queueable, how) = (Queueable::Ordinary(ordinary.clone()), how.clone());
        let (last, held, queued) = fleet
            .store()
            .write_held(move |tx| {
                let (within, college) = reached(tx, &principal, &audience, now)?;
                if apple::inventory::lists_apps(request_type) {
                    register::may_process(tx, Activity::AppInventory, now)??;
                }
                let step = commands::hold_targets(tx, &within, college.as_ref(), after, TOGETHER)?;
                let queued = commands::enqueue_for_each(tx, &queueable, &how, &step.targets)?;
                push::want_all(tx, &queued, due, now)?;
                Ok::<_, Refusal>((step.last, step.targets.len(), queued.len()))
            })
            .await?;
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        sent.queued += count(queued);
        sent.already += count(held.saturating_sub(queued));
        match last {
            Some(_) => after = last,
            None => return Ok(sent),
        }
    }
}

/// How far a command for many has come: how many stand where, of the tablets within reach.
///
/// # Errors
/// [`Refusal::NotFound`] if none of them has a command of that key.
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    key: String,
    now: Instant,
) -> Result<BTreeMap<CommandState, u64>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewTablets, now)?;
            let counted = commands::count_by_state(tx, &within, &key)?;
            if counted.is_empty() { Err(Refusal::not_found("command for many", key)) } else { Ok(counted) }
        })
        .await
}

/// Says in the log what begins. A request that is repeated is said again.
async fn announce(
    fleet: &Fleet,
    principal: &Principal,
    audience: &Audience,
    (key, request_type): (&str, RequestType),
    now: Instant,
) -> Result<(), Refusal> {
    let (principal, audience, key) = (principal.clone(), audience.clone(), key.to_owned());
    fleet
        .store()
        .write(move |tx| {
            let (within, college) = reached(tx, &principal, &audience, now)?;
            if let Some(other) = commands::other_kind_of_key(tx, &within, &key, request_type.as_str())? {
                return Err(Refusal::Conflict(format!(
                    "the key {key} was used for {other}, not for {request_type}; choose another key"
                )));
            }
            let detail = json!({ "key": key, "request_type": request_type.as_str(), "uai": college });
            audit::record(tx, &principal, Change::new("command.broadcast").detail(detail), now)
        })
        .await
}

/// How far whoever asks reaches, and the collège they name.
fn reached(
    tx: &mut store::Tx<'_>,
    principal: &Principal,
    audience: &Audience,
    now: Instant,
) -> Result<(Within, Option<Uai>), Refusal> {
    let reach = principal.may(tx, Permission::SendCommands, now)?;
    match audience {
        Audience::Everyone => Ok((within(reach), None)),
        Audience::College(uai) if reach.covers(&Place::College(Some(uai.clone()))) => {
            Ok((within(reach), Some(uai.clone())))
        }
        Audience::College(uai) => Err(Refusal::not_found("collège", uai)),
    }
}

/// Passes what asks a tablet something and leaves it as it is.
fn only_asks(request: &Request) -> Result<Ordinary, Refusal> {
    let kind = request.request_type;
    let changes = || Refusal::Forbidden {
        rule: RuleId::C3_1_1,
        what: format!(
            "{kind} changes a tablet, and is not sent to many at once: send it to one, or write a layer \
             (`ardoise profile --help`)"
        ),
    };
    let Some(command) = request.command.clone().filter(|_| apple::inventory::asks(kind)) else {
        return Err(changes());
    };
    Ordinary::asked_by_hand(command, &EnrolmentProfile::Unknown)
        .map_err(|error| Refusal::Forbidden { rule: error.rule(), what: error.to_string() })
}
