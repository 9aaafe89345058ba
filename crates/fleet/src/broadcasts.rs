//! One command for many tablets: for those of a collège, or for all that whoever asks reaches. Only what asks and changes
//! nothing is sent so: what is on tablets is decided by layers (C3.1.1), and what hurts is decided tablet by tablet.

use std::collections::BTreeMap;

use apple::command::RequestType;
use governance::{Permission, Place};
use orders::{EnrolmentProfile, Ordinary, Queueable};
use privacy::Activity;
use serde_json::json;
use store::commands::{self, CommandState, Enqueue};
use store::{StoreError, Within};
use tokio::task::JoinSet;
use types::{CommandId, EnrolmentId, Instant, RuleId, TabletId, Uai};

use crate::audit::{self, Change};
use crate::coming_in::within;
use crate::commands::{NewCommand, check_envelope};
use crate::request::{self, Request};
use crate::{Fleet, Principal, Refusal, push, register};

/// How many tablets one transaction is about: their enrolments are held for as long as it takes.
const TOGETHER: u32 = 2_000;

/// How many such transactions are under way at the same time. They are about other tablets each, and take two of the
/// connections that requests have.
const LANES: usize = 2;

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
    let walk = Walk {
        fleet: fleet.clone(),
        principal: principal.clone(),
        audience,
        ordinary,
        due: new.not_before.unwrap_or(now).max(now),
        how,
        now,
    };
    let mut sent = Sent { key, request_type, queued: 0, already: 0 };
    let (mut under_way, mut after, mut ends) = (JoinSet::new(), None, false);
    loop {
        while !ends && under_way.len() < LANES {
            let until = walk.cut(after).await?;
            under_way.spawn(walk.clone().queue(after, until));
            (after, ends) = (until, until.is_none());
        }
        match under_way.join_next().await {
            Some(Ok(done)) => {
                let (queued, already) = done?;
                sent.queued += queued;
                sent.already += already;
            }
            Some(Err(died)) => match died.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_cancelled) => return Err(StoreError::Stopped.into()),
            },
            None => return Ok(sent),
        }
    }
}

/// A walk through those who are asked.
#[derive(Clone)]
struct Walk {
    fleet: Fleet,
    principal: Principal,
    audience: Audience,
    ordinary: Ordinary,
    how: Enqueue,
    due: Instant,
    now: Instant,
}

impl Walk {
    /// Where the part of the walk ends that begins after `after`; `None` if it is the last one.
    async fn cut(&self, after: Option<EnrolmentId>) -> Result<Option<EnrolmentId>, Refusal> {
        let (principal, audience, now) = (self.principal.clone(), self.audience.clone(), self.now);
        self.fleet
            .store()
            .read(move |tx| {
                let (within, college) = reached(tx, &principal, &audience, now)?;
                Ok(commands::cut(tx, &within, college.as_ref(), after, TOGETHER)?)
            })
            .await
    }

    /// Queues it for those of a part, in one transaction unless some enrolled since it was cut: for how many now, and how
    /// many had it.
    async fn queue(
        self,
        mut after: Option<EnrolmentId>,
        until: Option<EnrolmentId>,
    ) -> Result<(u64, u64), Refusal> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (mut queued, mut already) = (0, 0);
        loop {
            let Self { principal, audience, how, due, now, .. } = self.clone();
            let queueable = Queueable::Ordinary(self.ordinary.clone());
            let (last, held, new) = self
                .fleet
                .store()
                .write_held(move |tx| {
                    let (within, college) = reached(tx, &principal, &audience, now)?;
                    if apple::inventory::lists_apps(queueable.request_type()) {
                        register::may_process(tx, Activity::AppInventory, now)??;
                    }
                    let part = (after, until);
                    let step = commands::hold_targets(tx, &within, college.as_ref(), part, TOGETHER)?;
                    let queued = commands::enqueue_for_each(tx, &queueable, &how, &step.targets)?;
                    push::want_all(tx, &queued, due, now)?;
                    Ok::<_, Refusal>((step.last, step.targets.len(), queued.len()))
                })
                .await?;
            queued += count(new);
            already += count(held.saturating_sub(new));
            if last.is_none() || last == until {
                return Ok((queued, already));
            }
            after = last;
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
