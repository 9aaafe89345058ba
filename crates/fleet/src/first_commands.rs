//! What a tablet is asked as soon as it is enrolled: what it is, how it is secured, what is on it (C3.1.4).

use apple::command::{Command, DeviceConfigured, RequestType};
use orders::{EnrolmentProfile, Ordinary, Queueable};
use privacy::Activity;
use store::commands::Enqueue;
use store::enrolments::Enrolment;
use store::{StoreError, Tx};
use types::{Actor, CommandId, Duration, EnrolmentId, Instant};

use crate::{TabletError, push, register};

/// Behind everything that is queued for a tablet in its Setup Assistant.
const LAST: i32 = -100;

/// A tablet whose Setup Assistant, or whose enrolment, has come to its end.
#[derive(Debug)]
pub(crate) struct Newcomer {
    /// Its enrolment.
    pub(crate) enrolment: Enrolment,
    /// Who queues its commands.
    pub(crate) by: Actor,
    /// How long its Setup Assistant waits at most for what was decided.
    pub(crate) wait: Duration,
    /// Since when it is here.
    pub(crate) now: Instant,
}

/// Queues the first commands of enrolments, and lets the Setup Assistants go on that wait for us: each once its tablet was
/// given what was decided for it, or after its `wait` whatever happens. As many statements for one as for many.
pub(crate) fn queue(tx: &mut Tx<'_>, newcomers: &[Newcomer]) -> Result<(), StoreError> {
    let Some(now) = newcomers.iter().map(|one| one.now).max() else { return Ok(()) };
    let mut inventory = apple::inventory::commands().to_vec();
    // Which apps are on it is asked with the DPO's validation only (C3.1.6).
    if register::may_process(tx, Activity::AppInventory, now)?.is_ok() {
        inventory.push(apple::inventory::managed_apps());
    }
    let mut wanted = Vec::new();
    for newcomer in newcomers {
        wanted.extend(inventory.iter().map(|command| (newcomer, command.clone(), 0)));
        if newcomer.enrolment.awaiting_configuration {
            wanted.push((newcomer, go_on(), LAST));
        }
    }
    enqueue(tx, newcomers, wanted)
}

/// Queues what ends the wait of Setup Assistants. Last: what a tablet is given before this is there when its
/// user first sees it (C5.3.4).
pub(crate) fn let_the_setup_go_on(tx: &mut Tx<'_>, newcomers: &[Newcomer]) -> Result<(), StoreError> {
    enqueue(tx, newcomers, newcomers.iter().map(|newcomer| (newcomer, go_on(), LAST)).collect())
}

/// Queues commands with their priorities, wants the tablets to be woken for them, and holds what lets a Setup Assistant go
/// on.
fn enqueue(
    tx: &mut Tx<'_>,
    newcomers: &[Newcomer],
    wanted: Vec<(&Newcomer, Command, i32)>,
) -> Result<(), StoreError> {
    let (mut queued, mut held) = (Vec::new(), Vec::new());
    for (newcomer, command, priority) in wanted {
        let Newcomer { enrolment, by, wait, now } = newcomer;
        let Some(tablet) = enrolment.tablet_id else { continue };
        let queueable = match Ordinary::check(command, &EnrolmentProfile::Unknown) {
            Ok(ordinary) => Queueable::Ordinary(ordinary),
            Err(refused) => {
                tracing::error!(%refused, "one of the first commands of an enrolment is not ordinary: a defect");
                continue;
            }
        };
        let id = CommandId::new(*now);
        if queueable.request_type() == RequestType::DeviceConfigured {
            held.push((enrolment.id, id, now.plus(*wait), *now));
        }
        let how = Enqueue {
            id,
            enrolment: enrolment.id,
            tablet,
            priority,
            replaces_key: Some(queueable.request_type().to_string()),
            idempotency_key: None,
            at: *now,
            by: by.to_string(),
            not_before: None,
            expires_at: None,
        };
        queued.push((queueable, how));
    }
    store::commands::enqueue_all(tx, queued)?;
    push::want_each(tx, newcomers.iter().map(|one| (one.enrolment.id, one.now, one.now)).collect())?;
    hold_the_setups(tx, held)
}

/// Where something was decided for tablets, the Setup Assistant waits for it (C5.3.4): the tablet says first what it is,
/// then it is given what its kind is given. Bounded: after a while it goes on in any case, and the rules say what is
/// missing.
fn hold_the_setups(
    tx: &mut Tx<'_>,
    held: Vec<(EnrolmentId, CommandId, Instant, Instant)>,
) -> Result<(), StoreError> {
    if held.is_empty() || !store::profile_versions::a_base_stands(tx)? {
        return Ok(());
    }
    store::commands::put_off_all(tx, held.iter().map(|(_, command, until, _)| (*command, *until)))?;
    push::want_each(tx, held.into_iter().map(|(enrolment, _, until, now)| (enrolment, until, now)).collect())
}

/// What was decided was given to the tablet, or what is missing says why: the Setup Assistant goes on. `true` if it waited.
pub(crate) fn the_setup_may_go_on(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    now: Instant,
) -> Result<bool, TabletError> {
    if !enrolment.awaiting_configuration {
        return Ok(false);
    }
    let Some(command) = held(tx, enrolment.id)?.filter(|command| command.retry_at.is_some_and(|at| at > now))
    else {
        return Ok(false);
    };
    Ok(store::commands::put_off(tx, command.id, now)?)
}

/// What ends the wait of the Setup Assistant, if it was not sent yet.
fn held(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<store::commands::Command>, StoreError> {
    let kind = RequestType::DeviceConfigured.as_str();
    let pending = store::commands::pending(tx, enrolment)?;
    Ok(pending.into_iter().find(|command| command.request_type == kind && command.sent_at.is_none()))
}

fn go_on() -> Command {
    Command::DeviceConfigured(DeviceConfigured::default())
}
