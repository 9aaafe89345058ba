//! What a tablet is asked as soon as it is enrolled: what it is, how it is secured, what is on it (C3.1.4).

use apple::command::{Command, DeviceConfigured, RequestType};
use orders::{EnrolmentProfile, Ordinary, Queueable};
use privacy::Activity;
use store::Tx;
use store::commands::Enqueue;
use store::enrolments::Enrolment;
use types::{Actor, CommandId, Duration, Instant};

use crate::{TabletError, push, register};

/// Behind everything that is queued for a tablet in its Setup Assistant.
const LAST: i32 = -100;

/// Queues the first commands of an enrolment, and lets the Setup Assistant go on when it waits for us: once the tablet was
/// given what was decided for it, or after `wait` whatever happens.
pub(crate) fn queue(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    by: &Actor,
    wait: Duration,
    now: Instant,
) -> Result<(), TabletError> {
    let mut wanted: Vec<(Command, i32)> =
        apple::inventory::commands().into_iter().map(|command| (command, 0)).collect();
    // Which apps are on it is asked with the DPO's validation only (C3.1.6).
    if register::may_process(tx, Activity::AppInventory, now)?.is_ok() {
        wanted.push((apple::inventory::managed_apps(), 0));
    }
    if enrolment.awaiting_configuration {
        wanted.push((go_on(), LAST));
    }
    enqueue(tx, enrolment, wanted, by, now)?;
    hold_the_setup(tx, enrolment, wait, now)
}

/// Queues what ends the wait of the Setup Assistant. Last: what the tablet is given before this is there when its
/// user first sees it (C5.3.4).
pub(crate) fn let_the_setup_go_on(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    by: &Actor,
    wait: Duration,
    now: Instant,
) -> Result<(), TabletError> {
    enqueue(tx, enrolment, vec![(go_on(), LAST)], by, now)?;
    hold_the_setup(tx, enrolment, wait, now)
}

/// Where something was decided for tablets, the Setup Assistant waits for it (C5.3.4): the tablet says first what it is,
/// then it is given what its kind is given. Bounded: after `wait` it goes on in any case, and the rules say what is missing.
fn hold_the_setup(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    wait: Duration,
    now: Instant,
) -> Result<(), TabletError> {
    if !enrolment.awaiting_configuration || !store::profile_versions::a_base_stands(tx)? {
        return Ok(());
    }
    let until = now.plus(wait);
    if let Some(command) = held(tx, enrolment.id)? {
        store::commands::put_off(tx, command.id, until)?;
        push::want(tx, enrolment.id, until, now)?;
    }
    Ok(())
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
fn held(
    tx: &mut Tx<'_>,
    enrolment: types::EnrolmentId,
) -> Result<Option<store::commands::Command>, store::StoreError> {
    let kind = RequestType::DeviceConfigured.as_str();
    let pending = store::commands::pending(tx, enrolment)?;
    Ok(pending.into_iter().find(|command| command.request_type == kind && command.sent_at.is_none()))
}

fn go_on() -> Command {
    Command::DeviceConfigured(DeviceConfigured::default())
}

/// Queues commands with their priorities, and wants the tablet to be woken for them.
fn enqueue(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    commands: Vec<(Command, i32)>,
    by: &Actor,
    now: Instant,
) -> Result<(), TabletError> {
    if let Some(tablet) = enrolment.tablet_id {
        let queued = commands
            .into_iter()
            .map(|(command, priority)| {
                let replaces_key = Some(command.request_type().to_string());
                let ordinary = Ordinary::check(command, &EnrolmentProfile::Unknown)
                    .map_err(|refused| TabletError::Internal(refused.to_string()))?;
                let how = Enqueue {
                    id: CommandId::new(now),
                    enrolment: enrolment.id,
                    tablet,
                    priority,
                    replaces_key,
                    idempotency_key: None,
                    at: now,
                    by: by.to_string(),
                    not_before: None,
                    expires_at: None,
                };
                Ok((Queueable::Ordinary(ordinary), how))
            })
            .collect::<Result<Vec<_>, TabletError>>()?;
        store::commands::enqueue_together(tx, enrolment.id, queued, now)?;
    }
    push::want(tx, enrolment.id, now, now)?;
    Ok(())
}
